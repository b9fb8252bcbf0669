import { expect, test } from 'vitest'
import type { Book, Edge } from './api.ts'
import { createBooks } from './books/books.ts'
import { calmOptions } from './options.ts'
import { type Attack, drawPlan, type Plan, type PlanEvent } from './plan.ts'
import { planDriver } from './plan-driver.ts'
import { testParts } from './testkit/parts.ts'
import { workDeeds } from './work.ts'
import { runWorld } from './world.ts'
import { worldChain } from './world-chain.ts'

type Answered = Extract<Edge, { type: 'answered' }>

/** What became of what a plan submitted, in order. */
async function answersTo(plan: Plan, given = {}): Promise<readonly Answered['answer'][]> {
  const answers: Answered['answer'][] = []
  const listener: Book = {
    ids: [],
    edge: edge => void (edge.type === 'answered' && answers.push(edge.answer)),
  }
  const options = calmOptions({ nodes: 3, seconds: 40, blockMs: 12_000, ...given })
  const drivers = [planDriver(plan, workDeeds)]
  const books = [...createBooks(), listener]
  const { violation } = await runWorld(options, testParts({ books, drivers }))
  expect(violation).toBe(undefined)
  return answers
}

test('next, gap and replace do what they say, and a small bump is refused', async () => {
  const answers = await answersTo([
    [5_000, 'tx', [0, 0, 'next', 2]],
    [5_100, 'tx', [0, 0, 'gap', 2]],
    [5_200, 'tx', [0, 0, 'replace', 3]],
    [5_300, 'tx', [0, 0, 'replace', 1]],
    [5_400, 'tx', [0, 0, 'next', 2]],
  ])

  expect(answers.map(answer => (answer.ok ? answer.value.half : answer.code))).toEqual([
    'pending',
    'queued',
    'queued',
    'pool/replacement-underpriced',
    'pending',
  ])
  expect(answers[2]).toMatchObject({ value: { replaced: expect.any(String) } })
})

test('what a node that is down was given goes to the node of the next one', async () => {
  const answers = await answersTo([
    [5_000, 'crash', [1, 10_000]],
    [5_100, 'tx', [0, 1, 'next', 2]],
    [5_200, 'tx', [0, 0, 'next', 2]],
  ])

  expect(answers.map(answer => answer.ok)).toEqual([false, true, true])
})

const attacks: readonly Attack[] = [
  ...(['invalid-tx', 'future-flood', 'replay', 'withhold', 'eclipse'] as const),
  ...(['score-farming', 'equivocate', 'reconnect', 'new-id'] as const),
]

/** What is wrong for everyone has its sender out. */
const provable: ReadonlySet<Attack> = new Set([
  'invalid-tx',
  'reconnect',
  'new-id',
  'score-farming',
])

test.each(attacks)('under %s the honest ones keep every rule', async attack => {
  const options = calmOptions({ nodes: 5, evil: 1, seconds: 25, blockMs: 1_000, txPerSecond: 1 })
  const deed: PlanEvent = [6_000, 'attack', [4, attack, 10_000]]
  const plan = [...drawPlan(options).filter(([, kind]) => kind === 'tx'), deed]
  const { violation, coverage } = await runWorld(
    options,
    testParts({ books: createBooks(), drivers: [planDriver(plan, workDeeds)] }),
  )

  expect(violation).toBe(undefined)
  expect(coverage.get(`evil/${attack}`)).toBe(1)
  if (provable.has(attack)) expect(coverage.get('p2p/banned')).toBeGreaterThan(0)
  if (attack === 'equivocate') expect(coverage.get('evil/equivocated')).toBeGreaterThan(0)
})

test('nodes that follow a simulated chain through reorgs keep every rule', async () => {
  const reorg = { perBlock: 0.9, depth: 4 }
  const options = calmOptions({ chain: 'source', seconds: 40, txPerSecond: 2, reorg })
  const { violation, coverage } = await runWorld(
    options,
    testParts({
      books: createBooks(),
      drivers: [planDriver(drawPlan(options), workDeeds)],
      chain: worldChain,
    }),
  )

  expect(violation).toBe(undefined)
  expect(coverage.get('chain/reorg')).toBeGreaterThan(2)
  expect(coverage.get('pool/reinjected')).toBeGreaterThan(0)
})
