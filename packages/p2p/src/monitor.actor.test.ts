import { limits, type MonitorStats, type Write } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createMonitorWorld, type MonitorWorld, SlowStore } from './testkit/monitor-world.ts'

const hour = 3_600_000

/** A world in which `mallory` has sent three invalid transactions and the tick has passed. */
async function withBan(options: Parameters<typeof createMonitorWorld>[0] = {}) {
  const world = await createMonitorWorld(options)
  const mallory = await world.stranger('mallory')
  for (let time = 0; time < 3; time++) world.offend('mallory')
  await world.pass(1_000)
  return { world, mallory }
}

const kinds = ({ facts }: MonitorWorld) => facts.heard.map(({ type }) => type)
const slow = ({ store }: MonitorWorld): SlowStore => store as SlowStore

describe('the rotation', () => {
  test('M1: no step before the first tick; five seconds are five steps, one for each', async () => {
    const looked: string[] = []
    const gossip = { get: (id: string) => void looked.push(id) } as unknown as Map<string, number>
    const world = await createMonitorWorld({ gossip })
    await world.stranger('alice')
    await world.pass(999)
    expect(looked).toEqual([])

    for (let second = 1; second <= 5; second++) {
      await world.pass(second === 1 ? 1 : 1_000)
      expect(looked).toHaveLength(second)
    }
  })

  test('M12: a drain during a write ends after it, a second one at once, and no step follows', async () => {
    const { world } = await withBan()
    slow(world).mode = 'held'
    for (let time = 0; time < 3; time++) world.offend('eve')
    await world.pass(1_000)

    const first = world.asked<void>(reply => ({ type: 'monitor.drain', reply }))
    await world.settle()
    expect('answer' in first).toBe(false)
    slow(world).letGo()
    await world.settle()
    expect('answer' in first).toBe(true)

    for (let time = 0; time < 3; time++) world.offend('late')
    const second = world.asked<void>(reply => ({ type: 'monitor.drain', reply }))
    await world.pass(5_000)
    expect('answer' in second).toBe(true)
    expect((await world.why('late')).state).toBe('known')
  })

  test('M17: a peer that came twice is one entry and is banned once', async () => {
    const world = await createMonitorWorld()
    const mallory = await world.stranger('mallory')
    await mallory.dial()
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(5_000)

    expect(kinds(world)).toEqual(['peer.banned'])
  })

  test('bans at its turn whom only slow offences brought below the minimum', async () => {
    const world = await createMonitorWorld({ gossip: new Map([['mallory', -200]]) })
    const mallory = await world.stranger('mallory')
    world.offend('mallory')
    world.offend('mallory', 'rate/wire')
    world.offend('mallory', 'rate/request')
    await world.pass(1_000)

    // 40 of the router, 40 and 20 of ours: -100 exactly is kept.
    expect(kinds(world)).toEqual([])
    world.offend('mallory', 'gossip/graft-flood')
    await world.pass(1_000)
    expect(world.facts.heard).toMatchObject([{ by: 'monitor', reason: 'gossip/invalid-tx' }])
    expect(mallory.byes).toMatchObject([{ code: 251 }])
  })
})

