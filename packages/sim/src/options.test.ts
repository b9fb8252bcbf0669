import { describe, expect, test } from 'vitest'
import { calmOptions, drawOptions, healMsOf, parseOptions } from './options.ts'
import { drawPlan, type PlanKind, parsePlan } from './plan.ts'

describe('options', () => {
  test('a seed draws the same options every time, another seed others', () => {
    expect(drawOptions('417')).toEqual(drawOptions('417'))
    expect(drawOptions('418')).not.toEqual(drawOptions('417'))
  })

  test('what a caller wishes replaces the draw and shifts no other', () => {
    const { seconds: _, ...drawn } = drawOptions('9')
    const { seconds, ...wished } = drawOptions('9', { seconds: 30 })

    expect(seconds).toBe(30)
    expect(wished).toEqual(drawn)
  })

  test('drawn values lie in the bounds of the table', () => {
    for (let seed = 0; seed < 500; seed++) {
      const options = drawOptions(String(seed))
      const { latency, clog, partition, crash, reorg, disk, clock, nodes, evil } = options

      expect(parseOptions(options).ok).toBe(true)
      expect(latency.minMs).toBeLessThanOrEqual(30)
      expect(latency.meanMs).toBeGreaterThanOrEqual(1)
      expect(clog.perSecond).toBeLessThan(0.5)
      expect(partition.meanMs).toBeLessThanOrEqual(60_000)
      expect(crash.perNodeSecond).toBeLessThan(0.02)
      expect(reorg.depth).toBeLessThanOrEqual(8)
      expect(disk.meanMs).toBeLessThanOrEqual(2000)
      expect(clock.driftPpm).toBeLessThanOrEqual(500)
      expect(nodes - evil).toBeGreaterThanOrEqual(3)
      expect(nodes - evil).toBeLessThanOrEqual(20)
      expect(options.seconds).toBe(600)
    }
  })

  test('each fault is absent from many seeds and present in many', () => {
    const options = Array.from({ length: 400 }, (_, seed) => drawOptions(String(seed)))
    const share = (has: (o: (typeof options)[number]) => boolean) =>
      options.filter(has).length / options.length

    expect(share(o => o.clog.perSecond > 0)).toBeCloseTo(0.5, 1)
    expect(share(o => o.crash.perNodeSecond > 0)).toBeCloseTo(0.6, 1)
    expect(share(o => o.strategy === 'fifo')).toBeCloseTo(0.2, 1)
    expect(share(o => o.strategy === 'pct')).toBeCloseTo(0.2, 1)
  })

  test('faults end 90 s before the end, in a short run at half time', () => {
    expect(healMsOf({ seconds: 600 })).toBe(510_000)
    expect(healMsOf({ seconds: 180 })).toBe(90_000)
    expect(healMsOf({ seconds: 60 })).toBe(30_000)
  })

  test.each([
    ['no object', 7],
    ['missing "nodes"', { ...calmOptions(), nodes: undefined }],
    ['missing "latency.minMs"', { ...calmOptions(), latency: { meanMs: 1 } }],
    ['"nodes" is not a whole number from 1 to 100', { ...calmOptions(), nodes: 2.5 }],
    ['"strategy" is not one of fifo, random, pct', { ...calmOptions(), strategy: 'lifo' }],
    ['"evil" is above "nodes" − 2', { ...calmOptions(), nodes: 3, evil: 2 }],
    ['unknown "node"', { ...calmOptions(), node: 3 }],
  ])('what is no options is refused: %s', (why, value) => {
    expect(parseOptions(JSON.parse(JSON.stringify(value)))).toEqual({ ok: false, why })
  })
})

describe('plans', () => {
  test('a plan has every kind of event that its options ask for, in the order of time, and none after healing', () => {
    const kinds = new Set<PlanKind>()
    for (let seed = 0; seed < 40; seed++) {
      const options = drawOptions(String(seed))
      const plan = drawPlan(options)
      const times = plan.map(([atMs]) => atMs)

      expect(times).toEqual([...times].sort((a, b) => a - b))
      expect(parsePlan(JSON.parse(JSON.stringify(plan)))).toEqual({ ok: true, value: plan })
      for (const [atMs, kind] of plan) {
        kinds.add(kind)
        if (kind !== 'tx') expect(atMs).toBeLessThan(healMsOf(options))
      }
    }
    expect([...kinds].sort()).toEqual(
      [
        ...['appoint', 'attack', 'clog', 'crash', 'dialFailure', 'diskFull', 'duplicate', 'narrow'],
        ...['partition', 'reorg', 'reset', 'slowReader', 'stop', 'tx'],
      ].sort(),
    )
  })

  test('options without faults and work have an empty plan', () => {
    expect(drawPlan(calmOptions({ txPerSecond: 0 }))).toEqual([])
  })

  test('one more fault leaves the other events where they were', () => {
    const calm = calmOptions({ seconds: 300 })
    const clogged = { ...calm, clog: { perSecond: 0.3, meanMs: 500 } }

    expect(drawPlan(clogged).filter(([, kind]) => kind !== 'clog')).toEqual(drawPlan(calm))
  })

  test.each([
    ['"plan" is no list', {}],
    [
      '"plan" row 1 is no event',
      [
        [5, 'reorg', [1]],
        [6, 'flood', []],
      ],
    ],
    ['"plan" row 0 is no event', [[5, 'tx', [1, 0, 'best', 1]]]],
    ['"plan" row 0 is no event', [[-1, 'reorg', [1]]]],
  ])('what is no plan is refused: %s', (why, value) => {
    expect(parsePlan(value)).toEqual({ ok: false, why })
  })
})
