import type { RunResult, Violation } from '@rockpool/sim'
import { describe, expect, test } from 'vitest'
import type { Jobs } from './jobs.ts'
import { swarmText } from './report.ts'
import type { History } from './run-history.ts'
import { exitCodeOf, type SwarmWish, seedsOfCommit, swarm } from './swarm.ts'

function aResult(given: Partial<RunResult> = {}): RunResult {
  return {
    ...{ hash: '0000abcd', events: 10, nodeHours: 0.5, cpuMs: 300 },
    ...{ coverage: new Map([['pool/reinjected', 1]]), counts: { kills: 2 } },
    ...given,
  }
}

const aViolation = (given: Partial<Violation> = {}): Violation => ({
  ...{ id: 'nonce-gap', kind: 'correctness', text: 'a gap', atMs: 1500 },
  ...given,
})

/** Jobs whose runs end at once. */
function fakeJobs(run: (history: History) => RunResult): Jobs {
  return {
    count: 1,
    run: history => Promise.resolve(run(history)),
    async each(items, work) {
      for (const item of items) if (!(await work(item))) return
    },
    close() {},
  }
}

const wish: SwarmWish = {
  seeds: ['1', '2', '3'],
  wishes: {},
  timeLimitMs: Number.POSITIVE_INFINITY,
  checkDeterminism: false,
  stores: false,
}

describe('swarm', () => {
  test('every seed runs once, and the sums are those of its runs', async () => {
    const seen: string[] = []
    const jobs = fakeJobs(({ options }) => {
      seen.push(options.seed)
      return aResult()
    })

    const sum = await swarm(jobs, wish)

    expect(seen).toEqual(['1', '2', '3'])
    expect(sum).toMatchObject({ nodeHours: 1.5, cpuMs: 900, events: 30, counts: { kills: 6 } })
    expect(sum.coverage.get('pool/reinjected')).toBe(3)
  })

  test('no seed begins after the time limit', async () => {
    const jobs = fakeJobs(() => aResult())

    expect((await swarm(jobs, { ...wish, timeLimitMs: -1 })).runs).toEqual([])
  })

  test('two hashes of one seed are a crash of the harness', async () => {
    let runs = 0
    const jobs = fakeJobs(() => aResult({ hash: String(runs++) }))

    const { runs: found } = await swarm(jobs, { ...wish, seeds: ['1'], checkDeterminism: true })

    expect(found[0]?.result.violation).toMatchObject({ id: 'nondeterminism', kind: 'crash' })
  })

  test('the seeds of a commit are always the same, and differ between commits', () => {
    expect(seedsOfCommit('abc', 40)).toEqual(seedsOfCommit('abc', 40))
    expect(new Set([...seedsOfCommit('abc', 40), ...seedsOfCommit('abd', 40)]).size).toBe(80)
  })

  test('its report names failing seeds by kind, and what it cost', async () => {
    const jobs = fakeJobs(({ options: { seed } }) =>
      seed === '2' ? aResult({ violation: aViolation() }) : aResult(),
    )

    const text = swarmText(await swarm(jobs, wish), 1000)

    expect(text).toContain('clean        2 of 3')
    expect(text).toContain('correctness  1: 2 (nonce-gap)')
    expect(text).toContain('100 node-hours per CPU minute')
  })
})

test('the exit code is that of the worst: crash, then correctness, then liveness', () => {
  const of = (kind: Violation['kind']) => ({ violation: aViolation({ kind }) })

  expect(exitCodeOf([{}, {}])).toBe(0)
  expect(exitCodeOf([{}, of('liveness')])).toBe(128)
  expect(exitCodeOf([of('liveness'), of('correctness')])).toBe(129)
  expect(exitCodeOf([of('correctness'), of('crash'), of('liveness')])).toBe(127)
})
