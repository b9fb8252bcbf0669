import { expect, test } from 'vitest'
import {
  type Failure,
  failureName,
  failureText,
  logText,
  parseStored,
  testText,
} from './failure.ts'
import { calmOptions } from './options.ts'

const failure: Failure = {
  violation: { id: 'tx-lost-in-reorg', kind: 'correctness', text: 'gone', atMs: 12_000 },
  options: calmOptions({ seed: '417' }),
  plan: [
    [5000, 'tx', [1, 0, 'next', 3]],
    [7000, 'reorg', [2]],
  ],
  hash: '00ff00ff',
  events: 128,
  commit: 'abc',
  node: 'v20.20.0',
}

test('a failure is read back as it was written, with a line for each event of its plan', () => {
  const text = failureText(failure)

  expect(parseStored(text)).toEqual({ ok: true, value: failure })
  expect(text).toContain('\n    [7000,"reorg",[2]]\n')
  const idle = { ...failure, plan: [] }
  expect(parseStored(failureText(idle))).toEqual({ ok: true, value: idle })
  const { plan: _, ...unplanned } = failure
  expect(parseStored(failureText(unplanned))).toEqual({ ok: true, value: unplanned })
})

test('bare options are a history too', () => {
  const options = calmOptions()

  expect(parseStored(JSON.stringify(options))).toEqual({ ok: true, value: { options } })
})

test.each([
  ['not an options file (no JSON)', '{'],
  ['not an options file (missing "seed")', '{}'],
  ['not an options file (no object)', '[]'],
  ['not a failure file (missing "violation.id")', JSON.stringify({ options: calmOptions() })],
  [
    'not a failure file ("plan" row 0 is no event)',
    JSON.stringify({ ...failure, plan: [[1, 'x', []]] }),
  ],
])('a bad file is refused with the reason: %s', (why, text) => {
  expect(parseStored(text)).toEqual({ ok: false, why })
})

test('a file is named after the invariant or the planted bug, and the seed', () => {
  expect(failureName(failure)).toBe('tx-lost-in-reorg-417')
  expect(failureName({ ...failure, planted: 'reorg-drop' })).toBe('reorg-drop-417')
  expect(failureName({ ...failure, options: calmOptions({ seed: '../x' }) })).toBe(
    'tx-lost-in-reorg----x',
  )
})

test('the log has a column for each part of an event', () => {
  const log = logText([
    { atMs: 1, node: 'n0', actor: '/pool', type: 'pool.add', id: 7, cause: 3 },
    { atMs: 1000.5, node: 'n10', actor: '/gossip', type: 'gossip.deliver', id: 1234, cause: 0 },
  ])

  expect(log).toBe(
    [
      'ms        node  actor    message  cause  type',
      '1.000     n0    /pool    7        3      pool.add',
      '1000.500  n10   /gossip  1234     0      gossip.deliver',
      '',
    ].join('\n'),
  )
})

test('the emitted test is named after what must hold and carries its history', () => {
  const text = testText(failure)

  expect(text).toContain(
    'test("a transaction of a branch that left is pooled, mined or dropped with a reason (seed 417)"',
  )
  const history = /runHistory\(([\s\S]*?)\)\n\n/.exec(text)?.[1] ?? ''
  expect(JSON.parse(history)).toEqual({ options: failure.options, plan: failure.plan })
  expect(testText({ ...failure, planted: 'reorg-drop' })).toContain('"planted": "reorg-drop"')
})
