import type { Hash, ImportOutcome, RangeRequest, Reply, SyncMessage } from '@rockpool/protocol'
import {
  decodeRangeRequest,
  encodeRangeAnswer,
  encodeRangeRequest,
  limits,
} from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { Behind } from './dev/behind.ts'
import { PeerHeads } from './dev/peer-heads.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import { Forge, type Forged } from './testkit/forge.ts'
import { frameBytes, TestNet, type TestNode } from './testkit/nodes.ts'
import { walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const rich = walletOf(10)
const zero = `0x${'00'.repeat(32)}` as Hash
const one = `0x${'01'.repeat(32)}` as Hash

function aNet(names: readonly string[]) {
  const genesis = aGenesis({
    blockTimeMs: 500,
    producers: producers.map(({ address }) => address),
    alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
  })
  const net = new TestNet(start)
  const nodes = names.map(name => net.node(name, { genesis }))
  return { net, forge: new Forge(genesis, producers), nodes, genesis }
}

/** Nodes an hour after genesis, so that long rows of blocks lie in the past. */
async function laterOn(names: readonly string[]) {
  const made = aNet(names)
  await made.net.advance(3_600_000)
  return made
}

function row(forge: Forge, from: Forged, count: number): Forged[] {
  return forge.row(from, count, (index, { state }) =>
    index % 25 === 0 ? { txs: [rich.tx({ nonce: state.get(rich.address)?.nonce ?? 0 })] } : {},
  )
}

/** What a node answers, changed on its way by `change`. */
function tamper(
  net: TestNet,
  change: (
    peer: string,
    request: RangeRequest,
    frames: readonly Uint8Array[],
  ) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>,
): RangeRequest[] {
  const asked: RangeRequest[] = []
  const serve = net.request.bind(net)
  net.request = async (from, peer, bytes) => {
    const request = decodeRangeRequest(bytes)
    if (!request.ok) throw new Error(request.code)
    asked.push(request.value)
    return change(peer, request.value, await serve(from, peer, bytes))
  }
  return asked
}

const offerOf =
  ({ frame }: Forged) =>
  (reply: Reply<ImportOutcome>) => ({
    type: 'chain.offer' as const,
    ...{ frame, from: 'mallory', via: 'fetch' as const, reply },
  })

const reasons = ({ faults }: TestNode) => faults.map(({ peer, reason }) => `${peer} ${reason}`)

describe('a late joiner', () => {
  test('reaches the head and the state of 500 blocks without hearing of a new one', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'late'])
    const [full, late] = nodes as [TestNode, TestNode]
    await net.offerAll(full, row(forge, forge.root, 500))

    net.connect(late, full)
    await net.advance(1_000)

    expect(await net.status(late)).toEqual(await net.status(full))
    expect(await net.account(late, rich.address)).toEqual(await net.account(full, rich.address))
    expect(reasons(late)).toEqual([])
    expect(late.syncs.map(({ on, settled }) => [on, settled])).toEqual([
      [true, undefined],
      [false, undefined],
      [false, true],
    ])
    expect(late.syncs[0]).toMatchObject({ start: 0, current: 0, highest: 500 })
    // Where, what at marks, and four ranges; beats ask once a second.
    expect(net.requests).toBeLessThan(14)
  })

  test('of a fork asks for what is missing only, and leaves its lighter branch', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'late'])
    const [full, late] = nodes as [TestNode, TestNode]
    const trunk = row(forge, forge.root, 60)
    const base = trunk.at(-1) as Forged
    await net.offerAll(full, [...trunk, ...row(forge, base, 200)])
    const light = forge.row(base, 40, (_, { header }) => ({ producer: header.number % 3 }))
    await net.offerAll(late, [...trunk, ...light])
    const asked = tamper(net, (_, __, frames) => frames)

    net.connect(late, full)
    await net.advance(1_000)

    expect((await net.status(late)).head).toEqual((await net.status(full)).head)
    const ranges = asked.filter(({ kind }) => kind === 'range')
    expect(ranges[0]).toMatchObject({ after: base.header.hash })
    expect(ranges).toHaveLength(2)
  })

  test('has two ranges in flight and never more', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'late'])
    const [full, late] = nodes as [TestNode, TestNode]
    await net.offerAll(full, row(forge, forge.root, 700))
    let open = 0
    let most = 0
    const serve = net.request.bind(net)
    net.request = async (from, peer, bytes) => {
      const request = decodeRangeRequest(bytes)
      if (!request.ok || request.value.kind !== 'range') return serve(from, peer, bytes)
      open += 1
      most = Math.max(most, open)
      await new Promise<void>(resolve => net.clock.at(net.clock.now() + 50, resolve))
      open -= 1
      return serve(from, peer, bytes)
    }

    net.connect(late, full)
    await net.advance(2_000)

    expect((await net.status(late)).head.number).toBe(700)
    expect(most).toBe(2)
  })

  test('goes on with the next peer where a silent one left off', async () => {
    const { net, forge, nodes } = await laterOn(['mute', 'full', 'late'])
    const [mute, full, late] = nodes as [TestNode, TestNode, TestNode]
    const blocks = row(forge, forge.root, 400)
    await net.offerAll(full, blocks)
    await net.offerAll(mute, [...blocks, ...row(forge, blocks.at(-1) as Forged, 1)])
    let ranges = 0
    tamper(net, (peer, { kind }, frames) => {
      if (peer !== 'mute' || kind !== 'range') return frames
      ranges += 1
      return ranges > 2 ? new Promise(() => undefined) : frames
    })

    net.connect(late, mute)
    net.connect(late, full)
    await net.advance(1_000)
    expect((await net.status(late)).head.number).toBe(256)
    await net.advance(10_000)

    expect((await net.status(late)).head.number).toBeGreaterThanOrEqual(400)
    expect(reasons(late)).toEqual([])
  })

  test('reports and leaves a peer that serves an invalid block, and takes the rest from another', async () => {
    const { net, forge, nodes } = await laterOn(['evil', 'full', 'late'])
    const [evil, full, late] = nodes as [TestNode, TestNode, TestNode]
    const blocks = row(forge, forge.root, 300)
    await net.offerAll(full, blocks)
    await net.offerAll(evil, [...blocks, ...row(forge, blocks.at(-1) as Forged, 1)])
    const good = blocks[199] as Forged
    const broken = frameBytes(forge.altered(good, { stateRoot: forge.root.header.stateRoot }))
    const honest = Buffer.from(frameBytes(good)).toString('hex')
    const asked: string[] = []
    tamper(net, (peer, { kind }, frames) => {
      asked.push(`${peer} ${kind}`)
      if (peer !== 'evil' || kind !== 'range') return frames
      const cut = frames.findIndex(frame => Buffer.from(frame).toString('hex') === honest)
      if (cut < 0) return frames
      return [...frames.slice(0, cut), broken, encodeRangeAnswer({ kind: 'end', more: false })]
    })

    net.connect(late, evil)
    net.connect(late, full)
    await net.advance(1_000)

    expect((await net.status(late)).head.number).toBe(300)
    expect(reasons(late)).toEqual(['evil gossip/invalid-block'])
    asked.length = 0
    await net.advance(60_000)
    expect(asked.filter(line => line.startsWith('evil'))).toEqual([])
  })

  test('reports and leaves a peer whose frames do not follow one another', async () => {
    const { net, forge, nodes } = await laterOn(['evil', 'late'])
    const [evil, late] = nodes as [TestNode, TestNode]
    await net.offerAll(evil, row(forge, forge.root, 40))
    tamper(net, (_, { kind }, frames) => (kind === 'range' ? frames.slice(3) : frames))

    net.connect(late, evil)
    await net.advance(1_000)

    expect(reasons(late)).toEqual(['evil sync/bad-reply'])
    expect((await net.status(late)).state).toBe('following')
  })

  test.each([
    ['says nothing', (): readonly Uint8Array[] => []],
    ['breaks off', (frames: readonly Uint8Array[]) => frames.slice(0, 20)],
  ])('does not blame a peer that %s, and goes on with it when it speaks again', async (_, cut) => {
    const { net, forge, nodes } = await laterOn(['busy', 'late'])
    const [busy, late] = nodes as [TestNode, TestNode]
    await net.offerAll(busy, row(forge, forge.root, 40))
    let broken = 0
    tamper(net, (__, { kind }, frames) => {
      if (kind !== 'range' || broken === 2) return frames
      broken += 1
      return cut(frames)
    })

    net.connect(late, busy)
    await net.advance(1_000)
    expect((await net.status(late)).head.number).toBe(0)
    await net.advance(60_000)

    expect((await net.status(late)).head.number).toBe(40)
    expect(reasons(late)).toEqual([])
  })

  test('does not blame a peer whose node is too busy to tell its head', async () => {
    const { net, forge, nodes } = await laterOn(['busy', 'late'])
    const [busy, late] = nodes as [TestNode, TestNode]
    await net.offerAll(busy, row(forge, forge.root, 5))
    let silent = 2
    tamper(net, (__, { kind }, frames) => (kind === 'status' && silent-- > 0 ? [] : frames))

    net.connect(late, busy)
    await net.advance(5_000)

    expect((await net.status(late)).head.number).toBe(5)
    expect(reasons(late)).toEqual([])
  })

  test('asked for a range on a branch that was left answers with nothing, and is not blamed', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'late'])
    const [full, late] = nodes as [TestNode, TestNode]
    const trunk = row(forge, forge.root, 300)
    const heavy = forge.row(trunk[99] as Forged, 240, index => ({ delayMs: index === 0 ? 7 : 0 }))
    let left = false
    await net.offerAll(full, trunk)
    tamper(net, async (_, { kind }, frames) => {
      // While the first range is on its way the branch above block 100 is left.
      if (kind === 'range' && !left) {
        left = true
        for (const block of heavy) await full.bus.ask(full.chain, offerOf(block), 60_000)
      }
      return frames
    })

    net.connect(late, full)
    await net.advance(30_000)

    expect((await net.status(late)).head.hash).toBe(heavy.at(-1)?.header.hash)
    expect(reasons(late)).toEqual([])
  })

  test('does not blame a peer whose block came by gossip while it was asked for it', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'late'])
    const [full, late] = nodes as [TestNode, TestNode]
    const trunk = row(forge, forge.root, 20)
    const left = forge.next(trunk.at(-1) as Forged)
    const right = forge.next(trunk.at(-1) as Forged, { delayMs: 7 })
    const [lower, upper] =
      left.header.hash < right.header.hash ? ([left, right] as const) : ([right, left] as const)
    await net.offerAll(late, [...trunk, upper])
    await net.offerAll(full, [...trunk, lower])
    let races = 0
    // Of equal height and weight, the lower hash wins; it arrives between the status and the question where the branches part.
    tamper(net, async (_, { kind }, frames) => {
      if (kind === 'hashes' && races++ === 0) {
        await late.bus.ask(late.chain, offerOf(lower), 60_000)
      }
      return frames
    })

    net.connect(late, full)
    await net.advance(900)
    expect(races).toBeGreaterThan(0)
    const next = row(forge, lower, 25)
    await net.offerAll(full, next)
    await net.advance(6_000)

    expect((await net.status(late)).head.hash).toBe(next.at(-1)?.header.hash)
    expect(reasons(late)).toEqual([])
  })

  test('tells once that it is settled: when it has all that the first peers had', async () => {
    const { net, forge, nodes } = await laterOn(['full', 'slow', 'late'])
    const [full, slow, late] = nodes as [TestNode, TestNode, TestNode]
    await net.offerAll(full, row(forge, forge.root, 30))
    tamper(net, async (peer, { kind }, frames) => {
      if (peer === 'slow' && kind === 'status') {
        await new Promise<void>(resolve => net.clock.at(net.clock.now() + 400, resolve))
      }
      return frames
    })
    await net.advance(20_000)
    expect(late.syncs).toEqual([])

    net.connect(late, slow)
    net.connect(late, full)
    await net.advance(300)
    expect(late.syncs.filter(({ settled }) => settled)).toEqual([])
    await net.advance(5_000)

    expect(late.syncs.filter(({ settled }) => settled)).toEqual([
      { type: 'chain.syncing', on: false, start: 30, current: 30, highest: 30, settled: true },
    ])
  })

  test('is not held in syncing by a peer that tells of a head it never brings', async () => {
    const { net, forge, nodes } = await laterOn(['liar', 'late'])
    const [liar, late] = nodes as [TestNode, TestNode]
    await net.offerAll(liar, row(forge, forge.root, 30))
    const { hash } = forge.root.header
    tamper(net, (_, { kind }, frames) =>
      kind === 'status'
        ? [encodeRangeAnswer({ kind: 'status', number: 9_000, hash, totalWeight: 90_000 })]
        : frames,
    )

    net.connect(late, liar)
    await net.advance(500)
    expect(await net.status(late)).toMatchObject({ state: 'following', head: { number: 30 } })
    await net.advance(120_000)

    expect(reasons(late)).toEqual(['liar sync/bad-reply'])
  })
})

