import { decodePeersAnswer, type PeerId } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { addrOf, createConnectorWorld } from './testkit/connector-world.ts'

type World = Awaited<ReturnType<typeof createConnectorWorld>>

const ids = (count: number, name = 'peer'): PeerId[] =>
  Array.from({ length: count }, (_, index) => `${name}${index + 1}`)

const namesOf = (frames: readonly Uint8Array[]): string[] =>
  frames.flatMap(frame => {
    const decoded = decodePeersAnswer(frame)
    return decoded.ok ? decoded.value.map(record => new TextDecoder().decode(record)) : []
  })

const dialledIds = ({ dialled }: World): string[] =>
  dialled.map(addr => addr.slice(addr.lastIndexOf('/') + 1))

describe('a newcomer', () => {
  test('asks its one bootnode within a second and dials whom it names', async () => {
    const named = ids(5)
    const world = await createConnectorWorld({ bootnodes: ['boot9'], tells: { boot9: named } })
    world.opened({ id: 'boot9', direction: 'out' })
    await world.pass(1_001)

    expect(world.asked[0]).toBe('boot9')
    expect(dialledIds(world).sort()).toEqual(named)
    expect(world.dialled).toContain(`${addrOf('peer1')}/p2p/peer1`)
  })

  test('asks those it has found, each once a minute, and nobody that dialled in', async () => {
    const world = await createConnectorWorld({ tells: { peer1: ['peer2'] } })
    world.opened({ id: 'peer1', direction: 'out' })
    world.opened({ id: 'mallory7' })
    await world.pass(50_000)

    expect(world.asked.filter(id => id === 'peer1')).toHaveLength(1)
    expect(world.asked).toContain('peer2')
    expect(world.asked).not.toContain('mallory7')
    await world.pass(60_000)
    expect(world.asked.filter(id => id === 'peer1').length).toBeGreaterThan(1)
  })

  test('dials at most four at once, and one peer of each address', async () => {
    const crowd = ids(16)
    const world = await createConnectorWorld({
      tells: { boot99: crowd },
      bootnodes: ['boot99'],
      addrs: () => ['/ip4/203.0.113.5/tcp/7625'],
    })
    world.opened({ id: 'boot99', direction: 'out' })
    await world.pass(60_000)

    // Those under way before the first was there.
    expect(world.dialled.length).toBeLessThanOrEqual(4)
  })

  test('forgets who does not answer, and believes at most sixteen names of one teller', async () => {
    const world = await createConnectorWorld({
      tells: { boot99: ids(16) },
      bootnodes: ['boot99'],
      dead: ids(16),
    })
    world.opened({ id: 'boot99', direction: 'out' })
    await world.pass(55_000)

    expect(dialledIds(world)).toHaveLength(16)
    expect(new Set(dialledIds(world)).size).toBe(16)
  })

  test('has no use for private addresses of a public teller', async () => {
    const world = await createConnectorWorld({
      tells: { boot9: ids(2) },
      bootnodes: ['boot9'],
      addrs: id =>
        id === 'peer1' ? ['/ip4/192.168.1.5/tcp/1'] : ['/ip4/10.0.0.1/tcp/1', addrOf(id)],
    })
    world.opened({ id: 'boot9', direction: 'out' })
    await world.pass(2_000)

    expect(world.dialled).toEqual([`${addrOf('peer2')}/p2p/peer2`])
  })

  test('charges a teller for a record that nobody has sealed', async () => {
    const world = await createConnectorWorld({ tells: { peer9: ['forged1', 'peer1'] } })
    world.opened({ id: 'peer9', direction: 'out' })
    await world.pass(2_000)

    expect(world.charges()).toEqual(['peer9 sync/bad-reply peers: bad seal'])
    expect(dialledIds(world)).toContain('peer1')
  })
})

describe('who asks', () => {
  test('is told good peers of this hour that are nobody’s own, and not itself', async () => {
    const world = await createConnectorWorld({ exempt: ['static4'], lo: 0 })
    for (const id of ['peer1', 'peer2', 'bad3', 'static4', 'shut5', 'asker6']) world.opened({ id })
    world.opened({ id: 'stranger8', protocols: [] })
    world.totals.set('bad3', -1)
    world.shut.add('shut5')
    world.opened({ id: 'gone7' })
    await world.settle()
    world.closed('gone7', { heldMs: 60_000 })

    expect(namesOf(await world.serve('asker6')).sort()).toEqual(['gone7', 'peer1', 'peer2'])
    await world.pass(3_600_000)
    expect(namesOf(await world.serve('asker6')).sort()).toEqual(['peer1', 'peer2'])
  })

  test('from another place is not told of private neighbours', async () => {
    const world = await createConnectorWorld({ lo: 0 })
    world.opened({ id: 'near1', ip: '10.0.0.1' })
    world.opened({ id: 'far2', ip: '198.51.100.1' })
    world.opened({ id: 'home3', ip: '10.9.9.9' })
    world.opened({ id: 'away4', ip: '198.51.100.77' })

    expect(namesOf(await world.serve('home3')).sort()).toEqual(['away4', 'far2', 'near1'])
    expect(namesOf(await world.serve('away4')).sort()).toEqual(['far2'])
  })

  test('is answered once in ten seconds, and charged for what is no request', async () => {
    const world = await createConnectorWorld({ lo: 0 })
    world.opened({ id: 'peer1' })
    world.opened({ id: 'asker2' })

    expect(await world.serve('asker2')).toHaveLength(1)
    expect(await world.serve('asker2')).toEqual([])
    await world.pass(10_000)
    expect(await world.serve('asker2')).toHaveLength(1)
    expect(await world.serve('asker2', Uint8Array.of(1, 2, 3))).toEqual([])
    expect(world.charges()).toEqual([expect.stringContaining('asker2 sync/bad-reply')])
  })

  test('a full bootnode is answered, and then sent away; elsewhere it may stay', async () => {
    for (const isBootnode of [true, false]) {
      const world = await createConnectorWorld({ isBootnode, lo: 0, hi: 3, max: 10 })
      for (const id of ids(4)) world.opened({ id })

      expect(await world.serve('peer4')).toHaveLength(1)
      await world.settle()

      expect(world.byes.map(({ id, bye }) => [id, bye.code])).toEqual(
        isBootnode ? [['peer4', 129]] : [],
      )
    }
  })
})

