import { type Block, type Code, failed, type Hash, type TxRecord } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { chronicle, tellRefused } from './chronicle.ts'
import { defaultPoolConfig, type PoolConfig } from './config.ts'
import { accountNeeded, explain } from './explain.ts'
import type { Sources } from './explain-sources.ts'
import { dropSentence } from './explain-words.ts'
import type { DropReason, Op, Outcome } from './op.ts'
import { Stories } from './stories.ts'
import { addressAt, aHead, anAccount, aTx, Bench } from './testing.ts'

describe('a pending transaction', () => {
  test('says that it waits for the next block, and where it stands', () => {
    const room = new Room()
    const [cheap, dear] = [aTx({ from: 0, price: 1_000 }), aTx({ from: 1, price: 2_000 })]
    room.add(cheap, dear)

    expect(room.why(dear)).toMatchObject({
      state: 'pending',
      reason: 'executable',
      why: 'Executable: it waits for the next block.',
      place: { accountNonce: 0n, poolNonce: 1n, missing: [], evictionRank: 1, evictionOf: 2 },
      tx: { from: addressAt(1), maxFeePerGas: 2_000n, slots: 1, size: 110 },
    })
    expect(room.why(cheap).place?.evictionRank).toBe(0)
  })

  test('says what base fee it waits for', () => {
    const room = new Room()
    const tx = aTx({ feeCap: 5, tip: 1 })
    room.add(tx)

    expect(room.why(tx)).toMatchObject({
      reason: 'below-base-fee',
      why: 'Waiting for a lower base fee: the next block asks for 7 wei per gas, this pays at most 5.',
      unblock: [
        { do: 'wait', baseFeeAtMost: 5n },
        { do: 'replace', maxFeePerGas: 8n, maxPriorityFeePerGas: 2n },
      ],
      place: { belowBaseFee: true, effectiveTip: -2n },
    })
  })

  test('says what the account lacks for it and those before it', () => {
    const room = new Room()
    room.set(0, { balance: 50_000_000n })
    const txs = [aTx({ nonce: 0 }), aTx({ nonce: 1 })] as const
    room.add(...txs)
    room.set(0, { balance: 30_000_000n })
    room.reset()

    expect(room.why(txs[0]).reason).toBe('executable')
    expect(room.why(txs[1])).toMatchObject({
      reason: 'overdraft',
      why: 'Executable, but with everything before it the account lacks 12000200 wei to pay for it.',
      unblock: [{ do: 'fund', address: addressAt(0), wei: 12_000_200n }],
    })
  })

  test('says what the last block took at least, if it was here then and pays less', () => {
    const room = new Room()
    const tx = aTx({ price: 100 })
    room.add(tx)
    room.cheapest = { tip: 500n, at: 10 }

    expect(room.why(tx)).toMatchObject({
      reason: 'not-selected',
      why: 'Executable, but its tip of 93 wei per gas is below the lowest of the last block, 500.',
      unblock: [{ do: 'wait' }, { do: 'replace', maxFeePerGas: 507n, maxPriorityFeePerGas: 500n }],
    })
    room.cheapest = { tip: 500n, at: 0 }
    expect(room.why(tx).reason).toBe('executable')
  })
})

