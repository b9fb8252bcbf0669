import { createTestBus, type Reply } from '@rockpool/actor'
import { expect, test } from 'vitest'
import { actorsOf } from './actors-of.ts'

type Message = { type: 'x'; amount: bigint; reply?: Reply<number> } | { type: 'boom' }

/** An actor that stops at `boom`, and one more message for it; the wall is 5 s ahead of the bus. */
function withLetters() {
  const { bus, clock, run } = createTestBus()
  const ref = bus.spawn<Message>('a', ctx => message => {
    if (message.type === 'boom') ctx.stop()
  })
  ref.tell({ type: 'boom' }, 'rpc')
  run()
  ref.tell({ type: 'x', amount: 10n ** 20n }, 'gossip:1')
  return { bus, actors: actorsOf({ bus }, () => 5_000 + clock.now()) }
}

test('a dead letter is listed with its reason and shown with its message', () => {
  const { actors } = withLetters()
  const { total, counts, letters } = actors.letters()

  expect(total).toBe(1)
  expect(counts).toEqual([{ reason: 'dead', actor: '/a', type: 'x', count: 1 }])
  expect(letters).toMatchObject([
    { number: 1, at: 5_000, reason: 'dead', to: '/a', type: 'x', cause: 0, origin: 'gossip:1' },
  ])
  expect(actors.letter('1')).toMatchObject({
    message: { type: 'x', amount: '100000000000000000000' },
    chain: [],
  })
})

test('a letter and a message nobody knows are refused with what is remembered', () => {
  const { actors } = withLetters()

  expect(() => actors.letter('2')).toThrow('the node keeps the last 1,000')
  expect(() => actors.letter('0')).toThrow('nothing known about dead letter 0')
  expect(() => actors.letter('-1')).toThrow('not the number of a dead letter: -1')
  expect(() => actors.trace('77')).toThrow('the node remembers the last 65,536 turns')
})

test('a message is traced to the input it began with', () => {
  const { bus, actors } = withLetters()
  const [row] = bus.rows?.latest(1) ?? []

  expect(actors.trace(`${row?.id}`).chain).toMatchObject([
    { actor: '/a', type: 'boom', origin: 'rpc' },
  ])
})
