import type { Answer, ChainClockView, ChainMessage } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import type { Book, Driver, WorldParts, WorldView } from './api.ts'
import { calmOptions } from './options.ts'
import { testParts } from './testkit/parts.ts'
import { runWorld } from './world.ts'

/** What a chain must be in the end: one head on every node but for a block under way, and nobody seen to have signed twice on one parent. */
interface End {
  /** Block on each node at the height that all have. */
  readonly heads: readonly string[]
  readonly heights: readonly number[]
  readonly doubles: number
}

function endBook(hear: (end: End) => void): Book {
  return {
    ids: [],
    end(world) {
      const chains = world.nodes.map(({ running }) => running?.inside().chain)
      const heights = chains.map(chain => chain?.head.number ?? -1)
      const shared = Math.min(...heights)
      hear({
        heads: chains.map(chain => chain?.canonicalAt(shared) ?? 'down'),
        heights,
        doubles: chains
          .flatMap(chain => [...(chain?.judge.faults.values() ?? [])])
          .reduce((sum, { doubles }) => sum + doubles, 0),
      })
    },
  }
}

/** The end of a run in which nothing was violated. */
async function endOf(
  options: Parameters<typeof calmOptions>[0],
  more: Partial<WorldParts> = {},
): Promise<End> {
  let end: End | undefined
  const books = [endBook(found => void (end = found)), ...(more.books ?? [])]
  const { violation } = await runWorld(calmOptions(options), testParts({ ...more, books }))
  expect(violation).toBe(undefined)
  if (end === undefined) throw new Error('a run ends')
  return end
}

const one = (values: readonly unknown[]): number => new Set(values).size

describe('the dev chain inside the nodes of a world', () => {
  test('four producers have one head after ten minutes, a block each two seconds', async () => {
    const { heads, heights, doubles } = await endOf({ nodes: 4, seconds: 600, seed: 'ten' })
    expect(one(heads)).toBe(1)
    expect(heights[0]).toBeGreaterThan(285)
    expect(heights[0]).toBeLessThanOrEqual(300)
    expect(doubles).toBe(0)
  }, 60_000)

  for (const symmetric of [true, false]) {
    test(`two and two apart for a minute come back to one head, ${symmetric ? 'both ways' : 'one way'}`, async () => {
      const split = new Set<number>()
      const drive: Driver = world => {
        world.at(30_000, 'split', () => world.faults.partition([0, 1], [2, 3], symmetric))
        world.at(89_000, 'look', () => {
          for (const { running } of world.nodes) split.add(running?.glance().height ?? -1)
          const heads = world.nodes.map(({ running }) => running?.inside().chain?.head.hash)
          expect(one(heads)).toBeGreaterThan(1)
        })
        world.at(90_000, 'mend', () => world.faults.heal())
      }
      const { heads, heights, doubles } = await endOf(
        { nodes: 4, seconds: 125, seed: `split ${symmetric}` },
        { drivers: [drive] },
      )
      expect(one(heads)).toBe(1)
      expect(heights[0]).toBeGreaterThan(Math.max(...split))
      expect(doubles).toBe(0)
    }, 30_000)
  }

  test('a clogged network falls behind and catches up', async () => {
    const drive: Driver = world => {
      for (let from = 0; from < 4; from++) {
        for (let to = 0; to < 4; to++)
          world.at(20_000, 'clog', () => world.faults.clog(from, to, 20_000))
      }
    }
    const { heads, doubles } = await endOf(
      { nodes: 4, seconds: 90, seed: 'clog' },
      { drivers: [drive] },
    )
    expect(one(heads)).toBe(1)
    expect(doubles).toBe(0)
  }, 30_000)
})

describe('a chain clock', () => {
  for (const [speed, seconds] of [
    [0.1, 120],
    [10, 30.5],
    [1_000, 6.5],
  ] as const) {
    test(`that runs ${speed} times as fast on every node makes that many times the blocks, and one head`, async () => {
      const refused: unknown[] = []
      const drive: Driver = world => {
        world.at(5_000, 'speed', () => {
          for (const { running } of world.nodes) {
            void running?.bus
              .ask<ChainMessage, Answer<ChainClockView>>(
                running.refs.chain,
                reply => ({ type: 'chain.setSpeed', speed, reply }),
                1_000,
              )
              .then(outcome => {
                if (!outcome.ok || !outcome.value.ok) refused.push(outcome)
              })
          }
        })
      }
      const { heads, heights, doubles } = await endOf(
        { nodes: 4, seconds, seed: `speed ${speed}`, latency: { minMs: 0, meanMs: 0.2 } },
        { drivers: [drive] },
      )
      expect(refused).toEqual([])
      const least = 2 + ((seconds - 5) * Math.min(speed, 50)) / 2
      expect(Math.min(...heights)).toBeGreaterThan(least * 0.8 - 2)
      expect(Math.max(...heights) - Math.min(...heights)).toBeLessThanOrEqual(4)
      expect(one(heads)).toBe(1)
      expect(doubles).toBe(0)
    }, 60_000)
  }
})

type Phase = 'asked' | 'durable'

/** Kills a producer at one batch of its chain, counted over its boots, and starts it a second later. */
function killAt(number: number, phase: Phase): { book: Book; batches: () => number } {
  let count = 0
  const book: Book = {
    ids: [],
    edge(edge, world: WorldView) {
      if (edge.type !== 'stored' || edge.node !== 1 || edge.room !== 'chain') return
      if (edge.phase !== phase || world.nowMs > 30_000 || count++ !== number) return
      // At this instant, but not inside the turn.
      world.at(world.nowMs, 'kill', () => world.faults.restart(1, 1_000))
    },
  }
  return { book, batches: () => count }
}

describe('a producer killed at a batch of its chain', () => {
  const options = {
    nodes: 3,
    seconds: 45,
    blockMs: 2_000,
    disk: { meanMs: 40 },
    latency: { minMs: 2, meanMs: 10 },
    txPerSecond: 0,
  }
  for (const phase of ['asked', 'durable'] as const) {
    test(`${phase}, whichever it is, comes back to the others and has signed nothing twice`, async () => {
      const { book, batches } = killAt(Number.POSITIVE_INFINITY, phase)
      await endOf({ ...options, seed: 'kill' }, { books: [book] })
      expect(batches()).toBeGreaterThan(5)
      for (let number = 0; number < Math.min(batches(), 16); number++) {
        const { heads, heights, doubles } = await endOf(
          { ...options, seed: 'kill' },
          { books: [killAt(number, phase).book] },
        )
        expect({ number, heads: one(heads), doubles }).toEqual({ number, heads: 1, doubles: 0 })
        expect(Math.max(...heights) - Math.min(...heights)).toBeLessThanOrEqual(1)
      }
    }, 60_000)
  }
})
