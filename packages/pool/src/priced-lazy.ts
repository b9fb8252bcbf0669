import type { Hash } from '@rockpool/protocol'
import type { Entry } from './entry.ts'
import { compareFees, compareNonces, FeeOrder } from './fee-order.ts'
import { Heap } from './heap.ts'
import { type PriceLayout, type Prices, urgentShare } from './priced.ts'

/**
 * geth's price list (Q17). What leaves the pool stays in its heap as a stale entry, counted but found only when it comes to the top; above
 * a quarter of stale ones both heaps are built anew from what the pool holds. So the share between them depends on history, and a
 * transaction that left and came back is in them twice. Until the first reset there is no base fee.
 */
export class LazyPriceIndex implements Prices {
  rebuilt = 0
  private readonly all: ReadonlyMap<Hash, Entry>
  private readonly fees = new FeeOrder(undefined)
  private readonly urgent = new Heap(
    'urgent',
    (left, right) => this.fees.compareAtBaseFee(left, right) || compareNonces(left, right),
  )
  private readonly floating = new Heap(
    'floating',
    (left, right) => compareFees(left, right) || compareNonces(left, right),
  )
  private stales = 0

  /** `all`: what the pool holds, by order of arrival. */
  constructor(all: ReadonlyMap<Hash, Entry>) {
    this.all = all
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

  /** It stays until it is found to be stale. */
  remove(): void {}

  removed(count: number): void {
    this.stales += count
    if (this.stales > Math.floor(this.length / 4)) this.reheap()
  }

  restore(): void {}

  underpriced(entry: Entry): boolean {
    this.fees.price(entry)
    const urgent = this.top(this.urgent)
    if (urgent !== undefined && this.fees.compareAtBaseFee(urgent, entry) < 0) return false
    // Only now: whoever beats the urgent worst leaves the stale ones of the other heap where they are.
    const floating = this.top(this.floating)
    if (floating !== undefined && compareFees(floating, entry) < 0) return false
    return urgent !== undefined || floating !== undefined
  }

  discard(slots: number): Entry[] | undefined {
    const victims: Entry[] = []
    let missing = slots
    while (missing > 0) {
      const isUrgent = this.urgent.items.length > urgentShare * this.floating.items.length
      const entry = (isUrgent ? this.urgent : this.floating).pop()
      if (entry === undefined) break
      if (this.isStale(entry)) this.stales--
      else if (isUrgent) this.floating.push(entry)
      else {
        victims.push(entry)
        missing -= entry.tx.slots
      }
    }
    if (missing <= 0) return victims
    for (const victim of victims) this.urgent.push(victim)
    return undefined
  }

  worst(): { urgent: Entry | undefined; floating: Entry | undefined } {
    return { urgent: this.urgent.items[0], floating: this.floating.items[0] }
  }

  effectiveTip(entry: Entry): bigint {
    return this.fees.effectiveTip(entry)
  }

  setBaseFee(baseFee: bigint | undefined): void {
    if (baseFee !== undefined) this.fees.baseFee = baseFee
    this.reheap()
  }

  reheap(): void {
    this.rebuilt++
    this.stales = 0
    const all = [...this.all.values()]
    for (const entry of all) this.fees.price(entry)
    this.urgent.rebuild(all)
    const share = Math.floor(all.length / (urgentShare + 1))
    this.floating.rebuild(this.urgent.popMany(share))
  }

  clear(): void {
    this.stales = 0
    this.urgent.rebuild([])
    this.floating.rebuild([])
  }

  *entries(): Generator<Entry> {
    yield* this.urgent.items
    yield* this.floating.items
  }

  layout(): PriceLayout {
    const { baseFee, urgent, floating, stales } = this
    return { baseFee, urgent: urgent.items, floating: floating.items, stales }
  }

  adopt({ baseFee, urgent, floating, stales }: PriceLayout): void {
    this.fees.baseFee = baseFee
    for (const entry of [...urgent, ...floating]) this.fees.price(entry)
    this.urgent.adopt([...urgent])
    this.floating.adopt([...floating])
    this.stales = stales
  }

  /** By hash, as geth looks: of a transaction that came back, its old entry counts as present again. */
  private isStale(entry: Entry): boolean {
    return !this.all.has(entry.tx.hash)
  }

  private top(heap: Heap): Entry | undefined {
    for (;;) {
      const [first] = heap.items
      if (first === undefined || !this.isStale(first)) return first
      this.stales--
      heap.pop()
    }
  }
}
