import type { Entry } from './entry.ts'

const uint256Max = 2n ** 256n - 1n

/** What the two halves of an account share: the sum of costs, and bounds that make most balance filters free. */
abstract class CostedList {
  entries: Entry[] = []
  /** Sum of the costs of all entries. Wei. */
  totalCost = 0n
  /** No entry costs more, none burns more gas: upper bounds, lowered by each filter. */
  private costBound = 0n
  private gasBound = 0n

  get length(): number {
    return this.entries.length
  }

  /** geth keeps totals in 256 bits and refuses what overflows them, even a replacement. */
  canHold(cost: bigint): boolean {
    return this.totalCost + cost <= uint256Max
  }

  first(): Entry | undefined {
    return this.entries[0]
  }

  last(): Entry | undefined {
    return this.entries[this.entries.length - 1]
  }

  /** True when some entry by itself is not payable from `balance` or does not fit under `gasLimit`. Tightens the bounds when none is. */
  protected exceeds(balance: bigint, gasLimit: bigint): boolean {
    if (this.costBound <= balance && this.gasBound <= gasLimit) return false
    for (const entry of this.entries) if (isTooBig(entry, balance, gasLimit)) return true
    this.settleBounds(balance, gasLimit)
    return false
  }

  protected settleBounds(balance: bigint, gasLimit: bigint): void {
    this.costBound = balance
    this.gasBound = gasLimit
  }

  protected count(entry: Entry): void {
    const { cost, gas } = entry.tx
    this.totalCost += cost
    if (cost > this.costBound) this.costBound = cost
    if (gas > this.gasBound) this.gasBound = gas
  }

  protected discount(gone: readonly Entry[]): void {
    if (this.entries.length === 0) this.totalCost = 0n
    else for (const entry of gone) this.totalCost -= entry.tx.cost
  }
}

/** The executable transactions of one account: dense, so that a nonce is an index. */
export class PendingList extends CostedList {
  private base = 0n

  /** First nonce after the list. Only meaningful when not empty. */
  next(): bigint {
    return this.base + BigInt(this.entries.length)
  }

  get(nonce: bigint): Entry | undefined {
    const index = Number(nonce - this.base)
    return index >= 0 ? this.entries[index] : undefined
  }

  /** Joins a contiguous run that begins right after the tail, ends right before the head, or stands alone in an empty list. */
  join(run: readonly Entry[]): void {
    const [head] = run
    if (head === undefined) return
    if (this.entries.length === 0) this.base = head.tx.nonce
    if (head.tx.nonce < this.base) {
      this.entries = [...run, ...this.entries]
      this.base = head.tx.nonce
    } else {
      for (const entry of run) this.entries.push(entry)
    }
    for (const entry of run) this.count(entry)
  }

  replace(entry: Entry): void {
    const index = Number(entry.tx.nonce - this.base)
    const old = this.entries[index] as Entry
    this.entries[index] = entry
    this.count(entry)
    this.totalCost -= old.tx.cost
  }

  /** Takes out everything below `nonce`. */
  forward(nonce: bigint): Entry[] {
    if (this.entries.length === 0 || nonce <= this.base) return []
    const gone = this.entries.splice(0, Number(nonce - this.base))
    this.base = nonce
    this.discount(gone)
    return gone
  }

  /** Takes out everything from `nonce` on. */
  cutFrom(nonce: bigint): Entry[] {
    const index = Number(nonce - this.base)
    const gone = this.entries.splice(Math.max(0, index))
    this.discount(gone)
    return gone
  }

  cutLast(): Entry | undefined {
    const gone = this.entries.pop()
    if (gone !== undefined) this.discount([gone])
    return gone
  }

  /** Takes out what is not payable or too big by itself, and apart from it everything above the lowest of those. */
  filter(balance: bigint, gasLimit: bigint): { dropped: Entry[]; parked: Entry[] } {
    const dropped: Entry[] = []
    const parked: Entry[] = []
    if (!this.exceeds(balance, gasLimit)) return { dropped, parked }
    const lowest = this.entries.findIndex(entry => isTooBig(entry, balance, gasLimit))
    const gone = this.entries.splice(lowest)
    for (const entry of gone) (isTooBig(entry, balance, gasLimit) ? dropped : parked).push(entry)
    this.discount(gone)
    this.settleBounds(balance, gasLimit)
    return { dropped, parked }
  }
}

