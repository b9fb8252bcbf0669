import { expect, test } from 'vitest'
import type { Book, Edge, SimNode } from '../api.ts'
import { aWorld, type FakeWorld } from '../testkit/fake-world.ts'
import { banBook } from './ban-book.ts'

const evil = 'mallory'

function aBook(count = 2): { fake: FakeWorld; book: Book; say: (edge: Edge) => void } {
  const fake = aWorld(count)
  const book = banBook()
  book.begin?.(fake.world)
  return { fake, book, say: edge => book.edge?.(edge, fake.world) }
}

/** A fact of the peer monitor about a peer. */
function tell(
  { fake, book }: Pick<ReturnType<typeof aBook>, 'fake' | 'book'>,
  type: 'peer.banned' | 'peer.lifted' | 'peer.quarantined',
  value: string,
  given: object = {},
): void {
  const fact = {
    ...{
      type,
      peer: value,
      subject: { kind: 'peer', value },
      untilMs: 3_600_000,
      reason: 'gossip/invalid-tx',
    },
    ...{ by: 'urgent', count: 0, durable: true, cause: 'expired', ...given },
  }
  book.fact?.(fake.world.nodes[0] as SimNode, fact as never, fake.world)
}

const reject = (id: string, from = evil): Edge => ({
  ...{ type: 'verdict', node: 0, from, topic: '/tx', id, verdict: 'reject' },
})

test('evil-not-banned: three invalid messages, and two seconds later still in', () => {
  const { fake, book, say } = aBook()
  for (const id of ['a', 'b', 'b']) say(reject(id))
  fake.at(95_000)
  say(reject('c'))
  fake.at(100_000)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  for (const id of ['d', 'e']) say(reject(id))
  fake.at(102_000)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])
  fake.at(102_500)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['evil-not-banned'])
})

test('a ban in time is what is wanted', () => {
  const one = aBook()
  for (const id of ['a', 'b', 'c']) one.say(reject(id))
  tell(one, 'peer.banned', evil)
  one.fake.at(10_000)
  one.book.checkpoint?.(one.fake.world)

  expect(one.fake.ids()).toEqual([])
})

test('honest-banned: a node of the world that is not evil', () => {
  const one = aBook()
  tell(one, 'peer.banned', 'peer1', { by: 'operator' })
  expect(one.fake.ids()).toEqual([])
  tell(one, 'peer.banned', 'peer1')

  expect(one.fake.ids()).toEqual(['honest-banned'])
})

test('static-banned: even one that deserved it', () => {
  const one = aBook()
  Object.assign(one.fake.world.nodes[0] ?? {}, { statics: [evil] })
  tell(one, 'peer.banned', evil)

  expect(one.fake.ids()).toEqual(['static-banned'])
})

test('ban-broken: connected before its end, also after a restart', () => {
  const one = aBook()
  tell(one, 'peer.banned', evil)
  one.say({ type: 'life', node: 0, life: 'kill' })
  Object.assign(one.fake.nodes[0] ?? {}, { boots: 2 })
  one.fake.at(3_599_999)
  one.say({ type: 'opened', node: 0, peer: evil })
  expect(one.fake.ids()).toEqual(['ban-broken'])

  one.fake.at(3_600_000)
  one.say({ type: 'opened', node: 0, peer: evil })
  expect(one.fake.ids()).toHaveLength(1)
})

test('a ban that could not be written may be forgotten by a restart', () => {
  const one = aBook()
  tell(one, 'peer.banned', evil, { durable: false })
  Object.assign(one.fake.nodes[0] ?? {}, { boots: 2 })
  one.say({ type: 'opened', node: 0, peer: evil })

  expect(one.fake.ids()).toEqual([])
})

test('ban-broken: lifted too early, or long after its end not yet', () => {
  const early = aBook()
  tell(early, 'peer.banned', evil)
  early.fake.at(3_599_999)
  tell(early, 'peer.lifted', evil)
  expect(early.fake.ids()).toEqual(['ban-broken'])

  const late = aBook()
  tell(late, 'peer.banned', evil)
  late.fake.at(3_665_000)
  late.book.checkpoint?.(late.fake.world)
  expect(late.fake.ids()).toEqual([])
  late.fake.at(3_665_001)
  late.book.checkpoint?.(late.fake.world)
  expect(late.fake.ids()).toEqual(['ban-broken'])
})

test('ban-broken: without a reason', () => {
  const one = aBook()
  tell(one, 'peer.banned', evil, { reason: '' })
  expect(one.fake.ids()).toEqual(['ban-broken'])
})

test('overload-banned: for what our own load did', () => {
  const one = aBook()
  tell(one, 'peer.banned', evil, { reason: 'load/queue-full' })
  expect(one.fake.ids()).toEqual(['overload-banned'])
})

test('quarantine in time is as good as a ban, and no better for who is honest or static', () => {
  const one = aBook()
  for (const id of ['a', 'b', 'c']) one.say(reject(id))
  tell(one, 'peer.quarantined', evil)
  one.fake.at(10_000)
  one.book.checkpoint?.(one.fake.world)
  expect(one.fake.ids()).toEqual([])

  tell(one, 'peer.quarantined', 'peer1')
  expect(one.fake.ids()).toEqual(['honest-banned'])
})

test('ban-over-budget: a second ban within a minute among few peers', () => {
  const one = aBook()
  tell(one, 'peer.banned', evil)
  one.fake.at(60_000)
  tell(one, 'peer.banned', 'eve')
  expect(one.fake.ids()).toEqual([])
  one.fake.at(90_000)
  tell(one, 'peer.banned', 'trudy')
  expect(one.fake.ids()).toEqual(['ban-over-budget'])
})