describe('a waiting transaction', () => {
  test('names the missing nonce, and until when it waits', () => {
    const room = new Room()
    room.set(0, { nonce: 6n })
    const tx = aTx({ nonce: 8 })
    room.add(aTx({ nonce: 6 }), tx)

    expect(room.why(tx)).toMatchObject({
      state: 'queued',
      reason: 'nonce-gap',
      why: 'Waiting for nonce 7: the account is at 6 and 7 never arrived.',
      until: 10_800_000,
      unblock: [{ do: 'send', nonce: 7n }],
      place: { missing: [7n], missingCount: 1n, poolNonce: 7n },
    })
  })

  test('names sixteen missing nonces and counts all', () => {
    const room = new Room()
    const tx = aTx({ nonce: 60 })
    room.add(aTx({ nonce: 3 }), tx)

    const { why, place, unblock } = room.why(tx)
    expect(place?.missing).toEqual([
      0n,
      1n,
      2n,
      ...Array.from({ length: 13 }, (_, n) => BigInt(n + 4)),
    ])
    expect(place?.missingCount).toBe(59n)
    expect(why).toMatch(
      /^Waiting for nonces 0, 1, 2, 4, .* and more \(59 in all\): the account is at 0 and 59 never arrived\.$/,
    )
    expect(unblock).toHaveLength(16)
  })

  test('names the transaction before it that was dropped, and why', () => {
    const room = new Room()
    const [parent, tx] = [aTx({ nonce: 0 }), aTx({ nonce: 1 })]
    room.add(parent, tx)
    room.apply({ op: 'drop', now: 0, hash: parent.hash })

    expect(room.why(tx)).toMatchObject({
      reason: 'parent-dropped',
      why: `Waiting for nonce 0: ${parent.hash} had it and left the pool (removed-by-operator).`,
      unblock: [{ do: 'resend', hash: parent.hash, nonce: 0n }],
    })
  })

  test('names the transaction before it whose tip is below the minimum', () => {
    const room = new Room()
    const [parent, tx] = [aTx({ nonce: 0, tip: 5 }), aTx({ nonce: 1, tip: 50 })]
    room.add(parent, tx)
    room.apply({ op: 'setGasTip', now: 0, tip: 10n })

    expect(room.why(tx)).toMatchObject({
      reason: 'parent-below-tip',
      why: `Waiting for nonce 0: ${parent.hash} has it and its tip of 5 wei is below the minimum of 10.`,
      unblock: [{ do: 'raise', hash: parent.hash, maxPriorityFeePerGas: 10n }],
    })
  })

  test('says that its turn has come and nobody looked yet', () => {
    const room = new Room()
    const tx = aTx({ nonce: 1 })
    room.set(0, { nonce: 1n })
    room.add(tx)
    const entry = room.pool.entry(tx.hash)
    if (entry === undefined) throw new Error('it is pooled')
    room.pool.inspect().holdings.park(entry.account, entry.account.pending.cutFrom(1n), 0)
    entry.half = 'queued'

    expect(room.why(tx)).toMatchObject({
      reason: 'behind-pending',
      why: 'Its turn has come, but the pool looks at this account again only with its next transaction or the next block.',
    })
  })
})

