import type { ActorRef, Typed } from './api.ts'
import { assert } from './assert.ts'
import type { Cell } from './cell.ts'

/** Default of `Mailbox.capacity`. */
export const CAPACITY = 1024
/** Default of `Mailbox.urgentCapacity`. */
export const URGENT_CAPACITY = 256

const SMALLEST = 4
const NO_ITEMS: unknown[] = [undefined]
const NO_STAMPS = new Float64Array(0)

/** What travels in the system lane: it knows, when its turn comes, whether there is still something to say. */
export interface SystemItem {
  readonly type: string
  /** The message to handle, or nothing when it has done its work itself or has become void. */
  open(cell: Cell): Typed | undefined
}

/** A message the actor is owed by the bus, void once the life it was owed to has ended. */
export class Notice implements SystemItem {
  readonly type: string
  private readonly msg: Typed
  private readonly incarnation: number

  constructor(msg: Typed, incarnation: number) {
    this.type = msg.type
    this.msg = msg
    this.incarnation = incarnation
  }

  open(cell: Cell): Typed | undefined {
    if (cell.incarnation === this.incarnation) return this.msg
    cell.countStale(this.type)
    return undefined
  }
}

/**
 * A first-in first-out queue of messages with three numbers each: id, cause, instant. No envelope object per message;
 * a slot is named by a position that only grows (and wraps as an int32), so it stays valid when the ring doubles.
 */
export class Ring {
  items = NO_ITEMS
  stamps = NO_STAMPS
  mask = -1
  head = 0
  tail = 0

  get size(): number {
    return (this.tail - this.head) | 0
  }

  /** Returns the position of the new message. */
  push(item: unknown, id: number, cause: number, at: number): number {
    const position = this.tail
    if (((position - this.head) | 0) > this.mask) this.grow()
    const slot = position & this.mask
    this.items[slot] = item
    const stamp = slot * 3
    this.stamps[stamp] = id
    this.stamps[stamp + 1] = cause
    this.stamps[stamp + 2] = at
    this.tail = (position + 1) | 0
    return position
  }

  /** Removes the head. The caller has read it. */
  drop(): void {
    this.items[this.head & this.mask] = undefined
    this.head = (this.head + 1) | 0
  }

  /** Instant the oldest message came in. */
  oldest(): number | undefined {
    return this.head === this.tail ? undefined : this.stamps[(this.head & this.mask) * 3 + 2]
  }

  /** Puts a newer message into the place and the age of an older one, and returns the older. */
  replace(position: number, item: unknown, id: number, cause: number): unknown {
    const slot = position & this.mask
    const replaced = this.items[slot]
    this.items[slot] = item
    this.stamps[slot * 3] = id
    this.stamps[slot * 3 + 1] = cause
    return replaced
  }

  private grow(): void {
    const { items, stamps, mask } = this
    const capacity = mask < 0 ? SMALLEST : items.length * 2
    this.items = []
    for (let i = 0; i < capacity; i++) this.items.push(undefined)
    this.stamps = new Float64Array(capacity * 3)
    this.mask = capacity - 1
    for (let position = this.head; position !== this.tail; position = (position + 1) | 0) {
      const from = position & mask
      const to = position & this.mask
      this.items[to] = items[from]
      for (let k = 0; k < 3; k++) this.stamps[to * 3 + k] = stamps[from * 3 + k] as number
    }
  }
}

/** What can be waited for: an actor's mailbox, or the window of a worker. */
export interface SpaceSource {
  /** Calls `fn` once half of it is free or it is gone; `waiter` waits once. */
  whenSpace(waiter: object, fn: () => void): void
}

export function spaceOf(ref: ActorRef<never>): SpaceSource {
  assert('whenSpace' in ref, `${ref.path} has no mailbox to wait for`)
  return ref as ActorRef<never> & SpaceSource
}
