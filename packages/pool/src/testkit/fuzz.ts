import type { Address, TxRecord } from '@rockpool/protocol'
import type { PoolAccountView } from '../entry.ts'
import { checkInvariants, fingerprint } from '../invariants.ts'
import type { Outcome } from '../op.ts'
import type { Compat } from '../quirks.ts'
import { addressAt, aHead, anAccount, aPool, aTx, Bench } from '../testing.ts'

/** What a fuzz run saw, so that a run that saw too little can be told from a sound one. */
export interface FuzzTally {
  operations: number
  offered: number
  accepted: number
  /** Operations after which the pool had no free slot. */
  full: number
  readonly reasons: Map<string, number>
  readonly codes: Map<string, number>
}

interface MinedBlock {
  readonly txs: readonly TxRecord[]
  readonly before: ReadonlyMap<Address, PoolAccountView>
}

const config = {
  globalSlots: 20,
  globalQueue: 8,
  accountSlots: 2,
  accountQueue: 4,
  lifetimeMs: 60_000,
}
const accounts = 10
/** Operations before a fresh pool with a fresh chain: the gas cap of a fork can come only once in a life. */
const lifeLength = 400

export function newTally(): FuzzTally {
  return { operations: 0, offered: 0, accepted: 0, full: 0, reasons: new Map(), codes: new Map() }
}

/**
 * Random histories of small crowded pools: additions, blocks made of what the pool holds, reorgs, heads that cannot be had, changes of
 * tip, base fee, gas limit and funds. After every operation every invariant is counted again; at the end of every fifth life the log is replayed.
 */
export function fuzz(
  seed: number,
  operations: number,
  compat: Compat,
  tally = newTally(),
): FuzzTally {
  let left = operations
  for (let life = 0; left > 0; life++) {
    const count = Math.min(left, lifeLength)
    liveOnce(
      seed * 1_000_003 + life,
      { operations: count, isReplayed: life % 5 === 0 },
      compat,
      tally,
    )
    left -= count
  }
  return tally
}

function liveOnce(
  seed: number,
  { operations, isReplayed }: { operations: number; isReplayed: boolean },
  compat: Compat,
  tally: FuzzTally,
): void {
  const forkMs = 2_000 * 40
  const parts = {
    forks: {
      londonBlock: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      osakaTime: forkMs / 1000,
    },
    head: aHead({ gasLimit: 30_000_000 }),
    config: { ...config, compat },
  }
  const bench = new Bench(parts)
  const life = new Life(seed, bench)
  for (let index = 0; index < operations; index++) {
    const outcome = life.step()
    const broken = checkInvariants(bench.pool, outcome)
    if (broken.length > 0) throw new Error(`seed ${seed}, operation ${index}: ${broken.join('; ')}`)
    count(tally, outcome, bench)
  }
  if (!isReplayed) return
  const again = aPool(parts)
  for (const op of bench.log) again.apply(op)
  if (fingerprint(again) !== fingerprint(bench.pool))
    throw new Error(`seed ${seed}: replay differs`)
}

function count(tally: FuzzTally, { results, dropped }: Outcome, { pool }: Bench): void {
  tally.operations++
  tally.offered += results.length
  for (const result of results) {
    if (result.ok) tally.accepted++
    else tally.codes.set(result.code, (tally.codes.get(result.code) ?? 0) + 1)
  }
  for (const { reason } of dropped) tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1)
  if (pool.stats.slots >= config.globalSlots + config.globalQueue) tally.full++
}

class Life {
  private state: number
  private readonly bench: Bench
  private readonly chain: MinedBlock[] = []
  private head = 0
  private gasLimit = 30_000_000

  constructor(seed: number, bench: Bench) {
    this.state = seed | 0
    this.bench = bench
  }

  step(): Outcome {
    const { bench } = this
    const dice = this.below(100)
    if (dice < 68) return this.add()
    if (dice < 78) return this.mine(this.below(4))
    if (dice < 82) return this.reorg()
    if (dice < 84) return this.emptyHead()
    if (dice < 86) return this.missing()
    if (dice < 89)
      return bench.apply({ op: 'setGasTip', now: bench.now, tip: BigInt(1 + this.below(6)) })
    if (dice < 96) {
      bench.now += this.pick([0, 1_000, 30_000, 60_001])
      return bench.apply({ op: 'expire', now: bench.now })
    }
    if (dice < 99) return this.drop()
    if (this.below(6) === 0) return bench.apply({ op: 'clear', now: bench.now })
    return bench.apply({ op: 'reheap', now: bench.now })
  }

  private add(): Outcome {
    const txs = Array.from({ length: 1 + this.below(4) }, () => this.transaction())
    return this.bench.add(...txs.filter(({ gas }) => gas <= this.gasLimit))
  }

