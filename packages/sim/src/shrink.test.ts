import { describe, expect, test } from 'vitest'
import type { SimOptions } from './api.ts'
import { calmOptions, drawOptions } from './options.ts'
import type { Plan } from './plan.ts'
import { shrinkOptions, shrinkPlan, smallerOptions } from './shrink.ts'

const txs = (count: number): Plan =>
  Array.from({ length: count }, (_, index) => [index, 'tx', [index % 12, 0, 'next', 1]] as const)

describe('options', () => {
  test('what does not matter is shrunk away and what matters stays', async () => {
    const start = { ...drawOptions('shrink'), crash: { perNodeSecond: 0.01, restartMeanMs: 500 } }
    const budget = { left: 200 }

    const least = await shrinkOptions(
      start,
      options => Promise.resolve(options.crash.perNodeSecond > 0 && options.seconds >= 100),
      budget,
    )

    expect(least).toMatchObject({
      evil: 0,
      nodes: 1,
      latency: { minMs: 0, meanMs: 1 },
      reorg: { perBlock: 0, depth: 1 },
    })
    expect(least.crash.perNodeSecond).toBeGreaterThan(0)
    expect(least.seconds).toBeLessThan(130)
    expect(budget.left).toBeGreaterThan(0)
  })

  test('a shrinking ends under its budget', async () => {
    const budget = { left: 5 }
    let runs = 0

    await shrinkOptions(drawOptions('budget'), () => Promise.resolve(++runs % 2 === 0), budget)

    expect(runs).toBe(5)
    expect(budget.left).toBe(0)
  })

  test('no candidate is the same again, and every chain of candidates ends', () => {
    let options: SimOptions = calmOptions({ seconds: 600, nodes: 20, evil: 2 })
    for (let steps = 0; steps < 500; steps++) {
      const [first] = smallerOptions(options)
      if (first === undefined) return
      expect(first).not.toEqual(options)
      options = first
    }
    expect.unreachable('candidates without end')
  })
})

describe('plans', () => {
  test('exactly the events that fail together are left, in their order', async () => {
    const plan = txs(100)
    const needed = [plan[3], plan[47], plan[90]]
    const budget = { left: 200 }

    const least = await shrinkPlan(
      plan,
      smaller => Promise.resolve(needed.every(event => event && smaller.includes(event))),
      budget,
    )

    expect(least).toEqual(needed)
  })

  test('a plan of which nothing is needed becomes empty', async () => {
    expect(await shrinkPlan(txs(33), () => Promise.resolve(true), { left: 200 })).toEqual([])
  })

  test('a spent budget leaves the smallest plan seen to fail', async () => {
    const plan = txs(64)
    const budget = { left: 3 }

    const least = await shrinkPlan(
      plan,
      smaller => Promise.resolve(plan[0] !== undefined && smaller.includes(plan[0])),
      budget,
    )

    expect(budget.left).toBe(0)
    expect(least.length).toBeLessThan(64)
    expect(least).toContain(plan[0])
  })
})
