import { describe, expect, test } from 'vitest'
import type {
  Book,
  Driver,
  EventRow,
  NodeBuild,
  RunResult,
  SimOptions,
  Strategy,
  WorldParts,
  WorldView,
} from './api.ts'
import { calmOptions } from './options.ts'
import { drawPlan } from './plan.ts'
import { planDriver } from './plan-driver.ts'
import { testParts } from './testkit/parts.ts'
import { transfers } from './workload.ts'
import { runWorld } from './world.ts'

/** A small world in which much goes wrong. */
const rough: SimOptions = calmOptions({
  seed: 'rough',
  seconds: 30,
  nodes: 5,
  latency: { minMs: 5, meanMs: 60 },
  clog: { perSecond: 0.1, meanMs: 2_000 },
  partition: { perSecond: 0.05, meanMs: 5_000, shape: 'half', symmetric: true },
  crash: { perNodeSecond: 0.06, restartMeanMs: 3_000 },
  reset: { perSecond: 0.1 },
  duplicate: { perSecond: 0.2 },
  clock: { driftPpm: 300, wall: 'periodic' },
  txPerSecond: 1,
})

const work = (options: SimOptions): Driver =>
  planDriver(drawPlan(options), world => ({ tx: transfers(world), appoint() {}, attack() {} }))

function run(options: SimOptions, more: Parameters<typeof testParts>[0] = {}): Promise<RunResult> {
  return runWorld(options, testParts({ drivers: [work(options)], ...more }))
}

/** A book that only looks at the end. */
const atEnd = (look: (world: WorldView) => void): Book => ({ ids: [], end: look })

const strategies: readonly Strategy[] = ['fifo', 'random', 'pct']

describe('the same options', () => {
  for (const strategy of strategies) {
    test(`give the same history twice, ${strategy}`, async () => {
      const options = { ...rough, strategy }
      const [first, second] = [await run(options), await run(options)]
      expect(first.violation).toBe(undefined)
      expect(second.hash).toBe(first.hash)
      expect({ ...second.counts }).toEqual({ ...first.counts })
      expect(first.events).toBeGreaterThan(3_000)
      expect(first.counts['kills']).toBeGreaterThan(0)
    }, 30_000)
  }

  test('of another seed or strategy give another history', async () => {
    const options = { ...rough, seconds: 20 }
    const hashes = await Promise.all([
      run(options).then(({ hash }) => hash),
      run({ ...options, seed: 'other' }).then(({ hash }) => hash),
      run({ ...options, strategy: 'fifo' }).then(({ hash }) => hash),
    ])
    expect(new Set(hashes).size).toBe(3)
  }, 30_000)
})

describe('forks of chance', () => {
  test('a draw added to one fork changes no other: the same blocks at the same instants', async () => {
    const options = { ...rough, seconds: 20 }
    const history = async (draws: number): Promise<string> => {
      const rows: EventRow[] = []
      const extra: Driver = world => {
        const rng = world.fork('extra')
        for (let draw = 0; draw < draws; draw++) rng.f()
      }
      await run(options, { drivers: [work(options), extra], event: row => void rows.push(row) })
      return JSON.stringify(rows)
    }
    expect(await history(0)).toBe(await history(1_000))
  }, 30_000)
})

describe('time', () => {
  test('passes to the end exactly, with a look of the books every five seconds', async () => {
    const looks: number[] = []
    let healed = -1
    let end = -1
    const book: Book = {
      ids: [],
      checkpoint: world => void looks.push(world.nowMs),
      healed: world => {
        healed = world.nowMs
      },
      end: world => {
        end = world.nowMs
      },
    }
    const { nodeHours } = await runWorld(calmOptions({ seconds: 22 }), testParts({ books: [book] }))
    expect(looks).toEqual([5_000, 10_000, 15_000, 20_000, 22_000])
    expect([healed, end]).toEqual([11_000, 22_000])
    expect(nodeHours).toBeCloseTo((3 * 22) / 3_600)
  }, 30_000)

  test('of each node drifts by its own rate and no wall strays further than its model says', async () => {
    const spread = new Set<number>()
    const book: Book = {
      ids: [],
      checkpoint(world) {
        for (const node of world.nodes) {
          if (!node.up) continue
          expect(Math.abs(node.wallMs() - world.wallMs)).toBeLessThanOrEqual(2_000)
          spread.add(Math.round(node.nowMs()))
        }
      },
    }
    const options = calmOptions({ seconds: 30, clock: { driftPpm: 500, wall: 'step' } })
    await runWorld(options, testParts({ books: [book] }))
    expect(spread.size).toBeGreaterThan(10)
  }, 30_000)
})

/** One node of the world with another pool. */
function onePool(
  pool: NonNullable<NodeBuild['parts']>['poolActor'],
): NonNullable<WorldParts['decorate']> {
  return (build, node) =>
    node.index === 2 && pool !== undefined ? { ...build, parts: { poolActor: pool } } : build
}