describe('three invalid messages', () => {
  test('within ninety seconds ban also a peer of the best router score', async () => {
    const world = await createMonitorWorld({ gossip: new Map([['mallory', 100]]) })
    await world.stranger('mallory')
    for (const wait of [0, 44_000, 45_000]) {
      await world.pass(wait)
      world.offend('mallory')
    }
    await world.pass(1_000)

    expect(kinds(world)).toEqual(['peer.banned'])
  })

  test('or any number, one every ten minutes, ban nobody', async () => {
    const world = await createMonitorWorld()
    await world.stranger('mallory')
    for (let time = 0; time < 30; time++) {
      world.offend('mallory')
      await world.pass(600_000)
    }

    expect(kinds(world)).toEqual([])
  })

  test('shut the peer up at once and ban it at the next tick, with the evidence', async () => {
    const world = await createMonitorWorld()
    await world.stranger('mallory')
    await world.pass(500)
    world.offend('mallory')
    world.offend('mallory')
    expect(world.peers.isShut('mallory')).toBe(false)
    world.offend('mallory')
    expect(world.peers.isShut('mallory')).toBe(true)

    await world.pass(500)

    expect(world.facts.heard).toMatchObject([
      {
        type: 'peer.banned',
        subject: { kind: 'peer', value: 'mallory' },
        untilMs: world.start + 1_000 + hour,
        reason: 'gossip/invalid-tx',
        by: 'urgent',
        count: 0,
        durable: true,
      },
    ])
    expect((await world.list()).bans[0]?.evidence).toEqual(['m0', 'm1', 'm2'])
  })

  test('and leaving at once do not save a peer', async () => {
    const world = await createMonitorWorld()
    const mallory = await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await mallory.port.disconnect('me', { code: 1, retryAfterSeconds: 0, text: '' })
    await world.pass(1_000)

    expect(kinds(world)).toEqual(['peer.banned'])
    expect(await mallory.dial()).toBe('p2p/dial-failed')
  })

  test('of seventeen peers: sixteen are judged in one tick, the last in the next', async () => {
    const world = await createMonitorWorld()
    for (let index = 0; index < 17; index++) {
      for (let time = 0; time < 3; time++) world.offend(`p${index}`)
    }
    await world.pass(1_000)
    expect(kinds(world)).toHaveLength(limits.urgentPerTick)
    await world.pass(1_000)
    expect(kinds(world)).toHaveLength(17)
  })

  test('of a static or protected peer are counted and shown, and it stays', async () => {
    const world = await createMonitorWorld({ statics: ['friend'] })
    const friend = await world.stranger('friend')
    const guest = await world.stranger('guest')
    await world.protect('guest')
    for (const id of ['friend', 'guest']) {
      for (let time = 0; time < 9; time++) world.offend(id)
    }
    await world.pass(10_000)

    expect(kinds(world)).toEqual([])
    expect([friend.byes, guest.byes]).toEqual([[], []])
    expect([world.peers.isShut('friend'), world.peers.isShut('guest')]).toEqual([false, false])
    expect((await world.why('friend')).why).toContain('static, kept although below the minimum')
  })

  test('ban nobody where bans are off', async () => {
    const { world, mallory } = await withBan({ policy: { bans: false } })
    await world.pass(10_000)

    expect(kinds(world)).toEqual([])
    expect(world.peers.isShut('mallory')).toBe(false)
    expect(mallory.byes).toEqual([])
  })

  test('below another threshold ban later', async () => {
    const { world } = await withBan({ policy: { threshold: -150 } })
    expect(kinds(world)).toEqual([])
    world.offend('mallory')
    await world.pass(1_000)

    expect(kinds(world)).toEqual(['peer.banned'])
  })
})

