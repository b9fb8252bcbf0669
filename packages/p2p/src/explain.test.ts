import type { Ban } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stateOf } from './explain.ts'
import { charges } from './reasons.ts'
import { createMonitorWorld, type MonitorWorld } from './testkit/monitor-world.ts'

const hour = 3_600_000

async function banned(world: MonitorWorld, times = 3): Promise<void> {
  await world.stranger('mallory')
  for (let time = 0; time < times; time++) world.offend('mallory')
  await world.pass(1_000)
}

describe('why', () => {
  test('of a banned peer names the end, the cause and the two ways out', async () => {
    const world = await createMonitorWorld()
    await banned(world)
    const why = await world.why('mallory')

    expect(why).toMatchObject({
      state: 'banned',
      reason: 'gossip/invalid-tx',
      sinceMs: world.start + 1_000,
      untilMs: world.start + 1_000 + hour,
      unblock: [
        { do: 'wait', untilMs: world.start + 1_000 + hour },
        { do: 'rockpool peers unban mallory' },
      ],
    })
    expect(why.why).toMatch(
      /^Banned until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \(60 min left\): 3 x gossip\/invalid-tx \(a transaction that is wrong for everyone\)\.$/,
    )
    expect(why.story.map(({ event }) => event)).toEqual(['charged', 'charged', 'charged', 'banned'])
    expect(why.story[0]).toMatchObject({
      reason: 'gossip/invalid-tx',
      detail: 'pool/invalid-sender',
      evidence: 'm0',
      delta: -40,
    })
  })

  test('of a second ban says that it is the second', async () => {
    const world = await createMonitorWorld()
    await banned(world)
    await world.pass(hour)
    for (let time = 0; time < 2; time++) world.offend('mallory')
    await world.pass(1_000)

    expect((await world.why('mallory')).why).toContain('2 x gossip/invalid-tx')
    expect((await world.why('mallory')).why).toContain('ban 2 within 30 days')
  })

  test('of an operator’s ban repeats the note; without an end only an unban helps', async () => {
    const world = await createMonitorWorld()
    world.ban('mallory', null)
    await world.settle()
    const why = await world.why('mallory')

    expect(why.why).toBe('Banned until an operator lets it in: by an operator, noise.')
    expect(why.unblock).toEqual([{ do: 'rockpool peers unban mallory' }])
    expect('untilMs' in why).toBe(false)
  })

  test.each([
    [
      'that was never seen',
      async () => {},
      'unknown',
      'Never seen: nothing is held for or against it.',
    ],
    [
      'that did nothing wrong',
      async (world: MonitorWorld) => void (await world.stranger('bob')),
      'good',
      'Connected as good, score 0.0, never charged.',
    ],
    [
      'that did a little wrong',
      async (world: MonitorWorld) => {
        await world.stranger('bob')
        world.offend('bob')
        world.offend('bob', 'sync/bad-reply')
      },
      'suspect',
      'Connected as suspect, score -80.0, last charged with sync/bad-reply (a request or an answer that no honest node makes).',
    ],
    [
      'that has left',
      async (world: MonitorWorld) => {
        const bob = await world.stranger('bob')
        world.offend('bob')
        await bob.port.stop()
      },
      'known',
      'Not connected, score -40.0, last charged with gossip/invalid-tx (a transaction that is wrong for everyone).',
    ],
  ])('of a peer %s', async (_, given, state, sentence) => {
    const world = await createMonitorWorld()
    await given(world)

    expect(await world.why('bob')).toMatchObject({ state, why: sentence, unblock: [] })
  })

  test('tells only what came after a given instant, and of a long story both ends', async () => {
    const world = await createMonitorWorld({ policy: { bans: false } })
    for (let time = 0; time < 40; time++) {
      world.offend('mallory')
      await world.pass(10)
    }
    const { story } = await world.why('mallory')
    expect(story).toHaveLength(16)
    expect([
      story[0]?.evidence,
      story[3]?.evidence,
      story[4]?.evidence,
      story.at(-1)?.evidence,
    ]).toEqual(['m0', 'm3', 'm28', 'm39'])

    const late = await world.why('mallory', world.start + 395)
    expect(late.story).toEqual([])
  })

  test('adds up: the parts of the score are its total', async () => {
    const gossip = fc.double({ min: -500, max: 500, noNaN: true })
    const offences = fc.array(fc.constantFrom(...Object.keys(charges)), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(gossip, offences, fc.nat(50), async (router, reasons, credit) => {
        const world = await createMonitorWorld({ gossip: new Map([['bob', router]]) })
        for (const reason of reasons) world.offend('bob', reason)
        world.tell({ type: 'monitor.credit', peer: 'bob', reason: 'credit/sync', times: credit })
        await world.pass(100)
        const { score } = await world.why('bob')

        expect(score.debit + score.credit + score.gossip).toBe(score.total)
        expect(score.gossip).toBe(Math.min(10, Math.max(-40, router / 2)))
      }),
      { numRuns: 30 },
    )
  })
})

test.each([
  [{ isConnected: true, isKnown: true, total: -50 }, 'good'],
  [{ isConnected: true, isKnown: true, total: -50.1 }, 'suspect'],
  [{ isConnected: false, isKnown: true, total: -80 }, 'known'],
  [{ isConnected: false, isKnown: false, total: 0 }, 'unknown'],
  [{ isConnected: true, isKnown: true, total: 0, ban: {} as Ban }, 'banned'],
])('a peer of which %j holds is %s', (facts, state) => {
  expect(stateOf({ ban: undefined, ...facts })).toBe(state)
})

test('the list has the connected, the known and every ban in force', async () => {
  const world = await createMonitorWorld({ statics: ['friend'] })
  await banned(world)
  await world.stranger('friend')
  world.offend('gone')
  world.ban('203.0.113.0/24', null)
  await world.settle()

  const { peers, bans } = await world.list()

  expect(peers.map(({ id, state, connected }) => `${id} ${state} ${connected}`).sort()).toEqual([
    'friend good true',
    'gone known false',
    'mallory banned false',
  ])
  expect(peers.find(({ id }) => id === 'friend')?.isStatic).toBe(true)
  expect(bans.map(({ subject }) => subject.value)).toEqual(['mallory', '203.0.113.0/24'])
})