describe('the legend', () => {
  test('has a line an event in fixed columns, the same in two runs', async () => {
    const lines = async (): Promise<string[]> => {
      const told: string[] = []
      await run({ ...rough, seconds: 12 }, { legend: line => void told.push(line) })
      return told
    }
    const [first, second] = [await lines(), await lines()]
    expect(second).toEqual(first)
    const turn =
      /^ {0,11}\d+\.\d{6} n\d+ +\/\S+:\S+ \d+<\d+ +\| (down|peers \d+ pend \d+ queue \d+ head \d+)$/
    expect(first.filter(line => turn.test(line)).length).toBeGreaterThan(500)
    expect(first.some(line => / n\d +open$/.test(line))).toBe(true)
  }, 30_000)
})

describe('a violation', () => {
  test('stops the world at its next loop point; only the first counts, with its causes over nodes', async () => {
    const book: Book = {
      ids: ['seen'],
      fact(node, fact, world) {
        if (fact.type !== 'chain.head' || fact.new.number < 3 || node.index !== 2) return
        world.violate({ id: 'seen', kind: 'correctness', text: 'block 3', node: node.name })
        world.violate({ id: 'late', kind: 'correctness', text: 'too late' })
      },
    }
    const { violation, chain } = await runWorld(
      calmOptions({ nodes: 4, seed: 'v' }),
      testParts({ books: [book] }),
    )
    expect(violation?.id).toBe('seen')
    expect(violation?.node).toBe('n2')
    expect(violation?.atMs).toBeLessThan(60_000)
    expect(chain?.[0]).toMatch(/^n2 \/observer:chain\.head#\d+ <- \/chain:/)
    expect(chain?.length).toBeGreaterThan(1)
  }, 30_000)

  test('a checker that throws inside a turn is a failure of the harness, not of the actor', async () => {
    const book: Book = {
      ids: [],
      fact() {
        throw new Error('broken checker')
      },
    }
    const { violation } = await runWorld(calmOptions(), testParts({ books: [book] }))
    expect(violation?.id).toBe('harness')
    expect(violation?.text).toContain('broken checker')
  }, 30_000)

  test('an actor that crashes is named with its message', async () => {
    const { violation } = await runWorld(
      calmOptions({ seconds: 20 }),
      testParts({
        decorate: onePool(() => () => message => {
          if (message.type === 'chain.head') throw new Error('no')
        }),
      }),
    )
    expect(violation?.id).toBe('actor-crash')
    expect(violation?.text).toBe('/pool crashed on chain.head')
  }, 30_000)

  test('a million turns at one instant are a livelock', async () => {
    const { violation } = await runWorld(
      calmOptions({ seconds: 20, nodes: 3 }),
      testParts({
        decorate: onePool(() => ctx => message => {
          if (message.type === 'pool.setGasTip' || message.type === 'chain.head')
            ctx.self.tell({ type: 'pool.setGasTip', tip: 1n })
        }),
      }),
    )
    expect(violation?.id).toBe('livelock')
  }, 30_000)
})

describe('the tripwire', () => {
  const reads: readonly (readonly [name: string, read: () => unknown])[] = [
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['performance.now', () => performance.now()],
    ['Math.random', () => Math.random()],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['setTimeout', () => setTimeout(() => {}, 1)],
    ['queueMicrotask', () => queueMicrotask(() => {})],
    ['console.log', () => console.log('')],
  ]
  for (const [name, read] of reads) {
    test(`names the actor and the message that called ${name}`, async () => {
      const { violation } = await runWorld(
        calmOptions({ seconds: 20 }),
        testParts({
          decorate: onePool(() => () => message => {
            if (message.type === 'chain.head') read()
          }),
        }),
      )
      expect(violation?.id).toBe('tripwire')
      expect(violation?.text).toMatch(
        new RegExp(`^${name.replace('.', '\\.')} inside n2 /pool on chain\\.head #\\d+$`),
      )
      expect(violation?.node).toBe('n2')
    }, 30_000)
  }
})

describe('nodes', () => {
  test('are killed, started and drained, and come back with their chain and their id', async () => {
    const lives: string[] = []
    const book: Book = {
      ids: [],
      edge(edge, world) {
        if (edge.type !== 'life') return
        lives.push(`${Math.floor(world.nowMs / 1_000)} n${edge.node} ${edge.life}`)
      },
    }
    let heights: number[] = []
    const drive: Driver = world => {
      world.at(10_000, 'kill', () => world.faults.kill(1))
      world.at(12_000, 'start', () => world.faults.start(1))
      world.at(20_000, 'stop', () => world.faults.stop(2))
      world.at(23_000, 'start', () => world.faults.start(2))
    }
    const end = atEnd(world => {
      heights = world.nodes.map(node => node.running?.glance().height ?? -1)
    })
    const { violation } = await runWorld(
      calmOptions({ seconds: 80 }),
      testParts({ books: [book, end], drivers: [drive] }),
    )
    expect(violation).toBe(undefined)
    const expected = ['10 n1 kill', '12 n1 start', '12 n1 open', '23 n2 start', '23 n2 open']
    expect(lives).toEqual(expect.arrayContaining([...expected, '20 n2 stop']))
    expect(new Set(heights).size).toBe(1)
    expect(heights[0]).toBeGreaterThan(30)
  }, 30_000)
})
