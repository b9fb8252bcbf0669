import { Rng } from '@rockpool/actor'
import { devGenesis } from '@rockpool/chain'
import { type ChainSource, type HeadEvent, type TxRecord, zeroHash } from '@rockpool/protocol'
import { chainSourceSuite } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { createSimChain } from './chain.ts'
import { keccak256, testCrypto } from './testkit/crypto.ts'
import { signedTransfers } from './testkit/transfers.ts'

const payee = '0x00000000000000000000000000000000000000fe'

/** A chain on a clock that only moves by hand. */
function aChain(waiting: () => readonly TxRecord[] = () => []) {
  const due: { atMs: number; act: () => void }[] = []
  const down = new Set<number>()
  let now = 0
  const genesis = { ...devGenesis({ producers: [payee as never] }), reward: 7n }
  const chain = createSimChain({
    genesis,
    keccak256,
    rng: new Rng('chain'),
    wallMs: () => 1_700_000_000_000 + now,
    after: (ms, _what, act) => void due.push({ atMs: now + ms, act }),
    isUp: node => !down.has(node),
    waiting,
  })
  /** Everything that is due within so long, in order. */
  function pass(ms: number): void {
    const end = now + ms
    for (;;) {
      due.sort((a, b) => a.atMs - b.atMs)
      if ((due[0]?.atMs ?? Number.POSITIVE_INFINITY) > end) break
      const next = due.shift()
      now = next?.atMs ?? now
      next?.act()
    }
    now = end
  }
  return { chain, pass, genesis, down }
}

function heardBy(source: ChainSource): HeadEvent[] {
  const events: HeadEvent[] = []
  source.onHead(event => events.push(event))
  return events
}

describe('the simulated chain as a source', () => {
  chainSourceSuite({ test, expect }, () => {
    const { chain, pass } = aChain()
    return {
      source: chain.source(0),
      payee: payee as never,
      async grow(count) {
        for (let index = 0; index < count; index++) {
          chain.grow()
          pass(1_000)
        }
      },
      async reorg(depth) {
        chain.reorg(depth)
        pass(1_000)
      },
      restart: async () => chain.source(0),
      close() {},
    }
  })
})

test('a reorg is one event, and of its transactions the drawn share comes back', async () => {
  const txs = await signedTransfers(6)
  let waiting: readonly TxRecord[] = []
  const { chain, pass } = aChain(() => waiting)
  const events = heardBy(chain.source(0))
  for (const tx of txs) {
    waiting = [tx]
    chain.grow()
    pass(1_000)
  }
  waiting = []
  chain.reorg(3, 0)
  pass(1_000)
  const [none] = events.slice(-1)
  chain.reorg(4, 1)
  pass(1_000)
  const [all] = events.slice(-1)

  expect(none?.removed.flatMap(({ txs }) => txs)).toHaveLength(3)
  expect(none?.added).toHaveLength(4)
  expect(none?.added.flatMap(({ txs }) => txs)).toEqual([])
  expect(all?.removed).toHaveLength(4)
  expect(all?.added.flatMap(({ txs }) => txs)).toEqual([])
  chain.reorg(7, 1)
  pass(1_000)
  const [deep] = events.slice(-1)
  expect(deep?.added.flatMap(({ txs }) => txs.map(({ hash }) => hash))).toEqual(
    txs.slice(1, 3).map(({ hash }) => hash),
  )
})

test('while a node is stalled it hears nothing, then the whole way at once', async () => {
  const { chain, pass } = aChain()
  const events = heardBy(chain.source(0))
  const others = heardBy(chain.source(1))
  chain.stall(0, 10_000)
  for (let index = 0; index < 4; index++) {
    chain.grow()
    pass(2_000)
  }

  expect([events.length, others.length]).toEqual([0, 4])
  pass(5_000)
  expect(events).toHaveLength(1)
  expect(events[0]?.added).toHaveLength(4)
})

test('a hidden block and its accounts are back after their time', async () => {
  const { chain, pass } = aChain()
  const source = chain.source(0)
  chain.grow()
  chain.hide(0, 1_000)
  const { hash } = chain.head

  expect(await source.block(hash)).toBe(null)
  expect(await source.accounts([], hash)).toMatchObject({ code: 'chain/state-missing' })
  expect((await chain.source(1).block(hash))?.header.hash).toBe(hash)
  pass(1_000)
  expect((await source.block(hash))?.header.hash).toBe(hash)
  expect(await source.accounts([], zeroHash)).toMatchObject({ code: 'chain/unknown-block' })
})

test('of two lives of a node only the later one hears', async () => {
  const { chain, pass } = aChain()
  const before = heardBy(chain.source(0))
  chain.grow()
  pass(1_000)
  const events = heardBy(chain.source(0))
  chain.grow()
  pass(1_000)

  expect(before).toHaveLength(1)
  expect(events.map(({ old }) => old.hash)).toEqual([before[0]?.new.hash])
})

test('a node that is down stays where it was, and is told the whole way when it is back', () => {
  const { chain, pass, down } = aChain()
  const before = heardBy(chain.source(0))
  down.add(0)
  for (let block = 0; block < 3; block++) {
    chain.grow()
    pass(1_000)
  }
  expect(before).toEqual([])
  down.delete(0)
  const events = heardBy(chain.source(0))
  pass(1_000)

  expect(events).toHaveLength(1)
  expect(events[0]?.added).toHaveLength(3)
})

test('accounts far below the head are given up', async () => {
  const { chain } = aChain()
  const source = chain.source(0)
  const { hash } = chain.head
  for (let index = 0; index < 600; index++) chain.grow()

  expect(await source.accounts([], hash)).toMatchObject({ code: 'chain/state-missing' })
  expect((await source.accounts([], chain.head.hash)).ok).toBe(true)
  expect(testCrypto.backend).toBe('native')
})