describe('too many peers', () => {
  test('35 of which 30 are kept: five go after the grace, the newest first, with a word', async () => {
    const world = await createConnectorWorld({ lo: 0 })
    for (const id of ids(35)) {
      world.opened({ id, sinceMs: 0 })
      await world.pass(1)
    }
    await world.pass(30_000)
    expect(world.byes).toEqual([])
    await world.pass(10_000)

    expect(world.byes.map(({ id }) => id)).toEqual([
      'peer35',
      'peer34',
      'peer33',
      'peer32',
      'peer31',
    ])
    expect(world.byes.every(({ bye }) => bye.code === 129)).toBe(true)
  })

  test('that go by themselves within the grace cost nobody a connection', async () => {
    const world = await createConnectorWorld({ lo: 0 })
    for (const id of ids(31)) world.opened({ id })
    await world.pass(20_000)
    world.closed('peer31')
    await world.pass(10_000)
    world.opened({ id: 'peer31' })
    await world.pass(25_000)

    expect(world.byes).toEqual([])
  })
})

describe('who closes', () => {
  test.each([
    ['too many peers', { goodbye: { code: 129, retryAfterSeconds: 0, text: '' } }, 300_000],
    ['shutting down', { goodbye: { code: 1, retryAfterSeconds: 0, text: '' } }, 60_000],
    ['refused', { heldMs: 100 }, 60_000],
  ])('because of %s is left alone for a while', async (_, end, ms) => {
    const world = await createConnectorWorld({ tells: { boot9: ['peer1'] }, bootnodes: ['boot9'] })
    world.opened({ id: 'boot9', direction: 'out' })
    await world.pass(2_000)
    expect(dialledIds(world)).toEqual(['peer1'])
    world.closed('peer1', end)
    await world.pass(ms - 6_000)
    expect(dialledIds(world)).toHaveLength(1)
    await world.pass(12_000)

    expect(dialledIds(world)).toHaveLength(2)
  })

  test('after a restart is still left alone, and good peers are dialled first', async () => {
    const store = new MemoryStore()
    const before = await createConnectorWorld({ store })
    before.opened({ id: 'good1', direction: 'out' })
    before.opened({ id: 'busy2', direction: 'out' })
    before.totals.set('good1', 3)
    before.totals.set('busy2', 3)
    await before.pass(125_000)
    before.closed('busy2', { goodbye: { code: 251, retryAfterSeconds: 999_999_999, text: '' } })
    await before.pass(10_000)

    const after = await createConnectorWorld({ store })
    await after.pass(10_000)

    expect(dialledIds(after)).toEqual(['good1'])
  })
})

test('a peer of another network is sent away after 15 s, a static one is not', async () => {
  const world = await createConnectorWorld({ exempt: ['own2'] })
  world.opened({ id: 'other1', protocols: ['/ipfs/ping/1.0.0', '/rockpool/1/00000000/peers/1'] })
  world.opened({ id: 'own2', protocols: [] })
  await world.pass(14_000)
  expect(world.byes).toEqual([])
  await world.pass(6_000)

  expect(world.byes.map(({ id, bye }) => [id, bye.code])).toEqual([['other1', 2]])
})

test('a banned peer is not dialled, and every phase of a life is told', async () => {
  const world = await createConnectorWorld({
    tells: { boot9: ['peer1', 'evil2'] },
    bootnodes: ['boot9'],
  })
  world.banned.add('evil2')
  world.opened({ id: 'boot9', direction: 'out' })
  await world.pass(10_000)
  expect(dialledIds(world)).toEqual(['peer1'])
  world.totals.set('peer1', -60)
  world.shut.add('boot9')
  await world.pass(5_000)
  expect((await world.stats()).phases).toEqual(
    new Map([
      ['quarantined', 1],
      ['suspect', 1],
    ]),
  )

  world.banned.add('boot9')
  await world.pass(5_000)
  world.closed('boot9')
  expect((await world.stats()).phases.get('banned')).toBe(1)
  world.banned.delete('boot9')
  world.shut.delete('boot9')
  await world.pass(5_000)

  expect((await world.stats()).phases.get('banned')).toBeUndefined()
})

test('a node that stops dials nobody and sends nobody away', async () => {
  const world = await createConnectorWorld({ tells: { boot9: ids(3) }, bootnodes: ['boot9'] })
  world.ref.tell({ type: 'connector.drain' })
  world.opened({ id: 'boot9', direction: 'out' })
  await world.pass(60_000)

  expect(world.dialled).toEqual([])
  expect(await world.serve('boot9')).toEqual([])
})
