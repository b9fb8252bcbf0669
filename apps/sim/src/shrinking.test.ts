import { calmOptions, type Plan, type RunResult } from '@rockpool/sim'
import { describe, expect, test } from 'vitest'
import type { History } from './run-history.ts'
import { breaks, shrinkHistory, withChance } from './shrinking.ts'

const tx = (atMs: number) => [atMs, 'tx', [0, 0, 'next', 1]] as const
const plan: Plan = [tx(1000), tx(2000), tx(3000), tx(4000), tx(9000)]
const history: History = { options: calmOptions({ seed: '7' }), plan }

/** Runs that break an invariant where `when` says so. */
function runs(when: (instants: readonly number[], seed: string) => boolean) {
  return async ({ options, plan = [] }: History): Promise<RunResult> => {
    const isBroken = when(
      plan.map(([atMs]) => atMs),
      options.seed,
    )
    const violation = { id: 'nonce-gap', kind: 'correctness', text: 'a gap', atMs: 5000 } as const
    return {
      ...(isBroken && { violation }),
      ...{ hash: '', events: plan.length, nodeHours: 0, cpuMs: 0, coverage: new Map(), counts: {} },
    }
  }
}

const instants = (plan: Plan | undefined) => plan?.map(([atMs]) => atMs)

describe('what is left of a history', () => {
  test('breaks the invariant with other chances too, if the whole of it did', async () => {
    const run = runs((at, seed) => at.includes(2000) && (seed === '7' || at.includes(4000)))

    const shrunk = await shrinkHistory(history, () => {}, { run })

    expect(shrunk?.steady).toBe(true)
    expect(instants(shrunk?.failure.plan)).toEqual([2000, 4000])
    expect(shrunk?.failure.options.seed).toBe('7')
  })

  test('rests on its own chance when the whole did', async () => {
    const run = runs((at, seed) => at.includes(2000) && seed === '7')

    const shrunk = await shrinkHistory(history, () => {}, { run })

    expect(shrunk?.steady).toBe(false)
    expect(instants(shrunk?.failure.plan)).toEqual([2000])
  })

  test('is found within its budget, and is nothing where nothing fails', async () => {
    let count = 0
    const run = runs(() => {
      count += 1
      return true
    })

    const shrunk = await shrinkHistory(history, () => {}, { run, runsMax: 10 })
    expect(shrunk?.failure.violation.id).toBe('nonce-gap')
    expect(count).toBeLessThanOrEqual(13)

    expect(await shrinkHistory(history, () => {}, { run: runs(() => false) })).toBeUndefined()
  })
})

test('a stored history is broken still when it is so with other chances', async () => {
  const moved = runs((_, seed) => seed === '7~2')

  expect(await breaks(history, 'nonce-gap', moved)).toMatchObject({ id: 'nonce-gap' })
  expect(
    await breaks(
      history,
      'nonce-gap',
      runs(() => false),
    ),
  ).toBeUndefined()
  expect(withChance(history, '~1')).toMatchObject({ options: { seed: '7~1' }, plan })
})