describe('a transaction that is not here', () => {
  test('whose signature is being checked says how many are before it', () => {
    const room = new Room()
    room.position = 12

    expect(room.why(aTx())).toMatchObject({
      state: 'recovering',
      why: 'Its signature is being checked, 12 before it.',
    })
  })

  test('that was mined says where', () => {
    const room = new Room()
    const txs = [aTx({ from: 0 }), aTx({ from: 1 })] as const
    room.add(...txs)
    room.mine(txs)

    expect(room.why(txs[1])).toMatchObject({
      state: 'mined',
      reason: 'mined',
      why: 'Mined in block 1 at index 1.',
      block: { number: 1n, index: 1n },
    })
    expect(room.words(txs[1])).toEqual(['received gossip', 'pending', 'mined mined'])
  })

  test('that came back from a block says so, and is pending again', () => {
    const room = new Room()
    const tx = aTx()
    room.add(tx)
    room.mine([tx])
    room.set(0, { nonce: 0n })
    room.reset({ kind: 'reorg', discarded: [tx] }, { number: 1 })

    expect(room.why(tx)).toMatchObject({ state: 'pending' })
    expect(room.words(tx)).toEqual(['received gossip', 'pending', 'mined mined', 'reinjected'])
  })

  test('that was replaced names the other, which names it', () => {
    const room = new Room()
    const [old, next] = [aTx({ price: 1_000 }), aTx({ price: 2_000 })]
    room.add(old)
    room.add(next)

    expect(room.why(old)).toMatchObject({
      state: 'dropped',
      reason: 'replaced',
      why: `Replaced by ${next.hash}, which pays more for the same nonce.`,
      by: next.hash,
      resend: { accepted: false, code: 'pool/replacement-underpriced' },
      unblock: [{ do: 'raise', maxFeePerGas: 2_200n, maxPriorityFeePerGas: 2_200n }],
    })
    expect(room.words(next)).toEqual(['received gossip', 'pending', 'replaces'])
    expect(room.why(next).story.at(-1)?.other).toBe(old.hash)
  })

  test('that was pushed out names who pays more, and what it would have to pay', () => {
    const room = new Room({ globalSlots: 2, globalQueue: 1 })
    const old = aTx({ from: 0, price: 10 })
    room.add(old, aTx({ from: 1, price: 20 }), aTx({ from: 2, price: 20 }))
    const dear = aTx({ from: 3, price: 30 })
    room.add(dear)

    expect(room.why(old)).toMatchObject({
      reason: 'evicted-price',
      why: `Dropped: the pool was full and ${dear.hash} pays more.`,
      resend: { accepted: false, code: 'pool/underpriced' },
      unblock: [{ do: 'raise' }],
    })
  })

  test('that came again and left for another reason names nobody of the first time', () => {
    const room = new Room()
    const [tx, other] = [aTx({ price: 1_000 }), aTx({ price: 2_000 })]
    room.add(tx)
    room.add(other)
    room.apply({ op: 'drop', now: 0, hash: other.hash })
    room.add(tx)
    room.apply({ op: 'drop', now: 0, hash: tx.hash })

    expect(room.why(tx)).toMatchObject({ reason: 'removed-by-operator' })
    expect(room.why(tx)).not.toHaveProperty('by')
    expect(room.why(tx).story.every(({ other: by }) => by === undefined)).toBe(true)
  })

  test('that was dropped and would be taken now says so', () => {
    const room = new Room()
    const tx = aTx({ nonce: 2 })
    room.add(tx)
    room.now = 10_800_001
    room.apply({ op: 'expire', now: room.now })

    expect(room.why(tx)).toMatchObject({
      reason: 'expired',
      resend: { accepted: true },
      unblock: [{ do: 'resend', hash: tx.hash }],
    })
  })

  test('that was refused says with what words, and what would be enough', () => {
    const room = new Room()
    room.set(0, { balance: 1_000n, nonce: 3n })
    const [poor, late] = [aTx({ nonce: 3 }), aTx({ nonce: 1 })]
    room.add(poor, late)

    expect(room.why(poor)).toMatchObject({
      state: 'rejected',
      reason: 'pool/insufficient-funds',
      why: 'Refused: insufficient funds for gas * price + value: balance 1000, tx cost 21000100, overshot 20999100.',
      unblock: [{ do: 'fund', wei: 20_999_100n }, { do: 'resend' }],
    })
    expect(room.why(late)).toMatchObject({
      reason: 'pool/nonce-too-low',
      unblock: [{ do: 'send', nonce: 3n }],
    })
    expect(room.words(late)).toEqual(['received gossip', 'rejected pool/nonce-too-low'])
  })

  test('that was refused in front of the pool is told of too', () => {
    const room = new Room()
    const tx = aTx({ tip: 0, feeCap: 9 })
    const failure = failed('pool/intrinsic-gas')
    tellRefused(room.stories, 'local', [{ tx, failure }], room.telling())

    expect(room.why(tx)).toMatchObject({
      reason: 'pool/intrinsic-gas',
      why: 'Refused: intrinsic gas too low.',
      unblock: [{ do: 'raise', maxPriorityFeePerGas: 1n }],
    })
  })

  test('that nobody knows says what the pool remembers', () => {
    const room = new Room()
    const { hash } = aTx()

    expect(room.why({ hash })).toMatchObject({
      state: 'unknown',
      why: 'Never seen here, or forgotten: the pool remembers 64 transactions that are not in it, now 0.',
      unblock: [{ do: 'resend', hash }],
    })
    room.add(aTx({ from: 1, tip: 0 }))
    expect(room.why({ hash }).why).toBe(
      'Never seen here, or forgotten: the pool remembers 64 transactions that are not in it, now 1.',
    )
    expect(new Room({}, 0).why({ hash }).why).toBe(
      'Not in the pool; the pool is told to remember nothing (txpool.stories is 0).',
    )
  })

  test.each<[DropReason | 'local-expired', string]>([
    ['mined', 'Mined.'],
    ['nonce-used', 'Dropped: another transaction used its nonce 4.'],
    ['unpayable', 'Dropped: the account could no longer pay for it.'],
    ['gas-over-block', 'Dropped: it burns more gas than a block now has.'],
    ['gas-cap', 'Dropped: it burns more gas than the fork that came allows one transaction.'],
    ['replaced', 'Replaced by another transaction, which pays more for the same nonce.'],
    ['evicted-price', 'Dropped: the pool was full and another transaction pays more.'],
    [
      'truncated-pending',
      'Dropped: too many executable transactions, and its sender had the most of them.',
    ],
    [
      'truncated-queue',
      'Dropped: too many waiting transactions, and its sender was the longest without a sign of life.',
    ],
    ['account-queue-cap', 'Dropped: its sender has too many waiting transactions.'],
    ['expired', 'Dropped: it waited too long for a missing nonce.'],
    ['expired-pending', 'Dropped: it was executable too long without being mined.'],
    ['tip-below-minimum', 'Dropped: the minimum tip was raised above its own.'],
    [
      'reorg-lost',
      'Dropped: its block left the chain and the pool could not take it back (pool/full).',
    ],
    [
      'reorg-too-deep',
      'Dropped: its block left the chain by a reorg too deep to bring transactions back.',
    ],
    ['local-expired', 'Given up: it was followed as long as the configuration says.'],
    ['journal-failed', 'Taken back: it could not be written to the journal.'],
    ['removed-by-operator', 'Removed by the operator.'],
    ['cleared', 'Dropped: the pool was emptied.'],
  ])('that left as %s has a sentence', (reason, sentence) => {
    expect(dropSentence(reason, { nonce: 4n, message: 'pool/full' })).toBe(sentence)
  })

  test('by a reason without a sentence says the reason', () => {
    expect(dropSentence('pool/full', {})).toBe('Not in the pool: pool/full.')
  })
})

