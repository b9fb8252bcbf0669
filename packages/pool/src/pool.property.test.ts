import type { Address, TxRecord } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PoolAccountView } from './entry.ts'
import { checkInvariants, fingerprint } from './invariants.ts'
import { addressAt, anAccount, aPool, aTx, Bench } from './testing.ts'

/** What a random history is made of. Accounts 0 to 3, small nonces and fees, so that everything meets. */
type Step =
  | { kind: 'add'; txs: TxRecord[] }
  | { kind: 'mine'; count: number; funds: number | undefined }
  | { kind: 'reorg'; depth: number; count: number; funds: number | undefined }
  | { kind: 'tip'; tip: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'drop'; pick: number }
  | { kind: 'head'; baseFee: number; gasLimit: number }

const transaction = fc
  .record({
    from: fc.nat(3),
    nonce: fc.nat(9),
    price: fc.integer({ min: 1, max: 40 }),
    gas: fc.constantFrom(21_000, 21_000, 50_000),
    slots: fc.constantFrom(1, 1, 1, 2, 4),
    authority: fc.option(fc.nat(3), { nil: undefined, freq: 12 }),
  })
  .map(({ authority, ...wish }) =>
    aTx({ ...wish, authorities: authority === undefined ? [] : [addressAt(authority)] }),
  )
const funds = fc.option(fc.constantFrom(0, 500_000, 1_500_000, 3_000_000), { nil: undefined })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      txs: fc.array(transaction, { maxLength: 6 }),
    }),
  },
  fc.record({ kind: fc.constant('mine' as const), count: fc.nat(5), funds }),
  fc.record({
    kind: fc.constant('reorg' as const),
    depth: fc.integer({ min: 1, max: 3 }),
    count: fc.nat(4),
    funds,
  }),
  fc.record({ kind: fc.constant('tip' as const), tip: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 1_000, 60_000) }),
  fc.record({ kind: fc.constant('drop' as const), pick: fc.nat(20) }),
  fc.record({
    kind: fc.constant('head' as const),
    baseFee: fc.nat(50),
    gasLimit: fc.constantFrom(30_000_000, 40_000),
  }),
)
const history = fc.array(step, { minLength: 1, maxLength: 40 })

interface MinedBlock {
  readonly txs: readonly TxRecord[]
  readonly before: ReadonlyMap<Address, PoolAccountView>
}

/** Plays a step; blocks are made of what the pool itself would put into them. */
function play(bench: Bench, chain: MinedBlock[], { ...step }: Step) {
  switch (step.kind) {
    case 'add':
      // The static checks in front of the pool let nothing through that no block can hold.
      return bench.add(...step.txs.filter(({ gas }) => gas <= bench.pool.head.gasLimit))
    case 'mine': {
      const txs = mine(bench, chain, step.count)
      changeFunds(bench, step.funds)
      return bench.reset({ included: new Set(txs.map(({ hash }) => hash)) })
    }
    case 'reorg': {
      const gone = chain.splice(Math.max(0, chain.length - step.depth))
      const [lowest] = gone
      if (lowest !== undefined) {
        bench.state.clear()
        for (const [address, view] of lowest.before) bench.state.set(address, view)
      }
      const discarded = gone.flatMap(({ txs }) => txs)
      const again = discarded.slice(0, step.count)
      const block = applyBlock(bench, chain, again)
      changeFunds(bench, step.funds)
      const included = new Set(block.map(({ hash }) => hash))
      return bench.reset({ kind: 'reorg', discarded, included })
    }
    case 'tip':
      return bench.apply({ op: 'setGasTip', now: bench.now, tip: BigInt(step.tip) })
    case 'wait':
      bench.now += step.ms
      return bench.apply({ op: 'expire', now: bench.now })
    case 'drop': {
      const hashes = [...bench.pool.inspect().holdings.all.keys()]
      const hash = hashes[step.pick] ?? aTx({ salt: 99 }).hash
      return bench.apply({ op: 'drop', now: bench.now, hash })
    }
    case 'head':
      return bench.reset({}, { baseFee: BigInt(step.baseFee), gasLimit: step.gasLimit, gasUsed: 0 })
  }
}

