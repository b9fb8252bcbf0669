import { type Ban, type DryReport, limits, type PeerId } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createMonitorWorld, type MonitorWorld, SlowStore } from './testkit/monitor-world.ts'

const real = { budget: 0.1, minPeers: 1 }
const hour = 3_600_000

const kinds = ({ facts }: MonitorWorld) => facts.heard.map(({ type }) => type)
const about = ({ facts }: MonitorWorld, wanted: string) =>
  facts.heard.filter(({ type }) => type === wanted)

/** So many peers that `me` has dialled. */
async function crowd(world: MonitorWorld, count: number): Promise<PeerId[]> {
  const ids: PeerId[] = []
  for (let index = 0; index < count; index++) {
    const { id } = await world.host(`p${index}`)
    ids.push(id)
  }
  return ids
}

describe('of peers that all seem slow at once', () => {
  test('64 with 162 timeouts in a minute: nobody is banned, and this node is suspect at once', async () => {
    const world = await createMonitorWorld({ policy: real })
    const ids = await crowd(world, 64)
    for (let second = 0; second < 60; second++) {
      for (let each = 0; each < 3; each++) {
        const peer = ids[(second * 7 + each * 23) % 64] ?? ''
        world.offend(peer, 'liveness/request-timeout')
        world.offend(peer, 'liveness/sync-timeout')
      }
      await world.pass(1_000)
      if (second === 8)
        expect(world.self.heard).toEqual([{ type: 'node.suspect', cause: 'liveness-wave' }])
    }

    expect(kinds(world)).toEqual([])
    expect(world.node.heard).toContainEqual(
      expect.objectContaining({
        type: 'node.raise',
        reason: expect.objectContaining({ code: 'self-suspect' }),
      }),
    )
    await world.pass(180_000)
    expect(world.self.heard.at(-1)).toEqual({ type: 'node.trusted' })
    expect(world.node.heard.at(-1)).toEqual({ type: 'node.clear', code: 'self-suspect' })
  })

  test('what the wave has cost before it was seen is given back to the last point', async () => {
    const world = await createMonitorWorld({ policy: real })
    const ids = await crowd(world, 9)
    world.offend('p8', 'rate/wire')
    await world.pass(10_000)
    world.offend('p8', 'liveness/sync-timeout')
    const before = (await world.why('p8')).score.total
    expect(before).toBeLessThan(-10)
    for (const id of ids.slice(0, 2)) world.offend(id, 'liveness/sync-timeout')
    await world.pass(1_000)

    const why = await world.why('p8')
    expect(why.score.total).toBeCloseTo(-10 * 2 ** (-11_000 / 600_000), 9)
    expect(why.story.map(({ event }) => event)).toEqual(['charged', 'charged', 'refunded'])
    world.offend('p3', 'liveness/sync-timeout')
    expect((await world.why('p3')).story[0]).toMatchObject({ delta: 0, suspended: true })
  })
})

describe('while this node is suspect', () => {
  test('what is no proof is written down and costs nothing; proof costs what it does', async () => {
    const world = await createMonitorWorld({ policy: real })
    await crowd(world, 4)
    world.tell({ type: 'monitor.health', lagP99Ms: 900 })
    world.offend('p0', 'rate/wire')
    world.offend('p0')

    const why = await world.why('p0')
    expect(why.score).toMatchObject({ debit: -40, proven: -40 })
    expect(why.story.map(({ delta }) => delta)).toEqual([0, -40])
  })

  test('nobody is banned whom only doubtful charges brought below the minimum', async () => {
    const world = await createMonitorWorld({ policy: real, gossip: new Map([['p0', -80]]) })
    await crowd(world, 4)
    for (const reason of ['rate/wire', 'rate/request', 'wire/stream-churn']) {
      world.offend('p0', reason)
      await world.pass(30_000)
      world.offend('p0', reason)
      await world.pass(30_000)
    }
    world.offend('p0', 'rate/wire')
    world.tell({ type: 'monitor.health', lagP99Ms: 900 })
    await world.pass(5_000)
    expect(kinds(world)).toEqual([])
  })

  test('a jump of the clock by an hour bans nobody and frees nobody of a provable charge', async () => {
    const world = await createMonitorWorld({ policy: real })
    await crowd(world, 4)
    world.offend('p0')
    await world.pass(2_000)
    world.clock.shiftWall(hour)
    await world.pass(3_000)

    expect(kinds(world)).toEqual([])
    expect(world.self.heard).toEqual([{ type: 'node.suspect', cause: 'clock' }])
  })

  test.each([
    ['forward', hour],
    ['back', -hour],
  ])('a clock that is set %s forgives nobody: the third offence bans', async (_, byMs) => {
    const world = await createMonitorWorld()
    await crowd(world, 4)
    world.offend('p0')
    world.offend('p0')
    world.clock.shiftWall(byMs)
    world.offend('p0')
    await world.pass(2_000)

    expect(kinds(world)).toEqual(['peer.banned'])
  })

  test('what is held against a peer decays by the time that passes, whatever the wall clock says', async () => {
    const world = await createMonitorWorld()
    await crowd(world, 4)
    world.offend('p0')
    const debit = async () =>
      (await world.list()).peers.find(({ id }) => id === 'p0')?.score.debit ?? 0
    const before = await debit()
    world.clock.shiftWall(-hour)
    await world.pass(600_000)
    world.clock.shiftWall(2 * hour)
    await world.pass(1_000)

    expect((await debit()) / before).toBeCloseTo(0.5, 1)
  })

  test('a disk that does not answer is a sign too', async () => {
    const world = await createMonitorWorld({ policy: real })
    await crowd(world, 4)
    const store = world.store as SlowStore
    store.mode = 'held'
    world.ban('p0', null)
    await world.pass(7_000)
    store.letGo()

    expect(world.self.heard).toEqual([{ type: 'node.suspect', cause: 'store' }])
  })
})