/** The transactions of one account that wait for a nonce: ascending, with gaps. */
export class QueueList extends CostedList {
  get(nonce: bigint): Entry | undefined {
    const entry = this.entries[this.indexOf(nonce)]
    return entry !== undefined && entry.tx.nonce === nonce ? entry : undefined
  }

  /** True when every nonce from `from` up to, not including, `to` is here. */
  holdsAll(from: bigint, to: bigint): boolean {
    const start = this.indexOf(from)
    const end = start + Number(to - from)
    return this.entries[start]?.tx.nonce === from && this.entries[end - 1]?.tx.nonce === to - 1n
  }

  /** Sum of the costs of all entries below `nonce`. */
  costBelow(nonce: bigint): bigint {
    let cost = 0n
    for (const entry of this.entries) {
      if (entry.tx.nonce >= nonce) break
      cost += entry.tx.cost
    }
    return cost
  }

  /** Puts an entry in its place, instead of one with the same nonce if there is one. */
  put(entry: Entry): void {
    const { nonce } = entry.tx
    const index = this.indexOf(nonce)
    const old = this.entries[index]
    if (old === undefined) this.entries.push(entry)
    else if (old.tx.nonce === nonce) {
      this.entries[index] = entry
      this.totalCost -= old.tx.cost
    } else this.entries.splice(index, 0, entry)
    this.count(entry)
  }

  /** Takes back an ascending run out of pending. */
  putRun(run: readonly Entry[]): void {
    const head = run[0]
    const tail = run[run.length - 1]
    if (head === undefined || tail === undefined) return
    const index = this.indexOf(head.tx.nonce)
    const above = this.entries[index]
    if (above !== undefined && above.tx.nonce <= tail.tx.nonce) {
      for (const entry of run) this.put(entry)
      return
    }
    this.entries = [...this.entries.slice(0, index), ...run, ...this.entries.slice(index)]
    for (const entry of run) this.count(entry)
  }

  remove(entry: Entry): void {
    this.entries.splice(this.indexOf(entry.tx.nonce), 1)
    this.discount([entry])
  }

  forward(nonce: bigint): Entry[] {
    const [head] = this.entries
    if (head === undefined || head.tx.nonce >= nonce) return []
    const gone = this.entries.splice(0, this.indexOf(nonce))
    this.discount(gone)
    return gone
  }

  filter(balance: bigint, gasLimit: bigint): Entry[] {
    if (!this.exceeds(balance, gasLimit)) return []
    const gone = this.entries.filter(entry => isTooBig(entry, balance, gasLimit))
    this.entries = this.entries.filter(entry => !isTooBig(entry, balance, gasLimit))
    this.discount(gone)
    this.settleBounds(balance, gasLimit)
    return gone
  }

  /** Takes out the contiguous run at the lowest nonce, if that is at most `start`. */
  ready(start: bigint): Entry[] {
    const [head] = this.entries
    if (head === undefined || head.tx.nonce > start) return []
    let end = 1
    for (let nonce = head.tx.nonce + 1n; this.entries[end]?.tx.nonce === nonce; nonce++) end++
    const gone = this.entries.splice(0, end)
    this.discount(gone)
    return gone
  }

  /** Takes out the highest nonces until `max` remain. */
  cap(max: number): Entry[] {
    if (this.entries.length <= max) return []
    const gone = this.entries.splice(max)
    this.discount(gone)
    return gone
  }

  private indexOf(nonce: bigint): number {
    return indexOfNonce(this.entries, nonce)
  }
}

/** Index of the first of ascending entries at or above `nonce`. */
export function indexOfNonce(entries: readonly Entry[], nonce: bigint): number {
  let high = entries.length
  const last = entries[high - 1]
  if (last === undefined || last.tx.nonce < nonce) return high
  let low = 0
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as Entry).tx.nonce < nonce) low = middle + 1
    else high = middle
  }
  return low
}

/** A transaction that by itself costs more than the whole balance, or more gas than a block has. */
function isTooBig(entry: Entry, balance: bigint, gasLimit: bigint): boolean {
  return entry.tx.cost > balance || entry.tx.gas > gasLimit
}
