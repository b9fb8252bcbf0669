import type { ActorRef } from '@rockpool/actor'
import type { Answer, ChainClockView, ChainMessage, Hash, Reply } from '@rockpool/protocol'
import { limits, ok } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { ChainClock } from './dev/chain-clock.ts'
import { aGenesis } from './testkit/chains.ts'
import { Forge } from './testkit/forge.ts'
import { good, TestNet, type TestNode } from './testkit/nodes.ts'
import { walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]

function aClock(wallMs = start) {
  const wall = { ms: wallMs }
  return { wall, clock: new ChainClock(() => wall.ms) }
}

describe('the chain clock', () => {
  test('is the wall clock until it is set', () => {
    const { wall, clock } = aClock()
    wall.ms += 1_234
    expect(clock.view()).toEqual({ nowMs: start + 1_234, speed: 1, aheadMs: 0 })
  })

  test('goes on from where it stands when its speed changes', () => {
    const { wall, clock } = aClock()
    clock.setSpeed(10)
    wall.ms += 1_000
    expect(clock.now()).toBe(start + 10_000)
    expect(clock.setSpeed(0.5)).toEqual(ok({ nowMs: start + 10_000, speed: 0.5, aheadMs: 9_000 }))
    wall.ms += 1_000
    expect(clock.now()).toBe(start + 10_500)
    expect(clock.realMs(500)).toBe(1_000)
  })

  test('jumps ahead, and its jumps add up', () => {
    const { wall, clock } = aClock()
    clock.jump(5_000)
    wall.ms += 100
    expect(clock.jump(1)).toEqual(ok({ nowMs: start + 5_101, speed: 1, aheadMs: 5_001 }))
  })

  test('refuses speeds and jumps out of bounds, and stays as it is', () => {
    const { clock } = aClock()
    for (const speed of [0, 0.09, 1_000.1, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(clock.setSpeed(speed)).toMatchObject({ ok: false, code: 'devnet/clock' })
    }
    for (const ms of [-1, 0.5, Number.NaN, limits.chainJumpMaxMs + 1]) {
      expect(clock.jump(ms)).toMatchObject({ ok: false, code: 'devnet/clock' })
    }
    expect(clock.view()).toEqual({ nowMs: start, speed: 1, aheadMs: 0 })
    expect(clock.setSpeed(limits.chainSpeedMin)).toMatchObject({ ok: true })
    expect(clock.setSpeed(limits.chainSpeedMax)).toMatchObject({ ok: true })
  })

  test('of one actor is followed by that of another', () => {
    const { wall, clock } = aClock()
    const other = new ChainClock(() => wall.ms)
    clock.jump(50)
    clock.setSpeed(3)
    other.follow(clock.set())
    wall.ms += 10
    expect(other.view()).toEqual(clock.view())
  })
})

type ClockReply = Reply<Answer<ChainClockView>>

function set(net: TestNet, node: TestNode, make: (reply: ClockReply) => ChainMessage) {
  return net.ask<ChainMessage, Answer<ChainClockView>>(
    node,
    node.chain as ActorRef<ChainMessage>,
    make,
  )
}

function aNetwork(blockTimeMs = 2_000) {
  const genesis = aGenesis({ blockTimeMs, producers: producers.map(({ address }) => address) })
  const net = new TestNet(start)
  const nodes = producers.map((producer, index) => net.node(`n${index}`, { genesis, producer }))
  net.connectAll()
  const speed = (times: number) =>
    Promise.all(
      nodes.map(node => set(net, node, reply => ({ type: 'chain.setSpeed', speed: times, reply }))),
    )
  const jump = (ms: number) =>
    Promise.all(nodes.map(node => set(net, node, reply => ({ type: 'chain.jump', ms, reply }))))
  const heads = async () => {
    const all = await Promise.all(nodes.map(node => net.status(node)))
    return all.map(({ head }) => head)
  }
  return { genesis, net, nodes, speed, jump, heads }
}

async function oneHead(heads: () => Promise<{ hash: Hash; number: number; timeMs: number }[]>) {
  const all = await heads()
  expect(new Set(all.map(({ hash }) => hash)).size).toBe(1)
  return all[0] as { hash: Hash; number: number; timeMs: number }
}

describe('a network', () => {
  // C17
  test.each([
    [0.1, 400_000, 18, 20],
    [1, 40_000, 18, 20],
    [10, 4_000, 17, 20],
    [100, 2_000, 70, 100],
    [1_000, 1_000, 40, 500],
  ])(
    'at %s times the speed makes blocks as fast, with one head and honest times',
    async (times, realMs, least, most) => {
      const { net, nodes, speed, heads } = aNetwork()
      net.latencyMs = 1
      await net.advance(10_000)
      await speed(times)
      const before = await oneHead(heads)
      await net.advance(realMs)
      // Time for the last block to be everywhere, at the pace of the wall.
      await speed(0.1)
      await net.advance(1_000)

      const after = await oneHead(heads)
      expect(after.number - before.number).toBeGreaterThanOrEqual(least)
      expect(after.number - before.number).toBeLessThanOrEqual(most)
      const passed = (after.timeMs - before.timeMs) / (realMs * times)
      expect(passed).toBeGreaterThan(0.85)
      expect(passed).toBeLessThan(1.3)
      expect(nodes.flatMap(({ faults }) => faults)).toEqual([])
    },
  )

  test('that jumps goes on at its pace, at the new time', async () => {
    const { net, jump, heads } = aNetwork()
    await net.advance(10_000)
    const before = await oneHead(heads)
    for (const answer of await jump(3_600_000)) {
      expect(answer).toMatchObject({ ok: true, value: { aheadMs: 3_600_000, speed: 1 } })
    }
    await net.advance(20_000)
    const after = await oneHead(heads)
    expect(after.number - before.number).toBeGreaterThanOrEqual(9)
    expect(after.number - before.number).toBeLessThanOrEqual(11)
    expect(after.timeMs).toBeGreaterThan(start + 3_600_000 + 25_000)
  })
})

test('a block of another time waits until the clock is put forward to it', async () => {
  const { genesis } = aNetwork()
  const net = new TestNet(start)
  const node = net.node('a', { genesis })
  const forge = new Forge(genesis, producers)
  const early = forge.next(forge.root, { timeMs: start + 30_000 })
  expect(await net.offer(node, early)).toMatchObject({ code: 'chain/in-future' })
  good(await set(net, node, reply => ({ type: 'chain.jump', ms: 19_999, reply })))
  await net.settle()
  expect((await net.status(node)).head.number).toBe(0)

  good(await set(net, node, reply => ({ type: 'chain.jump', ms: 1, reply })))
  await net.advance(2)

  expect((await net.status(node)).head.hash).toBe(early.header.hash)
})

test('a clock out of bounds is refused and nobody hears of it', async () => {
  const { nodes, net } = aNetwork()
  const [node] = nodes as [TestNode]
  const refused = await set(net, node, reply => ({ type: 'chain.setSpeed', speed: 0, reply }))
  expect(refused).toMatchObject({ ok: false, code: 'devnet/clock' })
})
