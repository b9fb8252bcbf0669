import type { GateEvent, PeerId, PeerView } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { connectionPolicy } from './connection-policy.ts'
import { createRoom } from './room.ts'
import { addrOf, createConnectorWorld } from './testkit/connector-world.ts'

/*
 * Attacks on the set of peers, against the connector and the room that a node has in profile `public`. Attackers score as well as they can.
 */

const policy = connectionPolicy({
  ...{ profile: 'public', lo: 20, hi: 30, max: 40, graceMs: 30_000, isBootnode: false },
})

type World = Awaited<ReturnType<typeof createConnectorWorld>>

/** Peers of a world, with the room in front of those that dial in. */
function frontOf(world: World) {
  const there = new Map<PeerId, PeerView>()
  const room = createRoom({
    policy,
    peers: () => [...there.values()],
    isExempt: () => false,
    exemptIps: new Set(),
  })
  const add = (view: PeerView): void => {
    there.set(view.id, view)
    world.opened(view)
  }
  return {
    there,
    add,
    /** True for one that is let in. */
    knock(id: PeerId, ip: string): boolean {
      const events: readonly GateEvent[] = [
        { hook: 'inbound', ip },
        { hook: 'inboundEncrypted', peer: id, ip },
      ]
      if (!events.every(event => room(event).allow)) return false
      add({ id, ip, direction: 'in', sinceMs: 0, protocols: ['/rockpool/1337/d1164378/peers/1'] })
      return true
    },
    /** Takes away whom the node has sent away. */
    sweep(): void {
      for (const { id } of world.byes) there.delete(id)
    },
  }
}

const honest = (index: number): PeerView => ({
  id: `honest${index}`,
  direction: 'out',
  ip: `203.0.${index}.1`,
  sinceMs: 0,
  protocols: ['/rockpool/1337/d1164378/peers/1'],
})

describe('eclipse', () => {
  test('forty attackers of four addresses get sixteen seats, and no honest peer loses its own', async () => {
    const world = await createConnectorWorld()
    const front = frontOf(world)
    for (let index = 1; index <= 8; index++) front.add(honest(index))

    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 40; index++) {
        const id = `evil${100 + index}`
        if (front.there.has(id)) continue
        if (front.knock(id, `198.51.100.${index % 4}`)) world.totals.set(id, 20)
      }
      await world.pass(10_000)
      front.sweep()
    }

    const ids = [...front.there.keys()]
    expect(ids.filter(id => id.startsWith('evil'))).toHaveLength(16)
    expect(ids.filter(id => id.startsWith('honest'))).toHaveLength(8)
  })

  test('from as many addresses as there are seats they fill the inbound ones only', async () => {
    const world = await createConnectorWorld()
    const front = frontOf(world)
    for (let index = 1; index <= 8; index++) front.add(honest(index))

    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 200; index++) {
        const id = `evil${1_000 + 200 * round + index}`
        if (front.knock(id, `198.51.${index}.7`)) world.totals.set(id, 20)
      }
      await world.pass(10_000)
      front.sweep()
    }

    const ids = [...front.there.keys()]
    expect(ids.filter(id => id.startsWith('honest'))).toHaveLength(8)
    expect(ids.length).toBeLessThanOrEqual(policy.hi)
  })

  test('the eight that dialled in first cannot be pushed out by better ones that come later', async () => {
    const world = await createConnectorWorld({ lo: 0, profile: 'devnet' })
    for (let index = 1; index <= 8; index++) {
      world.opened({ id: `early${index}`, sinceMs: index })
      await world.pass(1)
    }
    for (let index = 0; index < 40; index++) {
      world.opened({ id: `evil${100 + index}` })
      world.totals.set(`evil${100 + index}`, 20)
    }
    await world.pass(60_000)

    expect(world.byes).toHaveLength(18)
    expect(world.byes.filter(({ id }) => id.startsWith('early'))).toEqual([])
  })
})

describe('cold boot', () => {
  test('with four evil candidates of five an honest peer is there within 30 s', async () => {
    const named = Array.from({ length: 16 }, (_, index) =>
      index % 5 === 0 ? `honest${index + 1}` : `evil${index + 1}`,
    )
    const world = await createConnectorWorld({ bootnodes: ['boot99'], tells: { boot99: named } })
    world.opened({ id: 'boot99', direction: 'out' })
    await world.pass(30_000)

    expect(world.dialled.filter(addr => addr.includes('/honest')).length).toBeGreaterThanOrEqual(1)
  })

  test('evil tellers that name a thousand others get no more of this node than an honest one', async () => {
    const crowd = (name: string) => Array.from({ length: 16 }, (_, index) => `${name}${index + 1}`)
    const world = await createConnectorWorld({
      lo: 10,
      bootnodes: ['boot99', 'boot98'],
      tells: { boot99: crowd('evil'), boot98: ['honest50'] },
      // All of them at two addresses.
      addrs: id => (id.startsWith('evil') ? ['/ip4/198.51.100.1/tcp/1'] : [addrOf(id)]),
    })
    world.opened({ id: 'boot99', direction: 'out' })
    world.opened({ id: 'boot98', direction: 'out' })
    await world.pass(30_000)

    expect(world.dialled.some(addr => addr.endsWith('/honest50'))).toBe(true)
    expect(world.dialled.filter(addr => addr.includes('/evil')).length).toBeLessThanOrEqual(4)
  })
})
