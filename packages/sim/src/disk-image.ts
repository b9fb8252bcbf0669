import type { Operation } from '@rockpool/protocol/store'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Keys of one room, whole ones, as in the engine. */
interface Room {
  readonly name: string
  readonly entries: Map<string, Entry>
  sorted: readonly Entry[] | undefined
}

/** What was there before a batch, in its order. */
export type Undo = readonly (readonly [room: Room, id: string, entry: Entry | undefined])[]

/** What a database holds, in memory. Keys begin with `!room!`; one range lies within one room. Bytes are neither copied in nor out. */
export class DiskImage {
  readonly corrupt = new Set<string>()
  private readonly rooms = new Map<string, Room>()

  apply(operations: readonly Operation[]): Undo {
    return operations.map(operation => {
      const id = idOf(operation.key)
      const room = this.room(roomOf(id))
      const old = room.entries.get(id)
      if (operation.type === 'put') {
        room.entries.set(id, operation)
        this.corrupt.delete(id)
      } else room.entries.delete(id)
      room.sorted = undefined
      return [room, id, old] as const
    })
  }

  undo(undo: Undo): void {
    for (const [room, id, entry] of [...undo].reverse()) {
      if (entry === undefined) room.entries.delete(id)
      else room.entries.set(id, entry)
      room.sorted = undefined
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const id = idOf(key)
    this.requireReadable(id)
    return this.room(roomOf(id)).entries.get(id)?.value
  }

  entries(range: {
    readonly gte: Uint8Array
    readonly lt: Uint8Array
    readonly reverse: boolean
    readonly limit: number
  }): [Uint8Array, Uint8Array][] {
    const room = this.room(roomOf(idOf(range.gte)))
    room.sorted ??= [...room.entries.values()].sort((a, b) => Buffer.compare(a.key, b.key))
    const from = firstAtLeast(room.sorted, range.gte)
    const wanted = room.sorted.slice(from, Math.max(from, firstAtLeast(room.sorted, range.lt)))
    if (range.reverse) wanted.reverse()
    return wanted.slice(0, range.limit).map(({ key, value }) => {
      if (this.corrupt.size > 0) this.requireReadable(idOf(key))
      return [key, value]
    })
  }

  /** Whole keys of a room. */
  keysOf(room: string): string[] {
    return [...this.room(room).entries.keys()]
  }

  private room(name: string): Room {
    let room = this.rooms.get(name)
    if (room === undefined) {
      room = { name, entries: new Map(), sorted: [] }
      this.rooms.set(name, room)
    }
    return room
  }

  private requireReadable(id: string): void {
    if (!this.corrupt.has(id)) return
    const room = roomOf(id)
    const key = Buffer.from(id.slice(room.length + 2), 'latin1').toString('hex')
    throw engineError('LEVEL_CORRUPTION', `Corruption: ${room} ${key}`)
  }
}

/** An error as LevelDB has it. */
export const engineError = (code: string, text: string): Error =>
  Object.assign(new Error(text), { code })

export const idOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** `room` of `!room!key`. */
const roomOf = (id: string): string => id.slice(1, id.indexOf('!', 1))

function firstAtLeast(sorted: readonly Entry[], key: Uint8Array): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Buffer.compare((sorted[middle] as Entry).key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
