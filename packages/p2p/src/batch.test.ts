import { decodeTxFrame, type Hash, limits, type TxRecord } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Batch, createBatcher, encodeBatch } from './batch.ts'
import { aTx } from './testkit/wallets.ts'

const template = aTx()
let made = 0

/** A record with only what a batcher looks at; not signed, not of any chain. */
function aRecord(wish: { from?: number; nonce?: number; size?: number } = {}): TxRecord {
  const { from = 1, nonce = 0, size = 100 } = wish
  const raw = new Uint8Array(size).fill(1)
  new DataView(raw.buffer).setUint32(0, ++made)
  return {
    ...template,
    raw,
    hash: `0x${made.toString(16).padStart(64, '0')}` as Hash,
    sender: `0x${from.toString(16).padStart(40, '0')}` as TxRecord['sender'],
    nonce: BigInt(nonce),
  }
}

function all(batcher: ReturnType<typeof createBatcher>): Batch[] {
  batcher.close()
  const out: Batch[] = []
  for (let batch = batcher.take(); batch; batch = batcher.take()) out.push(batch)
  return out
}

const newBatcher = () => createBatcher({ salt: () => 77 })

describe('a batch ends', () => {
  test('at 64 transactions and not at 63', () => {
    const batcher = newBatcher()
    for (let i = 0; i < 63; i++) batcher.add(aRecord(), false, 0)
    expect(batcher.waiting).toBe(0)

    batcher.add(aRecord(), false, 0)

    expect(batcher.waiting).toBe(1)
    expect(batcher.dueMs).toBeUndefined()
  })

  test('before it would pass 16 KiB', () => {
    const batcher = newBatcher()
    batcher.add(aRecord({ size: limits.batchBytes - 100 }), false, 0)
    batcher.add(aRecord({ size: 100 }), false, 0)
    expect(batcher.waiting).toBe(0)

    batcher.add(aRecord({ size: 100 }), false, 0)

    expect(all(batcher).map(({ txs }) => txs.length)).toEqual([2, 1])
  })

  test('15 ms after its first transaction, whatever comes later', () => {
    const batcher = newBatcher()
    expect(batcher.dueMs).toBeUndefined()
    batcher.add(aRecord(), false, 1_000)
    batcher.add(aRecord(), false, 1_010)

    expect(batcher.dueMs).toBe(1_015)
  })
})

test('what is over 16 KiB goes alone, what is over 64 KiB is announced, in order', () => {
  const batcher = newBatcher()
  const sizes = [100, limits.batchBytes, limits.batchBytes + 1, 200, 65_536, 65_537, 300]
  for (const size of sizes) batcher.add(aRecord({ size }), false, 0)

  const out = all(batcher)

  expect(out.map(({ kind, txs }) => [kind, ...txs.map(({ raw }) => raw.length)])).toEqual([
    ['batch', 100],
    ['batch', 16_384],
    ['batch', 16_385],
    ['batch', 200],
    ['batch', 65_536],
    ['announce', 65_537],
    ['batch', 300],
  ])
  for (const batch of out) {
    expect(decodeTxFrame(encodeBatch(batch))).toMatchObject({
      ok: true,
      value: { kind: batch.kind },
    })
  }
})

test('the salt is 0 the first time and random when any of it was sent before', () => {
  const batcher = newBatcher()
  batcher.add(aRecord(), false, 0)
  batcher.close()
  batcher.add(aRecord(), false, 0)
  batcher.add(aRecord(), true, 0)
  batcher.close()
  batcher.add(aRecord(), false, 0)

  expect(all(batcher).map(({ salt }) => salt)).toEqual([0, 77, 0])
})

test('a batch nobody heard goes first again, with a new salt', () => {
  const batcher = newBatcher()
  const [first, second] = [aRecord(), aRecord()]
  batcher.add(first, false, 0)
  batcher.close()
  const unheard = batcher.take() as Batch
  batcher.add(second, false, 0)

  batcher.putBack(unheard)

  expect(all(batcher)).toEqual([
    { kind: 'batch', txs: [first], salt: 77 },
    { kind: 'batch', txs: [second], salt: 0 },
  ])
})

test('the same transaction never waits twice', () => {
  const batcher = newBatcher()
  const tx = aRecord()
  batcher.add(tx, false, 0)
  batcher.close()
  expect(batcher.add(tx, true, 0)).toBe(true)
  const [batch] = all(batcher)
  batcher.add(tx, true, 0)

  batcher.putBack(batch as Batch)

  expect(all(batcher).map(({ txs }) => txs.length)).toEqual([1])
})

test('64 batches wait; what would begin another is refused until one is taken', () => {
  const batcher = newBatcher()
  for (let i = 0; i < 64 * 64; i++) batcher.add(aRecord(), false, 0)
  expect(batcher.waiting).toBe(64)
  expect(batcher.add(aRecord(), false, 0)).toBe(false)

  batcher.take()

  expect(batcher.add(aRecord(), false, 0)).toBe(true)
  expect(batcher.add(aRecord({ size: 65_537 }), false, 0)).toBe(false)
})

test('what is in a block by now is not sent, and an emptied batch is none', () => {
  const batcher = newBatcher()
  const txs = Array.from({ length: 130 }, () => aRecord())
  for (const tx of txs) batcher.add(tx, false, 0)

  batcher.drop(new Set([...txs.slice(0, 64), ...txs.slice(128, 129)].map(({ hash }) => hash)))

  expect(all(batcher).map(batch => batch.txs.length)).toEqual([64, 1])
})

test('nothing is lost, caps hold, order is kept between batches and by nonce of a sender inside one', () => {
  const wish = fc.record({
    from: fc.integer({ min: 1, max: 3 }),
    nonce: fc.nat(9),
    size: fc.oneof(fc.integer({ min: 60, max: 400 }), fc.integer({ min: 60, max: 70_000 })),
  })
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 150 }), wishes => {
      const batcher = newBatcher()
      const taken: TxRecord[] = []
      for (const tx of wishes.map(aRecord)) if (batcher.add(tx, false, 0)) taken.push(tx)

      const out = all(batcher)

      const place = new Map(taken.map(({ hash }, index) => [hash, index]))
      let end = -1
      for (const { kind, txs } of out) {
        const bytes = txs.reduce((sum, { raw }) => sum + raw.length, 0)
        expect(txs.length).toBeLessThanOrEqual(limits.gossipTxsMax)
        expect(txs.length === 1 || bytes <= limits.batchBytes).toBe(true)
        expect(kind).toBe(bytes > 65_536 ? 'announce' : 'batch')
        const places = txs.map(({ hash }) => place.get(hash) ?? -1)
        expect(Math.min(...places)).toBe(end + 1)
        end = Math.max(...places)
        for (const from of new Set(txs.map(({ sender }) => sender))) {
          const nonces = txs.filter(tx => tx.sender === from).map(({ nonce }) => nonce)
          expect(nonces).toEqual([...nonces].sort((a, b) => Number(a - b)))
        }
      }
      expect(out.flatMap(({ txs }) => txs)).toHaveLength(taken.length)
    }),
    { numRuns: 60 },
  )
})
