import { expect, test } from 'vitest'
import { chainText, Trace, toChromeTrace, toMermaid } from './trace.ts'

function aTrace(rows: number) {
  const trace = new Trace(rows, false)
  for (let id = 1; id <= 6; id++) trace.note(id, id - 1, id, id % 2 ? '/a' : '/b', 'hop')
  return trace
}

test('a chain older than the ring says where it was cut', () => {
  const chain = aTrace(4).chain(6, 6)

  expect(chainText(chain)).toBe(
    '/b:hop#6 <- /a:hop#5 <- /b:hop#4 <- /a:hop#3 <- … (4 messages ago)',
  )
})

test('a chain begins at its input, with the label the input came with', () => {
  const trace = aTrace(8)
  trace.noteOrigin(1, 'gossip:ab')

  const chain = trace.chain(3, 6)

  expect(chain.map(({ id }) => id)).toEqual([3, 2, 1])
  expect(chain.at(-1)).toEqual({
    id: 1,
    cause: 0,
    at: 1,
    actor: '/a',
    type: 'hop',
    origin: 'gossip:ab',
  })
  expect(trace.chain(99, 6)).toEqual([])
})

test('labels of inputs are kept for the newest 4,096', () => {
  const trace = aTrace(8)
  for (let id = 1; id <= 4097; id++) trace.noteOrigin(id, `rpc:${id}`)

  expect([trace.originOf(1), trace.originOf(2)]).toEqual([undefined, 'rpc:2'])
})

test('a row costs 40 bytes', () => {
  expect(new Trace(65_536, false).bytes).toBe(65_536 * 40)
})

test('a chain as a sequence diagram', () => {
  const trace = aTrace(8)
  trace.noteOrigin(1, 'rpc:1')

  expect(toMermaid(trace.chain(2, 6))).toBe(
    [
      'sequenceDiagram',
      '  participant a0 as rpc:1',
      '  participant a1 as /a',
      '  a0->>a1: hop [1] at 1 ms',
      '  participant a2 as /b',
      '  a1->>a2: hop [2] at 2 ms',
    ].join('\n'),
  )
})

test('turns as a Chrome trace: one thread per actor, an arrow per cause that is shown', () => {
  const { traceEvents } = JSON.parse(toChromeTrace(aTrace(8).latest(3)))
  const count = (ph: string) =>
    traceEvents.filter((event: { ph: string }) => event.ph === ph).length

  expect([count('M'), count('X'), count('f')]).toEqual([2, 3, 2])
})
