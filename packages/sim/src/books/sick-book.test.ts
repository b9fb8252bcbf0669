import { expect, test } from 'vitest'
import type { SimNode } from '../api.ts'
import { aWorld, type FakeWorld } from '../testkit/fake-world.ts'
import { sickBook } from './sick-book.ts'

/** A world of sick nodes, whose first one has a clock that may jump. */
function aBook(evil = 0) {
  const fake: FakeWorld = aWorld(2)
  let ahead = 0
  Object.assign(fake.world.options, {
    sick: { pause: { perNodeSecond: 0, meanMs: 0 }, jump: { perNodeSecond: 0, mostMs: 0 } },
  })
  const [first] = fake.world.nodes
  Object.assign(first ?? {}, { wallMs: () => fake.world.nowMs + ahead })
  if (evil > 0) Object.assign(fake.nodes[1] ?? {}, { isEvil: true })
  const book = sickBook()
  const look = (atMs: number): void => {
    fake.at(atMs)
    book.checkpoint?.(fake.world)
  }
  const tell = (fact: object): void => book.fact?.(first as SimNode, fact as never, fake.world)
  return { fake, book, look, tell, jump: (ms: number) => void (ahead += ms) }
}

test('self-unaware: a clock that jumps, and a node that trusts itself', () => {
  const one = aBook()
  for (const atMs of [20_000, 25_000]) one.look(atMs)
  one.jump(-4_500)
  for (const atMs of [30_000, 35_000]) one.look(atMs)

  expect(one.fake.ids()).toEqual(['self-unaware'])
})

test('a node that says so, or has said so just before, is aware', () => {
  const one = aBook()
  for (const atMs of [20_000, 25_000]) one.look(atMs)
  one.jump(60_000)
  one.look(30_000)
  one.tell({ type: 'node.suspect', cause: 'clock' })
  one.look(35_000)
  one.jump(-60_000)
  for (const atMs of [40_000, 45_000, 50_000]) one.look(atMs)

  expect(one.fake.ids()).toEqual([])
})

test('evil-unpunished: an evil node that nobody keeps out', () => {
  const [one, banned, quarantined] = [aBook(1), aBook(1), aBook(1)]
  const peer = one.fake.world.nodes[1]?.peer
  banned.tell({ type: 'peer.banned', subject: { kind: 'peer', value: peer } })
  quarantined.tell({ type: 'peer.quarantined', peer, why: 'floor' })
  for (const { book, fake } of [one, banned, quarantined]) book.end?.(fake.world)

  expect([one, banned, quarantined].map(({ fake }) => fake.ids())).toEqual([
    ['evil-unpunished'],
    [],
    [],
  ])
})