  private transaction(): TxRecord {
    const from = this.below(accounts)
    const { nonce } = this.bench.account(from)
    const next = this.bench.pool.nonce(addressAt(from)) ?? nonce
    const at = this.below(10) < 6 ? next : nonce + BigInt(this.below(7))
    const price = 4 + this.below(40)
    return aTx({
      from,
      nonce: at,
      feeCap: price + this.below(10),
      tip: price,
      gas: this.below(12) === 0 ? this.pick([50_000, 16_777_217]) : 21_000,
      slots: this.pick([1, 1, 1, 1, 2, 4]),
      authorities: this.below(25) === 0 ? [addressAt(this.below(accounts))] : [],
    })
  }

  private mine(count: number): Outcome {
    const best = this.bench.pool.select({ gas: 100_000_000, bytes: 1_000_000, baseFee: 0n })
    // Somebody else's transaction at a nonce this pool holds another for, too.
    const wanted =
      this.below(4) === 0 ? best.slice(0, count).map(tx => this.twin(tx)) : best.slice(0, count)
    const txs = this.applyBlock(wanted)
    this.changeFunds()
    return this.arrive({ included: new Set(txs.map(({ hash }) => hash)) })
  }

  private twin(tx: TxRecord): TxRecord {
    return aTx({ from: tx.sender, nonce: tx.nonce, feeCap: tx.feeCap, tip: tx.tip, salt: 1 })
  }

  private reorg(): Outcome {
    const depth = 1 + this.below(3)
    const gone = this.chain.splice(Math.max(0, this.chain.length - depth))
    const [lowest] = gone
    if (lowest !== undefined) {
      this.bench.state.clear()
      for (const [address, view] of lowest.before) this.bench.state.set(address, view)
    }
    const discarded = gone.flatMap(({ txs }) => txs)
    const block = this.applyBlock(discarded.slice(0, this.below(3)))
    this.changeFunds()
    const included = new Set(block.map(({ hash }) => hash))
    const kind = this.below(4) === 0 ? 'deep' : 'reorg'
    const outcome = this.arrive({ kind, discarded, included })
    this.checkFates(discarded, included, outcome)
    return outcome
  }

  /** Of a branch that left, each transaction is pooled, in the new branch, or told with its reason. */
  private checkFates(
    discarded: readonly TxRecord[],
    included: ReadonlySet<string>,
    { dropped }: Outcome,
  ): void {
    const { pool } = this.bench
    // Nobody is told of what geth loses there (Q7).
    if (pool.compat === 'geth') return
    const told = new Set<string>(dropped.map(({ hash }) => hash))
    for (const { hash } of discarded) {
      if (pool.has(hash) || included.has(hash) || told.has(hash)) continue
      throw new Error(`${hash} left with its branch and nobody was told`)
    }
  }

  private emptyHead(): Outcome {
    this.gasLimit = this.pick([30_000_000, 30_000_000, 40_000])
    return this.arrive({}, BigInt(this.below(50)))
  }

  private missing(): Outcome {
    this.head += 1
    return this.bench.resetMissing({ number: this.head, gasLimit: this.gasLimit })
  }

  private drop(): Outcome {
    const { bench } = this
    const hashes = [...bench.pool.inspect().holdings.all.keys()]
    const hash = hashes[this.below(hashes.length + 1)] ?? aTx({ salt: 99 }).hash
    const reason = this.below(2) === 0 ? ({ reason: 'journal-failed' } as const) : {}
    return bench.apply({ op: 'drop', now: bench.now, hash, ...reason })
  }

  private arrive(path: Parameters<Bench['reset']>[0], baseFee = 7n): Outcome {
    this.head += 1
    return this.bench.reset(path, {
      number: this.head,
      baseFee,
      gasLimit: this.gasLimit,
      gasUsed: 0,
    })
  }

  private applyBlock(wanted: readonly TxRecord[]): readonly TxRecord[] {
    const { bench } = this
    const before = new Map(bench.state)
    const txs = wanted.filter(tx => {
      const view = bench.state.get(tx.sender) ?? anAccount()
      if (view.nonce !== tx.nonce) return false
      bench.state.set(tx.sender, { ...view, nonce: tx.nonce + 1n })
      return true
    })
    this.chain.push({ txs, before })
    return txs
  }

  private changeFunds(): void {
    if (this.below(3) > 0) return
    const balance = this.pick([0n, 500_000n, 2_000_000n, 10n ** 18n, 10n ** 18n])
    this.bench.set(this.below(accounts), { balance })
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  /** A whole number below `end`. */
  private below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let word = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) % end
  }
}