describe('of many who deserve it', () => {
  test('64 at once: at most six are banned in a minute, the others are not listened to', async () => {
    const world = await createMonitorWorld({ policy: real })
    const ids = (await crowd(world, 65)).slice(1)
    for (const id of ids) for (let time = 0; time < 3; time++) world.offend(id)
    await world.pass(59_000)

    expect(about(world, 'peer.banned').length).toBeGreaterThan(0)
    expect(about(world, 'peer.banned').length).toBeLessThanOrEqual(6)
    expect(ids.every(id => world.peers.isShut(id))).toBe(true)
    expect(world.node.heard).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ code: 'minority-view' }) }),
    )
  })

  test('the only peer is put in quarantine, told so, and starts again after an hour', async () => {
    const world = await createMonitorWorld({ policy: real })
    const mallory = await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(1_000)

    expect(world.facts.heard).toEqual([{ type: 'peer.quarantined', peer: 'mallory', why: 'floor' }])
    expect(mallory.byes).toEqual([])
    expect(world.peers.shutBy('mallory')).toBe('peer/quarantined')
    const why = await world.why('mallory')
    expect(why).toMatchObject({ state: 'quarantined', untilMs: world.start + 1_000 + hour })
    expect(why.why).toContain('too few other peers')
    await world.pass(hour - 1_000)
    expect((await world.why('mallory')).score.debit).toBeCloseTo(-119.8615, 4)

    await world.pass(1_000)
    expect(kinds(world)).toEqual(['peer.quarantined', 'peer.released'])
    expect(world.peers.isShut('mallory')).toBe(false)
    expect((await world.why('mallory')).score.debit).toBeCloseTo(-50, 0)
  })

  test('the mark survives reconnect and restart', async () => {
    const store = new SlowStore()
    const world = await createMonitorWorld({ policy: real, store })
    await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(1_000)
    const again = await createMonitorWorld({ policy: real, store, atMs: world.clock.now() })

    expect(again.peers.shutBy('mallory')).toBe('peer/quarantined')
    await again.pass(10_000)
    expect(again.peers.shutBy('mallory')).toBe('peer/quarantined')
  })

  test('who is in quarantine is banned at its turn when the budget is there again', async () => {
    const world = await createMonitorWorld({ policy: real })
    await crowd(world, 4)
    for (const id of ['p0', 'p1']) for (let time = 0; time < 3; time++) world.offend(id)
    await world.pass(1_000)
    expect(kinds(world)).toEqual(['peer.banned', 'peer.quarantined'])

    await world.pass(63_000)
    expect(kinds(world)).toEqual(['peer.banned', 'peer.quarantined', 'peer.banned'])
  })

  test('a static or protected one is neither banned nor put in quarantine', async () => {
    const world = await createMonitorWorld({ policy: real, statics: ['p0'] })
    await crowd(world, 3)
    await world.protect('p1')
    for (const id of ['p0', 'p1']) for (let time = 0; time < 5; time++) world.offend(id)
    await world.pass(5_000)

    expect(kinds(world)).toEqual([])
    expect((await world.why('p1')).score.debit).toBeLessThan(-198)
    expect((await world.why('p1')).why).toContain('kept although below the minimum')
  })

  test('an operator lets it out of quarantine', async () => {
    const world = await createMonitorWorld({ policy: real })
    await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(1_000)
    await world.unban('mallory')

    expect(world.peers.isShut('mallory')).toBe(false)
    expect((await world.why('mallory')).score.total).toBe(0)
  })
})

