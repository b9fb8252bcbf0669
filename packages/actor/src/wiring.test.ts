import { expect, test } from 'vitest'
import { Probe } from './probe.ts'
import { createTestBus } from './test-bus.ts'
import type { Wiring } from './wiring.ts'

type Banned = { type: 'peer.banned'; peer: string }
type Head = { type: 'chain.head'; height: number }
type Quiet = { type: 'disk.low' }
type Fact = Banned | Head | Quiet
type Inbox = {
  pool: { type: 'pool.add' } | Head
  watcher: Head | Banned
  gossip: Banned
}

const wiring = {
  'chain.head': ['watcher', 'pool'],
  'peer.banned': ['gossip'],
  'disk.low': [],
} satisfies Wiring<Inbox, Fact>

test('a fact reaches its listeners in table order, with the emitting turn as its cause', () => {
  const { bus, run } = createTestBus({ wiring })
  const heard: string[] = []
  for (const name of ['pool', 'watcher', 'gossip']) {
    new Probe<Fact>(bus, name, (fact, ctx) => heard.push(`${ctx.path} ${fact.type}`))
  }
  const chain = bus.spawn<{ type: 'go' }, Fact>('chain', ctx => () => {
    ctx.emit({ type: 'chain.head', height: 1 })
    ctx.emit({ type: 'disk.low' })
  })

  chain.tell({ type: 'go' })
  run()

  expect(heard).toEqual(['/watcher chain.head', '/pool chain.head'])
  expect(bus.trace(3).map(({ actor }) => actor)).toEqual(['/pool', '/chain'])
})

test('a listener that is not there makes a dead letter; a fact without a row is a bug', () => {
  const { bus, letters, fatals, run } = createTestBus({ wiring })
  const emitter = bus.spawn<{ type: 'go' }, Fact | { type: 'unknown' }>('chain', ctx => {
    let turns = 0
    return () => {
      if (turns++ === 0) ctx.emit({ type: 'peer.banned', peer: 'mallory' })
      else ctx.emit({ type: 'unknown' })
    }
  })
  emitter.tell({ type: 'go' })
  run()
  expect(letters.map(({ reason, to }) => [reason, to])).toEqual([['dead', '/gossip']])

  emitter.tell({ type: 'go' })
  run()
  expect(String(fatals[0])).toContain('no row for unknown')
  expect(bus.balanced()).toBe(true)
})

test('a wrong table does not compile', () => {
  const tables = [
    // @ts-expect-error a fact is missing
    { 'chain.head': ['pool'], 'peer.banned': [] } satisfies Wiring<Inbox, Fact>,
    {
      'chain.head': [],
      'disk.low': [],
      // @ts-expect-error nobody is called monitor
      'peer.banned': ['monitor'],
    } satisfies Wiring<Inbox, Fact>,
    {
      'chain.head': [],
      'disk.low': [],
      // @ts-expect-error the pool does not listen to bans
      'peer.banned': ['pool'],
    } satisfies Wiring<Inbox, Fact>,
    {
      'chain.head': [],
      'disk.low': [],
      'peer.banned': [],
      // @ts-expect-error there is no such fact
      'peer.praised': [],
    } satisfies Wiring<Inbox, Fact>,
  ]

  expect(tables).toHaveLength(4)
})
