import type { Entry } from './entry.ts'
import { compareFees, compareNonces, FeeOrder } from './fee-order.ts'
import { Heap } from './heap.ts'

/** Shares of the pool in the two heaps: four parts urgent, one part floating. */
export const urgentShare = 4

/**
 * Who goes first when the pool is full. Two heaps, worst on top: `urgent` by what a transaction would pay at the next base fee,
 * `floating` by fee cap alone. One order would let an attacker who is good at one and bad at the other push everybody out.
 */
export interface Prices {
  /** Next base fee; undefined while nobody told it. Wei. */
  readonly baseFee: bigint | undefined
  /** Entries in the heaps, also those that left the pool and are not yet removed. */
  readonly length: number
  /** How often both heaps were built anew. */
  readonly rebuilt: number
  /** Every entry in the heaps. */
  entries(): Iterable<Entry>
  put(entry: Entry): void
  /** The entry leaves the pool. */
  remove(entry: Entry): void
  /** That many entries, not taken out by `discard`, have left the pool since the last call. */
  removed(count: number): void
  /** Undoes a `remove`: back to where it was. */
  restore(entry: Entry, place: Entry['place']): void
  /** Not better than the worst of each heap that has any. Equal counts as not better. */
  underpriced(entry: Entry): boolean
  /** The worst that together free at least `slots`, taken out; undefined, and nothing taken, when there are not enough. */
  discard(slots: number): Entry[] | undefined
  /** The worst of each heap, for the answer to an underpriced transaction. */
  worst(): { readonly urgent: Entry | undefined; readonly floating: Entry | undefined }
  effectiveTip(entry: Entry): bigint
  /** A new head. Undefined: it is before the first base fee, and the order stays. */
  setBaseFee(baseFee: bigint | undefined): void
  /** All into urgent, then its worst fifth into floating. */
  reheap(): void
  clear(): void
  /** The two heaps as they stand, and entries gone but still in them. */
  layout(): PriceLayout
  /** Takes a layout of entries of this pool. */
  adopt(layout: PriceLayout): void
}

export interface PriceLayout {
  readonly baseFee: bigint | undefined
  readonly urgent: readonly Entry[]
  readonly floating: readonly Entry[]
  readonly stales: number
}

/** Prices of which every removal is at once and every order is total, so the same history gives the same victims. */
export class PriceIndex implements Prices {
  rebuilt = 0
  private readonly fees: FeeOrder
  private readonly urgent: Heap
  private readonly floating: Heap

  constructor(baseFee: bigint) {
    const fees = new FeeOrder(baseFee)
    this.fees = fees
    this.urgent = new Heap('urgent', (left, right) => {
      const worth = fees.compareAtBaseFee(left, right)
      return worth === 0 ? byArrival(left, right) : worth
    })
    this.floating = new Heap('floating', (left, right) => {
      const worth = compareFees(left, right)
      return worth === 0 ? byArrival(left, right) : worth
    })
  }

  get length(): number {
    return this.urgent.items.length + this.floating.items.length
  }

  get baseFee(): bigint | undefined {
    return this.fees.baseFee
  }

  put(entry: Entry): void {
    this.fees.price(entry)
    this.urgent.push(entry)
  }

  remove(entry: Entry): void {
    if (entry.place === 'urgent') this.urgent.remove(entry)
    else if (entry.place === 'floating') this.floating.remove(entry)
  }

  /** Each has been removed at its time. */
  removed(): void {}

  restore(entry: Entry, place: Entry['place']): void {
    if (place === 'urgent') this.urgent.push(entry)
    else if (place === 'floating') this.floating.push(entry)
  }

  underpriced(entry: Entry): boolean {
    const [urgent] = this.urgent.items
    const [floating] = this.floating.items
    if (urgent === undefined && floating === undefined) return false
    this.fees.price(entry)
    if (urgent !== undefined && this.fees.compareAtBaseFee(urgent, entry) < 0) return false
    return floating === undefined || compareFees(floating, entry) >= 0
  }

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

  worst(): { urgent: Entry | undefined; floating: Entry | undefined } {
    return { urgent: this.urgent.items[0], floating: this.floating.items[0] }
  }

  effectiveTip(entry: Entry): bigint {
    return this.fees.effectiveTip(entry)
  }

  setBaseFee(baseFee: bigint | undefined): void {
    if (baseFee === undefined || baseFee === this.fees.baseFee) return
    this.fees.baseFee = baseFee
    this.reheap()
  }

  reheap(): void {
    this.rebuilt++
    const all = this.urgent.items.concat(this.floating.items)
    for (const entry of all) this.fees.price(entry)
    this.floating.rebuild([])
    this.urgent.rebuild(all)
    this.floating.rebuild(this.urgent.popMany(Math.floor(all.length / (urgentShare + 1))))
  }

  clear(): void {
    this.urgent.rebuild([])
    this.floating.rebuild([])
  }

  *entries(): Generator<Entry> {
    yield* this.urgent.items
    yield* this.floating.items
  }

  layout(): PriceLayout {
    const { baseFee, urgent, floating } = this
    return { baseFee, urgent: urgent.items, floating: floating.items, stales: 0 }
  }

  adopt({ baseFee, urgent, floating }: PriceLayout): void {
    this.fees.baseFee = baseFee
    for (const entry of [...urgent, ...floating]) this.fees.price(entry)
    this.urgent.adopt([...urgent])
    this.floating.adopt([...floating])
  }
}

/** At equal fees the later nonce, then the later arrival, is worse. */
function byArrival(left: Entry, right: Entry): number {
  return compareNonces(left, right) || right.seq - left.seq
}