describe('the addresses of banned ids', () => {
  test('are banned with the fifth within a day; the sixth id is refused at the door', async () => {
    const world = await createMonitorWorld({ policy: { ...real, minPeers: 0 } })
    for (let index = 0; index < 5; index++) {
      const peer = await world.stranger(`m${index}`, '203.0.113.7')
      expect(peer.outcome).toBe('me')
      for (let time = 0; time < 3; time++) world.offend(`m${index}`)
      await world.pass(61_000)
    }
    const bans = about(world, 'peer.banned')
    expect(bans).toHaveLength(6)
    expect(bans.at(-1)).toMatchObject({ subject: { kind: 'ip', value: '203.0.113.7' } })
    expect((await world.stranger('m5', '203.0.113.7')).outcome).not.toBe('me')
    expect((await world.stranger('honest', '203.0.113.8')).outcome).toBe('me')
  })

  test('make the first ban of a new id there longer', async () => {
    const world = await createMonitorWorld({ policy: { ...real, minPeers: 0 } })
    for (const id of ['m0', 'm1', 'm2']) {
      await world.stranger(id, '203.0.113.7')
      for (let time = 0; time < 3; time++) world.offend(id)
      await world.pass(61_000)
    }
    const spans = (await world.list()).bans.map(({ fromMs, untilMs }) => (untilMs ?? 0) - fromMs)

    expect(spans).toEqual([hour, 6 * hour, 24 * hour])
  })

  test('are let alone on loopback, and where the threshold is nought', async () => {
    for (const options of [
      { ip: '127.0.0.1', ipThreshold: 5 },
      { ip: '203.0.113.7', ipThreshold: 0 },
    ]) {
      const { ip, ipThreshold } = options
      const world = await createMonitorWorld({ policy: { ...real, minPeers: 0, ipThreshold } })
      for (let index = 0; index < 6; index++) {
        await world.stranger(`m${index}`, ip)
        for (let time = 0; time < 3; time++) world.offend(`m${index}`)
        await world.pass(61_000)
      }
      expect(about(world, 'peer.banned')).toHaveLength(6)
    }
  })
})

describe('other rules', () => {
  test('are tried on what was recorded, and change nothing', async () => {
    const world = await createMonitorWorld({ policy: { ...real, minPeers: 0 } })
    await crowd(world, 3)
    world.offend('p0')
    world.offend('p0')
    for (let time = 0; time < 3; time++) world.offend('p1')
    await world.pass(1_000)
    const tried = (threshold: number, points: readonly (readonly [string, number])[] = []) =>
      world.ask<DryReport>(reply => ({
        ...{ type: 'monitor.dryRun', sinceMs: 0, reply },
        rules: { threshold, banMs: hour, points: new Map(points) },
      }))

    const strict = await tried(-50)
    expect(strict.charges).toBe(5)
    expect(strict.peers.map(({ peer, would, was }) => [peer, would.length, was.length])).toEqual([
      ['p0', 1, 0],
      ['p1', 1, 1],
    ])
    expect((await tried(-100)).peers.map(({ peer }) => peer)).toEqual(['p1'])
    const cheap = await tried(-100, [['gossip/invalid-tx', -1]])
    expect(cheap.peers).toMatchObject([{ peer: 'p1', would: [], was: [world.start + 1_000] }])
    expect((await world.why('p0')).state).toBe('suspect')
  })

  test('are tried also on what was recorded before a restart', async () => {
    const store = new SlowStore()
    const world = await createMonitorWorld({ store })
    await world.stranger('mallory')
    world.offend('mallory')
    await world.pass(limits.reputationFlushMs)
    const again = await createMonitorWorld({ store, atMs: world.clock.now() })
    const report = await again.ask<{ charges: number }>(reply => ({
      ...{ type: 'monitor.dryRun', sinceMs: 0, reply: reply as never },
      rules: { threshold: -30, banMs: hour, points: new Map() },
    }))

    expect(report.charges).toBe(1)
  })
})

test('the lines of a score add up to its total', async () => {
  const world = await createMonitorWorld({ policy: real, gossip: new Map([['p0', -30]]) })
  await crowd(world, 4)
  for (let round = 0; round < 20; round++) {
    world.offend('p0', round % 3 === 0 ? 'rate/wire' : 'liveness/sync-timeout')
    await world.pass(35_000)
    const { lines, score } = await world.why('p0')
    expect(lines.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(score.total, 9)
  }
})

test('a book is copied and taken in: the later end counts, own and static peers are left out', async () => {
  const world = await createMonitorWorld({ statics: ['friend'] })
  await world.stranger('mallory')
  world.ban('mallory', world.clock.wall() + hour)
  await world.settle()
  const book = await world.ask<readonly Ban[]>(reply => ({ type: 'monitor.export', reply }))
  expect(book.map(({ subject }) => subject.value)).toEqual(['mallory'])

  const other = await createMonitorWorld({ statics: ['friend'] })
  const eve = await other.stranger('mallory')
  const named = (value: string) =>
    book.map((ban): Ban => ({ ...ban, subject: { kind: 'peer', value } }))
  const bans = [...book, ...named('me'), ...named('friend'), ...book]
  const answer = await other.ask(reply => ({ type: 'monitor.import', bans, reply }))

  expect(answer).toEqual({
    ok: true,
    value: {
      added: 1,
      skipped: [
        { subject: 'me', why: 'p2p/peer-is-self' },
        { subject: 'friend', why: 'p2p/peer-is-static' },
        { subject: 'mallory', why: 'p2p/ban-not-longer' },
      ],
    },
  })
  expect(eve.byes).toMatchObject([{ code: 251 }])
  expect(await eve.dial()).not.toBe('me')
})