describe('a ban', () => {
  test('is told to nobody before it is on disk, but shuts the peer out at once', async () => {
    const world = await createMonitorWorld()
    const mallory = await world.stranger('mallory')
    slow(world).mode = 'held'
    const asked = world.ban('mallory', world.start + hour)
    await world.settle()

    expect([asked.answer, kinds(world), mallory.byes]).toEqual([undefined, [], []])
    expect(world.peers.isShut('mallory')).toBe(true)
    expect(await (await world.stranger('other')).dial()).toBe('me')

    slow(world).letGo()
    await world.settle()
    expect(asked.answer).toMatchObject({ ok: true, value: { by: 'operator', note: 'noise' } })
    expect(kinds(world)).toEqual(['peer.banned'])
    expect(mallory.byes).toEqual([{ code: 251, retryAfterSeconds: 3_600, text: 'operator' }])
    expect(slow(world).batches.at(-1)).toMatchObject({ sync: true })
  })

  test('is heard once, after it is on disk, though the rotation sees the peer meanwhile', async () => {
    const world = await createMonitorWorld()
    const mallory = await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    slow(world).mode = 'held'
    await world.pass(3_000)
    expect([kinds(world), world.goodbyes]).toEqual([[], []])

    slow(world).letGo()
    await world.pass(3_000)
    expect(kinds(world)).toEqual(['peer.banned'])
    expect(world.goodbyes).toEqual(['mallory'])
    expect(mallory.byes).toMatchObject([{ code: 251, text: 'gossip/invalid-tx' }])
  })

  test('is heard once while the connection takes its time to close', async () => {
    const world = await createMonitorWorld({ closeMs: 4_500 })
    await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(4_000)
    expect(world.goodbyes).toEqual(['mallory'])
  })

  test('of a peer that comes back while the last goodbye is under way is heard again', async () => {
    const world = await createMonitorWorld({ closeMs: 60_000 })
    const mallory = await world.stranger('mallory')
    for (let time = 0; time < 3; time++) world.offend('mallory')
    await world.pass(1_000)
    world.tell({ type: 'peer.closed', peer: 'mallory', heldMs: 1_000 })
    const peer = { id: 'mallory', ip: '127.0.0.1', sinceMs: 0, protocols: [] }
    world.tell({ type: 'peer.opened', peer: { ...peer, direction: 'in' } })
    await world.settle()

    expect(world.goodbyes).toEqual(['mallory', 'mallory'])
    expect(mallory.byes).toEqual([])
  })

  test('holds when the disk fails, says so, and is written when the disk is back', async () => {
    const world = await createMonitorWorld()
    const mallory = await world.stranger('mallory')
    slow(world).mode = 'broken'
    const asked = world.ban('mallory', world.start + hour)
    await world.settle()

    expect(asked.answer).toMatchObject({ code: 'p2p/ban-not-durable' })
    expect(world.facts.heard).toMatchObject([{ durable: false }])
    expect(mallory.byes).toHaveLength(1)
    expect(world.node.heard).toMatchObject([{ reason: { code: 'bans-failed' } }])

    await world.pass(limits.banRetryMs)
    slow(world).mode = 'fast'
    await world.pass(limits.banRetryMs)

    expect(world.node.heard.at(-1)).toEqual({ type: 'node.clear', code: 'bans-failed' })
    const later = await createMonitorWorld({ store: slow(world), atMs: 20_000 })
    expect((await later.stranger('mallory')).outcome).toBe('p2p/dial-failed')
  })

  test('ends exactly at its end, on probation, and the router forgets', async () => {
    const { world, mallory } = await withBan()
    await world.pass(hour - 1)
    expect(await mallory.dial()).toBe('p2p/dial-failed')

    await world.pass(1)

    expect(await mallory.dial()).toBe('me')
    expect(world.facts.heard.at(-1)).toEqual({
      type: 'peer.lifted',
      subject: { kind: 'peer', value: 'mallory' },
      cause: 'expired',
    })
    expect(world.forgiven).toEqual(['mallory'])
    expect((await world.why('mallory')).score).toMatchObject({ total: -50, debit: -50 })
  })

  test('is not ended by a good score', async () => {
    const { world, mallory } = await withBan()
    const again = { type: 'monitor.credit', peer: 'mallory', reason: 'credit/sync' } as const
    await world.pass(700_000)
    world.tell({ ...again, times: 1_000 })
    await world.pass(1_000)

    expect(await mallory.dial()).toBe('p2p/dial-failed')
  })

  test('is repeated only for new offences, and then longer', async () => {
    const { world } = await withBan()
    await world.pass(hour + 60_000)
    expect(kinds(world)).toEqual(['peer.banned', 'peer.lifted'])

    world.offend('mallory')
    world.offend('mallory')
    await world.pass(1_000)

    const [, , again] = world.facts.heard
    expect(again).toMatchObject({ type: 'peer.banned', count: 1 })
    const untilMs = again?.type === 'peer.banned' ? (again.untilMs ?? 0) : 0
    expect(untilMs - world.start).toBe(hour + 62_000 + 6 * hour)
  })

  test('of a peer that is just connecting closes it when it has come', async () => {
    const { world } = await withBan()
    const port = world.network
    await port.dial('/loop/mallory/p2p/mallory', 1_000).catch(() => {})
    const peer = { id: 'mallory', ip: '127.0.0.1', sinceMs: 0, protocols: [] }
    world.tell({ type: 'peer.opened', peer: { ...peer, direction: 'in' } })
    await world.settle()

    expect((await world.list()).peers.find(({ id }) => id === 'mallory')?.state).toBe('banned')
    expect(kinds(world)).toEqual(['peer.banned'])
  })
})

describe('over a restart', () => {
  test('a ban holds until its end', async () => {
    const { world } = await withBan()
    await world.pass(limits.reputationFlushMs)
    const later = await createMonitorWorld({ store: slow(world), atMs: 60_000 })
    const mallory = await later.stranger('mallory')
    expect(mallory.outcome).toBe('p2p/dial-failed')
    expect((await later.why('mallory')).why).toContain('3 x gossip/invalid-tx')

    await later.pass(hour - 60_000 + 1_000)

    expect(await mallory.dial()).toBe('me')
    expect(later.facts.heard).toMatchObject([{ type: 'peer.lifted', cause: 'expired' }])
  })

  test('a ban that ended meanwhile is lifted at once', async () => {
    const { world } = await withBan()
    const later = await createMonitorWorld({ store: slow(world), atMs: 2 * hour })
    await later.settle()

    expect(later.facts.heard).toMatchObject([{ type: 'peer.lifted', cause: 'expired' }])
    const last = await createMonitorWorld({ store: slow(world), atMs: 3 * hour })
    await last.settle()
    expect(last.facts.heard).toEqual([])
  })

  test('a score is what it was, less its decay', async () => {
    const world = await createMonitorWorld()
    world.offend('mallory')
    await world.pass(limits.reputationFlushMs)

    const later = await createMonitorWorld({ store: slow(world), atMs: 600_000 })

    expect((await later.why('mallory')).score.total).toBeCloseTo(-20, 6)
    expect((await later.why('mallory')).story).toMatchObject([{ evidence: 'm0', delta: -40 }])
  })

  test('everybody is forgiven where nothing is kept', async () => {
    const { world, mallory } = await withBan({ store: null })
    expect(world.facts.heard).toMatchObject([{ durable: false }])
    expect(world.node.heard).toEqual([])
    expect(await mallory.dial()).toBe('p2p/dial-failed')
  })

  test.each(['bpeer mallory', 'rpmallory'])(
    'a record %s that does not decode refuses the start',
    async key => {
      const { world } = await withBan()
      await world.pass(limits.reputationFlushMs)
      const bad: Write = { type: 'put', key: Buffer.from(key), value: Uint8Array.of(0x92, 7) }
      await slow(world).batch([bad])

      await expect(createMonitorWorld({ store: slow(world) })).rejects.toMatchObject({
        code: 'store/corrupt',
        message: expect.stringContaining(Buffer.from(key).toString('hex')),
      })
    },
  )
})

