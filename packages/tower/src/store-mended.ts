/** Ends a life of an actor whose memory may be ahead of the disk. */
export class StoreMended extends Error {
  constructor() {
    super('the store can be written again')
    this.name = 'StoreMended'
  }
}