describe('a partition', () => {
  test('of two and two for 20 blocks heals to one head within three block times', async () => {
    const keys = [walletOf(1), walletOf(2), walletOf(3), walletOf(4)]
    const genesis = aGenesis({ blockTimeMs: 2_000, producers: keys.map(({ address }) => address) })
    const net = new TestNet(start)
    const nodes = keys.map((producer, index) => net.node(`n${index}`, { genesis, producer }))
    net.connectAll()
    await net.advance(20_000)
    const side = (id: string) => (id === 'n0' || id === 'n1' ? 'left' : 'right')
    net.linked = (from, to) => side(from) === side(to)
    for (const node of nodes) {
      for (const other of nodes) {
        if (side(node.id) === side(other.id)) continue
        node.sync.tell({ type: 'peer.closed', peer: other.id, heldMs: 1 })
      }
    }
    const before = (await net.status(nodes[0] as TestNode)).head.number
    await net.advance(120_000)
    const parted = await Promise.all(nodes.map(node => net.status(node)))
    expect(new Set(parted.map(({ head }) => head.hash)).size).toBe(2)
    expect(Math.min(...parted.map(({ head }) => head.number)) - before).toBeGreaterThan(19)

    net.linked = () => true
    net.connectAll()
    await net.advance(6_000)

    const healed = await Promise.all(nodes.map(node => net.status(node)))
    expect(new Set(healed.map(({ head }) => head.hash)).size).toBe(1)
    expect(nodes.flatMap(reasons)).toEqual([])
  })

  test('of equal weight heals to the lower hash', async () => {
    const { net, forge, nodes } = await laterOn(['a', 'b'])
    const [a, b] = nodes as [TestNode, TestNode]
    const [left] = forge.row(forge.root, 1)
    const [right] = forge.row(forge.root, 1, () => ({ delayMs: 7 }))
    await net.offer(a, left as Forged)
    await net.offer(b, right as Forged)
    const lower = [left, right].map(block => block?.header.hash ?? '0x').sort()[0]

    net.connect(a, b)
    await net.advance(1_000)

    expect((await net.status(a)).head.hash).toBe(lower)
    expect((await net.status(b)).head.hash).toBe(lower)
  })
})

