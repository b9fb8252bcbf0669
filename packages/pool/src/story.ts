import { type Hash, limits, type TxOrigin, type TxRecord } from '@rockpool/protocol'
import { cellsOfEvent, packStory, type Told, type Unpacked, unpackStory } from './story-pack.ts'

/** Events from its beginning that are never forgotten. */
export const firstEvents = 4

/** What happened to one transaction: the first four events and the last twelve, as numbers, since there are tens of thousands. */
export class Story {
  readonly hash: Hash
  /** The record while it is somewhere else too; what stays of it, with the events, as one text afterwards. */
  private told: Told | string
  /** Events of what is somewhere else too. */
  private cells: number[] | undefined
  readonly origin: TxOrigin
  /** Number of the head at which it was first seen. */
  readonly block: number
  /** The one that took its place, or made it leave. */
  by: Hash | undefined = undefined
  /** The one whose place it took. */
  replaced: Hash | undefined = undefined
  mined: { readonly number: number; readonly index: number; readonly hash: Hash } | undefined =
    undefined
  /** What it was refused with, where that says more than its code. */
  message: string | undefined = undefined
  /** Its neighbours in the line it is in. */
  line: Line | undefined = undefined
  older: Story | undefined = undefined
  newer: Story | undefined = undefined

  constructor(tx: Told, origin: TxOrigin, block: number, cells: number[]) {
    this.hash = tx.hash
    this.told = tx
    this.cells = cells
    this.origin = origin
    this.block = block
  }

  get tx(): Told {
    return typeof this.told === 'string' ? this.unpacked(this.told).gist : this.told
  }

  /** Its events, as numbers one after the other. */
  get events(): readonly number[] {
    if (this.cells !== undefined) return this.cells
    return typeof this.told === 'string' ? this.unpacked(this.told).cells : []
  }

  /** The pool has it again. */
  hold(tx: TxRecord): void {
    this.cells = [...this.events]
    this.told = tx
  }

  /** The pool does not have it any more. */
  letGo(): this {
    if (typeof this.told === 'string') return this
    this.told = packStory(this.told, this.events)
    this.cells = undefined
    return this
  }

  note(at: number, cause: number, what: number): void {
    // A list that is pushed to keeps room for a dozen more, of which most would never come.
    const cells = [...this.events, at, cause, what]
    if (cells.length > limits.storyEventsMax * cellsOfEvent) {
      cells.splice(firstEvents * cellsOfEvent, cellsOfEvent)
    }
    if (this.cells === undefined) this.told = packStory(this.tx, cells)
    else this.cells = cells
  }

  get lastAt(): number {
    return this.events.at(-cellsOfEvent) ?? 0
  }

  /** In whose turn it happened last. */
  get lastCause(): number {
    return this.events.at(-2) ?? 0
  }

  get lastWhat(): number {
    return this.events.at(-1) ?? 0
  }

  private unpacked(text: string): Unpacked {
    return unpackStory(this.hash, text)
  }
}

/** Stories of one kind by age, so that a flood of one kind ends none of another. */
export class Line {
  readonly max: number
  oldest: Story | undefined
  newest: Story | undefined
  size = 0

  constructor(max: number) {
    this.max = max
  }

  /** Puts it at the end; out of the line it was in. */
  take(story: Story): void {
    if (this.newest === story) return
    story.line?.leave(story)
    story.line = this
    story.older = this.newest
    if (this.newest === undefined) this.oldest = story
    else this.newest.newer = story
    this.newest = story
    this.size++
  }

  leave(story: Story): void {
    if (story.older === undefined) this.oldest = story.newer
    else story.older.newer = story.newer
    if (story.newer === undefined) this.newest = story.older
    else story.newer.older = story.older
    story.older = undefined
    story.newer = undefined
    story.line = undefined
    this.size--
  }
}