describe('an address', () => {
  test('answers with both halves, gaps, sums and when what waits expires', () => {
    const room = new Room()
    const txs = [aTx({ nonce: 0 }), aTx({ nonce: 2 }), aTx({ nonce: 4 })]
    room.add(...txs)

    expect(explain({ subject: addressAt(0) }, room.sources())).toMatchObject({
      subject: `address ${addressAt(0)}`,
      state: 'account',
      reason: 'nonce-gap',
      why: '1 executable, 2 waiting; 2 missing, the first is nonce 1.',
      unblock: [
        { do: 'send', nonce: 1n },
        { do: 'send', nonce: 3n },
      ],
      account: {
        ...{ nonce: 0n, poolNonce: 1n, balance: 10n ** 18n, totalCost: 63_000_300n },
        pending: [{ nonce: 0n, reason: 'executable' }],
        queued: [{ nonce: 2n, reason: 'nonce-gap' }, { nonce: 4n }],
        ...{ missing: [1n, 3n], delegated: false, authorizations: 0, beat: 0, expires: 10_800_000 },
      },
    })
  })

  test('with nothing here answers from the chain, if that can be asked', () => {
    const { sources } = new Room()
    const subject = addressAt(9)

    expect(accountNeeded(subject, sources())).toBe(subject)
    expect(explain({ subject, view: anAccount({ nonce: 5n }) }, sources())).toMatchObject({
      reason: 'empty',
      why: 'Nothing of it is in the pool; its next nonce is 5.',
    })
    expect(explain({ subject }, sources())).toMatchObject({
      reason: 'state-missing',
      why: 'Nothing of it is in the pool, and its account cannot be read now.',
    })
  })
})

