import type { Pool } from '@rockpool/pool'
import type { ChainHead, Hash } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import type { Appointed, SimNode } from '../api.ts'
import { aWorld } from '../testkit/fake-world.ts'
import type { Shelf } from './chain-book.ts'
import { towerBook } from './tower-book.ts'

const head = '0xaa' as Hash
const deal: Appointed = { node: 0, dispute: '0xd1' as Hash, penalty: '0xd2' as Hash }

/** A tower's node; `mined` and `pooled` say what is where. */
function aTower() {
  const fake = aWorld(1)
  const mined = new Set<Hash>()
  const pooled = new Set<Hash>()
  const ledger = { isMined: (hash: Hash) => mined.has(hash) }
  const shelf = { ledger, heads: new Map([[0, head]]), stopped: new Map() } as unknown as Shelf
  const pool = { head: { hash: head }, has: (hash: Hash) => pooled.has(hash) } as unknown as Pool
  Object.assign(fake.nodes[0] ?? {}, { inside: { pool } })
  const seen: string[] = []
  Object.assign(fake.world, { sometimes: (label: string) => seen.push(label) })
  const book = towerBook(shelf)
  book.edge?.({ type: 'appointment', what: 'receipted', ...deal }, fake.world)
  function look(atMs: number): string[] {
    fake.at(atMs)
    book.checkpoint?.(fake.world)
    return fake.ids()
  }
  return { fake, book, mined, pooled, look, seen }
}

test('receipt-not-durable: a client does not find what he has a receipt for', () => {
  const { fake, book } = aTower()
  expect(fake.ids()).toEqual([])
  book.edge?.({ type: 'appointment', what: 'missing', ...deal }, fake.world)

  expect(fake.ids()).toEqual(['receipt-not-durable'])
})

test('breach-missed: what breaks the deal is mined, and nothing answers it for as long as a tower may take', () => {
  const { fake, mined, pooled, look } = aTower()
  expect(look(100_000)).toEqual([])
  mined.add(deal.dispute)
  expect(look(105_000)).toEqual([])
  pooled.add(deal.penalty)
  expect(look(200_000)).toEqual([])

  pooled.clear()
  const patience = 30_000 + 3 * fake.world.options.blockMs
  expect(look(205_000)).toEqual([])
  expect(look(205_000 + patience)).toEqual([])
  expect(look(205_001 + patience)).toEqual(['breach-missed'])
})

test('a tower that is down, or has just come up, has its time', () => {
  const { fake, mined, look } = aTower()
  mined.add(deal.dispute)
  look(100_000)
  Object.assign(fake.nodes[0] ?? {}, { up: false })
  expect(look(300_000)).toEqual([])

  Object.assign(fake.nodes[0] ?? {}, { up: true, upSinceMs: 310_000 })
  expect(look(315_000)).toEqual([])
  expect(look(340_000)).toEqual([])
})

test('an answer is an answer, and one after a reorg is noted', () => {
  const { fake, book, mined, look, seen } = aTower()
  mined.add(deal.dispute)
  mined.add(deal.penalty)
  expect(look(100_000)).toEqual([])
  expect(seen).toEqual(['tower/answered'])

  const removed = [{ txs: [{ hash: deal.dispute }] }]
  const fact = { type: 'chain.head', removed, added: [] } as unknown as ChainHead
  book.fact?.(fake.world.nodes[0] as SimNode, fact, fake.world)
  look(105_000)
  expect(seen).toContain('tower/answered-after-reorg')
})