describe('an operator', () => {
  test('bans an address: everybody there is closed, static and protected peers are not', async () => {
    const world = await createMonitorWorld({ statics: ['friend'] })
    const [friend, guest, mallory] = [
      await world.stranger('friend'),
      await world.stranger('guest'),
      await world.stranger('mallory'),
    ]
    await world.protect('guest')
    world.ban('127.0.0.0/8', null)
    await world.settle()

    expect([friend.byes.length, guest.byes.length, mallory.byes.length]).toEqual([0, 0, 1])
    expect(await mallory.dial()).toBe('p2p/dial-failed')

    expect(await world.unban('127.0.0.0/8')).toMatchObject({ ok: true })
    expect(await mallory.dial()).toBe('me')
  })

  test('cannot ban this node, a static or a protected peer, or until a time that has passed', async () => {
    const world = await createMonitorWorld({ statics: ['friend'] })
    await world.protect('guest')
    const refused = async (text: string, untilMs: number | null = null) => {
      const asked = world.ban(text, untilMs)
      await world.settle()
      return asked.answer?.ok === false ? asked.answer.code : 'taken'
    }

    expect(await refused('me')).toBe('p2p/peer-is-self')
    expect(await refused('friend')).toBe('p2p/peer-is-static')
    expect(await refused('guest')).toBe('p2p/peer-is-protected')
    expect(await refused('mallory', world.start)).toBe('p2p/until-in-past')
    await world.protect('guest', false)
    expect(await refused('guest')).toBe('taken')
  })

  test('lets a banned peer in at once, without a debit', async () => {
    const { world, mallory } = await withBan()

    expect(await world.unban('mallory')).toMatchObject({ ok: true })

    expect(await mallory.dial()).toBe('me')
    expect((await world.why('mallory')).score.total).toBe(0)
    expect(world.facts.heard.at(-1)).toMatchObject({ type: 'peer.lifted', cause: 'operator' })
    expect(world.forgiven).toEqual(['mallory'])
    expect(await world.unban('mallory')).toMatchObject({ code: 'p2p/not-banned' })
  })

  test('that forgets leaves nothing of the peer on disk', async () => {
    const { world } = await withBan()
    await world.unban('mallory', true)
    await world.pass(limits.reputationFlushMs)

    expect(await slow(world).scan({})).toEqual([])
    expect((await world.why('mallory')).state).toBe('unknown')
  })
})

test('what is over and worth nothing leaves the disk too', async () => {
  const { world } = await withBan()
  await world.pass(hour + 1_000)
  await world.unban('mallory').catch(() => {})
  const later = await createMonitorWorld({ store: slow(world), atMs: 40 * 24 * hour })
  await later.pass(60_000 + limits.reputationFlushMs)
  await later.pass(60_000)

  expect(await slow(world).scan({})).toEqual([])
})

test('the numbers say what was charged, banned and ended', async () => {
  const { world } = await withBan()
  await world.stranger('alice')
  const stats = await world.ask<MonitorStats>(reply => ({ type: 'monitor.getStats', reply }))

  expect(stats.charges).toEqual(new Map([['gossip/invalid-tx', 3]]))
  expect(stats.bans).toEqual(new Map([['urgent peer', 1]]))
  expect(stats.active).toEqual(new Map([['peer', 1]]))
  expect(stats.states).toEqual(new Map([['good', 1]]))
  expect(stats.records).toBe(1)
})

test('an unknown reason is a bug and does not pass in silence', async () => {
  const world = await createMonitorWorld()
  world.offend('mallory', 'gossip/ugly')

  expect(world.fatals).toHaveLength(1)
})