describe('stories', () => {
  test('keep the first four events and the last twelve', () => {
    const room = new Room()
    const tx = aTx()
    room.add(tx)
    for (let turn = 1; turn <= 40; turn++) {
      room.stories.happened(tx.hash, 'resubmitted', { ...room.telling(), cause: turn })
    }
    const causes = room.why(tx).story.map(({ cause }) => cause)
    expect(causes).toHaveLength(16)
    expect(causes.slice(2)).toEqual([1, 2, ...Array.from({ length: 12 }, (_, n) => 29 + n)])
  })

  test('of refused ones do not push out those of dropped ones, and each kind has its bound', () => {
    const room = new Room()
    const dropped = Array.from({ length: 40 }, (_, from) => aTx({ from }))
    room.add(...dropped)
    for (const { hash } of dropped) room.apply({ op: 'drop', now: 0, hash })
    for (let from = 0; from < 200; from++) room.add(aTx({ from: 1_000 + from, tip: 0, feeCap: 9 }))

    expect(room.stories.kept).toBe(32 + 24)
    expect(dropped.map(tx => room.why(tx).state).filter(state => state === 'dropped')).toHaveLength(
      32,
    )
    expect(room.why(dropped[7] as TxRecord).state).toBe('unknown')
    expect(room.stories.size).toBe(56)
  })

  test('are of what the pool holds as long as it holds it, whatever is tried with its bytes', () => {
    const room = new Room()
    const tx = aTx()
    room.add(tx)
    tellRefused(
      room.stories,
      'local',
      [{ tx, failure: failed('pool/full' as Code) }],
      room.telling(),
    )
    for (let from = 1; from < 200; from++) room.add(aTx({ from, tip: 0, feeCap: 9 }))

    expect(room.words(tx)).toEqual(['received gossip', 'pending'])
  })

  test('every drop of the core has a word of its own', () => {
    const room = new Room({ accountQueue: 2 })
    const txs = [5, 6, 7, 8].map(nonce => aTx({ nonce }))
    room.add(...txs)

    expect(txs.map(tx => room.why(tx).reason)).toEqual([
      ...['nonce-gap', 'nonce-gap', 'account-queue-cap', 'account-queue-cap'],
    ])
  })

  test('with none to be kept nothing is told and the pool still explains what it holds', () => {
    const room = new Room({}, 0)
    const tx = aTx({ nonce: 1 })
    room.add(tx)

    expect(room.why(tx)).toMatchObject({ reason: 'nonce-gap', story: [] })
    expect(room.stories.size).toBe(0)
  })
})

/** A pool whose outcomes are told. */
class Room extends Bench {
  readonly stories: Stories
  cheapest: Sources['cheapest']
  position: number | undefined
  turn = 0
  private blocks: readonly Block[] = []
  private readonly poolConfig: PoolConfig

  constructor(config: Partial<PoolConfig> = {}, max = 64) {
    super({ config })
    this.poolConfig = { ...defaultPoolConfig, ...config }
    this.stories = new Stories({ max, isOwn: () => false })
  }

  override apply(op: Op): Outcome {
    const outcome = super.apply(op)
    this.turn += 1
    const { blocks } = this
    chronicle(this.stories, this.pool, { op, outcome, blocks }, this.telling())
    this.blocks = []
    return outcome
  }

  telling() {
    return { now: this.now, cause: this.turn, block: this.pool.head.number }
  }

  mine(txs: readonly TxRecord[]): void {
    for (const { sender, nonce } of txs) this.state.set(sender, anAccount({ nonce: nonce + 1n }))
    const header = aHead({ number: 1 }) as unknown as Block['header']
    this.blocks = [{ header, txs, seal: new Uint8Array(0), size: 0 }]
    this.reset({ included: new Set(txs.map(({ hash }) => hash)) })
  }

  readonly sources = (): Sources => ({
    config: this.poolConfig,
    pool: this.pool,
    stories: this.stories,
    tracker: undefined,
    recovering: () => this.position,
    cheapest: this.cheapest,
  })

  why({ hash }: { readonly hash: Hash }) {
    const tx = this.stories.find(hash)?.tx
    const sender = tx !== undefined && 'sender' in tx ? tx.sender : undefined
    const view = sender === undefined ? undefined : (this.state.get(sender) ?? anAccount())
    return explain({ subject: hash, ...(view && { view }) }, this.sources())
  }

  words({ hash }: { readonly hash: Hash }): string[] {
    return this.why({ hash }).story.map(({ event, reason }) =>
      reason === undefined ? event : `${event} ${reason}`,
    )
  }
}