describe('heads of peers', () => {
  test('are asked for at most eight at once, each once, and one a second after that', async () => {
    const { net, nodes } = aNet(['me'])
    const [me] = nodes as [TestNode]
    let open = 0
    let most = 0
    let asked = 0
    net.request = async () => {
      asked += 1
      open += 1
      most = Math.max(most, open)
      await new Promise<void>(resolve => net.clock.at(net.clock.now() + 10, resolve))
      open -= 1
      throw new Error('nobody')
    }
    for (let index = 0; index < 100; index++) {
      const peer = { id: `p${index}`, direction: 'in' as const, ip: '', sinceMs: 0, protocols: [] }
      me.sync.tell({ type: 'peer.opened', peer })
    }

    await net.advance(900)
    expect({ asked, most }).toEqual({ asked: 100, most: limits.statusAsksMax })
    await net.advance(5_000)

    expect(asked).toBe(105)
  })

  test('of more peers than are remembered let the oldest go', () => {
    const heads = new PeerHeads()
    for (let index = 0; index <= limits.statusPeersMax; index++) {
      heads.record({ peer: `p${index}`, number: 1, hash: one, totalWeight: index })
    }
    expect(heads.size).toBe(limits.statusPeersMax)
    const ours = { totalWeight: 1, hash: zero } as const
    expect(heads.heavier(ours, 0)[0]?.peer).toBe(`p${limits.statusPeersMax}`)
  })

  test('are not believed while a peer rests, and it rests longer each time', () => {
    const heads = new PeerHeads()
    const claim = { peer: 'p', number: 9, hash: one, totalWeight: 9 } as const
    const ours = { totalWeight: 1, hash: zero } as const
    heads.record(claim)
    heads.fellShort('p', 0, false)
    heads.record(claim)
    expect(heads.heavier(ours, limits.syncRestMs - 1)).toEqual([])
    expect(heads.heavier(ours, limits.syncRestMs)).toEqual([claim])
    heads.fellShort('p', limits.syncRestMs, false)
    expect(heads.isAside('p', limits.syncRestMs * 3 - 1)).toBe(true)
    expect(heads.isAside('p', limits.syncRestMs * 3)).toBe(false)
  })

  test('a flood of questions that cost a read is answered four at a time a peer', async () => {
    const { net, nodes } = aNet(['me'])
    const [me] = nodes as [TestNode]
    const answers: number[] = []
    for (let index = 0; index < 20; index++) {
      me.sync.tell({
        type: 'sync.serve',
        from: 'flood',
        request: encodeRangeRequest({ kind: 'hashes', numbers: [0] }),
        reply: { tell: frames => answers.push(frames[0]?.[2] ?? -1) },
      } satisfies SyncMessage)
    }
    await net.settle()
    expect(answers.filter(kind => kind === 7)).toHaveLength(16)
    expect(answers.filter(kind => kind === 3)).toHaveLength(4)
  })
})

test('syncing begins at 17 blocks behind and ends at 16', () => {
  const behind = new Behind()
  expect(behind.look(0, 16)).toBeNull()
  expect(behind.look(0, 17)).toEqual({
    type: 'chain.syncing',
    ...{ on: true, start: 0, current: 0, highest: 17 },
  })
  expect(behind.look(10, 30)).toBeNull()
  expect(behind.range).toEqual({ start: 0, highest: 30 })
  expect(behind.look(14, 30)).toMatchObject({ on: false, start: 0, current: 14, highest: 30 })
  expect(behind.range).toBeNull()
  expect(behind.look(14, 30)).toBeNull()
})
