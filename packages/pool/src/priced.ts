import type { Entry } from './entry.ts'

/** Shares of the pool in the two heaps: four parts urgent, one part floating. */
const urgentShare = 4
const exactMax = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Who goes first when the pool is full. Two heaps, worst on top: `urgent` by what a transaction would pay at the next base fee,
 * `floating` by fee cap alone. One order would let an attacker who is good at one and bad at the other push everybody out.
 * Every removal is at once, and every order is total, so the same history gives the same victims.
 */
export class PriceIndex {
  private base: bigint
  private baseNumber = 0
  private baseExact = true
  private readonly urgent = new Heap('urgent', (left, right) => this.byEffectiveTip(left, right))
  private readonly floating = new Heap('floating', (left, right) => byFeeCap(left, right))

  constructor(baseFee: bigint) {
    this.base = baseFee
    this.mirrorBase()
  }

  get length(): number {
    return this.urgent.items.length + this.floating.items.length
  }

  get baseFee(): bigint {
    return this.base
  }

  put(entry: Entry): void {
    this.price(entry)
    this.urgent.push(entry)
  }

  remove(entry: Entry): void {
    if (entry.place === 'urgent') this.urgent.remove(entry)
    else if (entry.place === 'floating') this.floating.remove(entry)
  }

  /** Undoes a `remove`: back to where it was. */
  restore(entry: Entry, place: Entry['place']): void {
    if (place === 'urgent') this.urgent.push(entry)
    else if (place === 'floating') this.floating.push(entry)
  }

  /** Not better than the worst of each heap that has any. Equal counts as not better. */
  underpriced(entry: Entry): boolean {
    const [urgent] = this.urgent.items
    const [floating] = this.floating.items
    if (urgent === undefined && floating === undefined) return false
    this.price(entry)
    if (urgent !== undefined && this.compareUrgentFees(urgent, entry) < 0) return false
    return floating === undefined || compareFees(floating, entry) >= 0
  }

  /** The worst transactions that together free at least `slots`, taken out; undefined, and nothing taken, when there are not enough. */
  discard(slots: number): Entry[] | undefined {
    const victims: Entry[] = []
    let missing = slots
    while (missing > 0) {
      if (this.urgent.items.length > urgentShare * this.floating.items.length) {
        const moved = this.urgent.pop()
        if (moved !== undefined) this.floating.push(moved)
        continue
      }
      const victim = this.floating.pop()
      if (victim === undefined) break
      victims.push(victim)
      missing -= victim.tx.slots
    }
    if (missing <= 0) return victims
    for (const victim of victims) this.put(victim)
    return undefined
  }

  /** The worst of each heap, for the answer to an underpriced transaction. */
  worst(): { urgent: Entry | undefined; floating: Entry | undefined } {
    return { urgent: this.urgent.items[0], floating: this.floating.items[0] }
  }

  effectiveTip(entry: Entry): bigint {
    return effectiveTip(entry, this.base)
  }

  /** A new base fee reorders everything: all into urgent, then its worst fifth into floating. */
  setBaseFee(baseFee: bigint): void {
    if (baseFee === this.base) return
    this.base = baseFee
    this.mirrorBase()
    const all = this.urgent.items.concat(this.floating.items)
    for (const entry of all) this.price(entry)
    this.floating.rebuild([])
    this.urgent.rebuild(all)
    for (let left = Math.floor(all.length / (urgentShare + 1)); left > 0; left--) {
      const moved = this.urgent.pop()
      if (moved !== undefined) this.floating.push(moved)
    }
  }

  clear(): void {
    this.urgent.rebuild([])
    this.floating.rebuild([])
  }

  /** Every entry, for checks. */
  *entries(): Generator<Entry> {
    yield* this.urgent.items
    yield* this.floating.items
  }

  private price(entry: Entry): void {
    const headroom = entry.feeCap - this.baseNumber
    entry.effectiveTip = headroom < entry.tip ? headroom : entry.tip
  }

  private mirrorBase(): void {
    this.baseNumber = Number(this.base)
    this.baseExact = this.base <= exactMax
  }

  private byEffectiveTip(left: Entry, right: Entry): number {
    return this.compareUrgentFees(left, right) || byArrival(left, right)
  }

  private compareUrgentFees(left: Entry, right: Entry): number {
    if (this.baseExact && left.exact && right.exact) {
      return (
        left.effectiveTip - right.effectiveTip || left.feeCap - right.feeCap || left.tip - right.tip
      )
    }
    return (
      compare(effectiveTip(left, this.base), effectiveTip(right, this.base)) ||
      compareFees(left, right)
    )
  }
}

function byFeeCap(left: Entry, right: Entry): number {
  return compareFees(left, right) || byArrival(left, right)
}

function compareFees(left: Entry, right: Entry): number {
  if (left.exact && right.exact) return left.feeCap - right.feeCap || left.tip - right.tip
  return compare(left.tx.feeCap, right.tx.feeCap) || compare(left.tx.tip, right.tx.tip)
}

/** At equal fees the later nonce, then the later arrival, is worse. */
function byArrival(left: Entry, right: Entry): number {
  return compare(right.tx.nonce, left.tx.nonce) || right.seq - left.seq
}

/** What reaches the producer at a base fee; negative when the fee cap does not even cover that. Wei. */
function effectiveTip({ tx }: Entry, baseFee: bigint): bigint {
  const headroom = tx.feeCap - baseFee
  return headroom < tx.tip ? headroom : tx.tip
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** A binary heap, smallest on top, whose entries know their position so that any of them can leave at once. */
class Heap {
  items: Entry[] = []
  private readonly place: 'urgent' | 'floating'
  private readonly order: (left: Entry, right: Entry) => number

  constructor(place: 'urgent' | 'floating', order: (left: Entry, right: Entry) => number) {
    this.place = place
    this.order = order
  }

  push(entry: Entry): void {
    entry.place = this.place
    this.items.push(entry)
    this.up(this.items.length - 1, entry)
  }

  pop(): Entry | undefined {
    const [top] = this.items
    if (top !== undefined) this.remove(top)
    return top
  }

  remove(entry: Entry): void {
    const index = entry.position
    const last = this.items.pop() as Entry
    if (last !== entry) {
      this.down(index, last)
      if (last.position === index) this.up(index, last)
    }
    entry.place = 'none'
    entry.position = -1
  }

  rebuild(items: Entry[]): void {
    for (const entry of this.items) entry.place = 'none'
    this.items = items
    for (let index = 0; index < items.length; index++) {
      const entry = items[index] as Entry
      entry.place = this.place
      entry.position = index
    }
    for (let index = (items.length >> 1) - 1; index >= 0; index--) {
      this.down(index, items[index] as Entry)
    }
  }

  private up(start: number, entry: Entry): void {
    const { items, order } = this
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = items[above] as Entry
      if (order(entry, parent) >= 0) break
      items[index] = parent
      parent.position = index
      index = above
    }
    items[index] = entry
    entry.position = index
  }

  private down(start: number, entry: Entry): void {
    const { items, order } = this
    const { length } = items
    let index = start
    for (;;) {
      let below = 2 * index + 1
      if (below >= length) break
      const right = items[below + 1]
      if (right !== undefined && order(right, items[below] as Entry) < 0) below++
      const child = items[below] as Entry
      if (order(child, entry) >= 0) break
      items[index] = child
      child.position = index
      index = below
    }
    items[index] = entry
    entry.position = index
  }
}