function mine(bench: Bench, chain: MinedBlock[], count: number): readonly TxRecord[] {
  const best = bench.pool.select({ gas: 30_000_000, bytes: 1_000_000, baseFee: 0n })
  return applyBlock(bench, chain, best.slice(0, count))
}

function applyBlock(bench: Bench, chain: MinedBlock[], wanted: readonly TxRecord[]) {
  const before = new Map(bench.state)
  const txs = wanted.filter(tx => {
    const view = bench.state.get(tx.sender) ?? anAccount()
    if (view.nonce !== tx.nonce || view.balance < tx.cost) return false
    const spent = { ...view, nonce: view.nonce + 1n, balance: view.balance - tx.cost }
    bench.state.set(tx.sender, spent)
    return true
  })
  chain.push({ txs, before })
  return txs
}

function changeFunds(bench: Bench, funds: number | undefined): void {
  if (funds !== undefined) bench.set(funds % 4, { balance: BigInt(funds) })
}

const crowded = {
  config: { globalSlots: 8, globalQueue: 6, accountSlots: 2, accountQueue: 4, lifetimeMs: 60_000 },
}

test('whatever happens, in a crowded pool too, every invariant holds after every operation', () => {
  fc.assert(
    fc.property(history, fc.boolean(), (steps, isCrowded) => {
      const bench = new Bench(isCrowded ? crowded : {})
      const chain: MinedBlock[] = []
      for (const next of steps) {
        const outcome = play(bench, chain, next)
        expect(checkInvariants(bench.pool, outcome)).toEqual([])
      }
    }),
    { numRuns: 250 },
  )
})

test('the same log gives the same outcomes and the same pool', () => {
  fc.assert(
    fc.property(history, steps => {
      const bench = new Bench(crowded)
      const chain: MinedBlock[] = []
      const told = steps.map(next => play(bench, chain, next))

      const replayed = aPool(crowded)
      const again = bench.log.map(op => replayed.apply(op))

      expect(again).toEqual(told)
      expect(fingerprint(replayed)).toBe(fingerprint(bench.pool))
    }),
    { numRuns: 60 },
  )
})

test('where no cap is reached the pool is what a model of ten lines says: pending is what follows the account nonce without a gap', () => {
  fc.assert(
    fc.property(history, steps => {
      const bench = new Bench({ config: { accountQueue: 1_000 } })
      const model = new Model(bench)
      const chain: MinedBlock[] = []
      for (const next of steps) {
        const before = bench.log.length
        play(bench, chain, next)
        for (const op of bench.log.slice(before)) model.apply(op)
        expect(contentOf(bench)).toEqual(model.content())
      }
    }),
    { numRuns: 150 },
  )
})

type AnyOp = Bench['log'][number]

/** The pool without caps and without structures: transactions by account and nonce; pending is derived after every operation. */
class Model {
  private readonly held = new Map<Address, Map<bigint, TxRecord>>()
  private readonly views = new Map<Address, PoolAccountView>()
  private readonly pendingEnd = new Map<Address, { first: bigint; end: bigint }>()
  private tip = 1n
  private readonly bench: Bench

  constructor(bench: Bench) {
    this.bench = bench
  }

  apply(op: AnyOp): void {
    if (op.op === 'add' || op.op === 'reset') {
      if (op.op === 'reset') this.views.clear()
      for (const [address, view] of op.accounts) this.views.set(address, view)
    }
    if (op.op === 'add') for (const tx of op.txs) this.add(tx)
    if (op.op === 'reset' && op.path.kind !== 'missing') {
      for (const tx of op.path.discarded) {
        if (op.path.kind === 'reorg' && !op.path.included.has(tx.hash)) this.add(tx)
      }
      const gasLimit = BigInt(op.new.gasLimit)
      this.dropWhere(
        tx =>
          tx.nonce < this.view(tx).nonce || tx.cost > this.view(tx).balance || tx.gas > gasLimit,
      )
    }
    if (op.op === 'setGasTip') {
      const { tip } = op
      if (tip > this.tip) this.dropWhere(tx => tx.tip < tip)
      this.tip = tip
    }
    if (op.op === 'drop') this.dropWhere(tx => tx.hash === op.hash)
    this.settle()
  }

  content() {
    const halves = { pending: new Map<string, unknown>(), queued: new Map<string, unknown>() }
    for (const [address, txs] of this.held) {
      const sorted = [...txs.values()].sort((left, right) => (left.nonce < right.nonce ? -1 : 1))
      const isPending = (tx: TxRecord) => this.isPending(tx)
      const pending = sorted.filter(isPending).map(({ hash }) => hash)
      const queued = sorted.filter(tx => !isPending(tx)).map(({ hash }) => hash)
      if (pending.length > 0) halves.pending.set(address, pending)
      if (queued.length > 0) halves.queued.set(address, queued)
    }
    return halves
  }

  private add(tx: TxRecord): void {
    const txs = this.held.get(tx.sender) ?? new Map<bigint, TxRecord>()
    const view = this.view(tx)
    const old = txs.get(tx.nonce)
    if (tx.tip < this.tip || tx.nonce < view.nonce || tx.cost > view.balance) return
    const pending = [...txs.values()].filter(other => this.isPending(other))
    const spent = pending
      .filter(({ nonce }) => nonce !== tx.nonce)
      .reduce((sum, { cost }) => sum + cost, 0n)
    if (spent + tx.cost > view.balance) return
    if (this.isDelegated(tx.sender)) {
      const isFree =
        pending.length === 0 ? tx.nonce === view.nonce : pending.includes(old as TxRecord)
      if (!isFree) return
    }
    if (tx.authorities.some(authority => (this.held.get(authority)?.size ?? 0) > 1)) return
    if (old !== undefined) {
      if (tx.feeCap <= old.feeCap) return
      if (tx.feeCap < (old.feeCap * 110n) / 100n) return
    }
    txs.set(tx.nonce, tx)
    this.held.set(tx.sender, txs)
  }

  private isDelegated(address: Address): boolean {
    for (const txs of this.held.values()) {
      for (const tx of txs.values()) if (tx.authorities.includes(address)) return true
    }
    return false
  }

  private dropWhere(isGone: (tx: TxRecord) => boolean): void {
    for (const txs of this.held.values()) {
      for (const tx of txs.values()) if (isGone(tx)) txs.delete(tx.nonce)
    }
  }

  private settle(): void {
    for (const [address, txs] of this.held) {
      if (txs.size === 0) {
        this.held.delete(address)
        this.pendingEnd.delete(address)
        continue
      }
      const first = this.views.get(address)?.nonce ?? 0n
      let end = first
      while (txs.has(end)) end++
      this.pendingEnd.set(address, { first, end })
    }
  }

  private isPending({ sender, nonce }: TxRecord): boolean {
    const range = this.pendingEnd.get(sender)
    return range !== undefined && nonce >= range.first && nonce < range.end
  }

  private view(tx: TxRecord): PoolAccountView {
    return this.views.get(tx.sender) ?? this.bench.state.get(tx.sender) ?? anAccount()
  }
}

function contentOf(bench: Bench) {
  const { pending, queued } = bench.pool.content()
  const hashes = (half: ReadonlyMap<string, readonly TxRecord[]>) =>
    new Map([...half].map(([address, txs]) => [address, txs.map(({ hash }) => hash)]))
  return { pending: hashes(pending), queued: hashes(queued) }
}
