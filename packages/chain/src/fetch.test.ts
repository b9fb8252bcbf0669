import type { SyncMessage } from '@rockpool/protocol'
import {
  decodeRangeAnswer,
  encodeRangeRequest,
  limits,
  type RangeAnswer,
  type RangeRequest,
} from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { busyAnswer, Servings } from './dev/range-serve.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import type { Forged } from './testkit/forge.ts'
import { Forge } from './testkit/forge.ts'
import { frameBytes, TestNet, type TestNode } from './testkit/nodes.ts'
import { walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const rich = walletOf(10)

async function aPair() {
  const genesis = aGenesis({
    blockTimeMs: 500,
    producers: producers.map(({ address }) => address),
    alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
  })
  const net = new TestNet(start)
  const [full, late] = [net.node('full', { genesis }), net.node('late', { genesis })] as const
  const forge = new Forge(genesis, producers)
  await net.advance(3_600_000)
  return { genesis, net, full, late, forge }
}

function row(forge: Forge, from: Forged, count: number): Forged[] {
  return forge.row(from, count, (index, { state }) =>
    index % 10 === 0 ? { txs: [rich.tx({ nonce: state.get(rich.address)?.nonce ?? 0 })] } : {},
  )
}

async function ask(net: TestNet, node: TestNode, request: RangeRequest, from = 'me') {
  const frames = await net.ask<SyncMessage, readonly Uint8Array[]>(node, node.sync, reply => ({
    type: 'sync.serve',
    from,
    request: encodeRangeRequest(request),
    reply,
  }))
  return frames.map(frame => {
    const answer = decodeRangeAnswer(frame, request.kind)
    if (!answer.ok) throw new Error(answer.code)
    return answer.value
  })
}

describe('fetching', () => {
  test('a missing branch of 300 blocks comes from the peer that told of its top', async () => {
    const { net, full, late, forge } = await aPair()
    const blocks = row(forge, forge.root, 300)
    await net.offerAll(full, blocks)

    const outcome = await net.offer(late, blocks.at(-1) as Forged, 'full')
    expect(outcome.code).toBe('chain/unknown-parent')
    await net.advance(100)

    expect(await net.status(late)).toEqual(await net.status(full))
    expect(net.requests).toBeLessThan(10)
    expect(late.faults).toEqual([])
  })

  test('branches that parted 80 blocks ago: only what is missing travels, and the heavier wins', async () => {
    const { net, full, late, forge } = await aPair()
    const trunk = row(forge, forge.root, 300)
    const base = trunk.at(-1) as Forged
    const heavy = row(forge, base, 100)
    const light = forge.row(base, 80, (_, { header }) => ({ producer: header.number % 3 }))
    await net.offerAll(full, [...trunk, ...heavy])
    await net.offerAll(late, [...trunk, ...light])

    await net.offer(late, heavy.at(-1) as Forged, 'full')
    await net.advance(100)

    expect((await net.status(late)).head.hash).toBe(heavy.at(-1)?.header.hash)
    const fact = late.facts.at(-1)
    expect(fact?.new.hash).toBe(heavy.at(-1)?.header.hash)
  })

  test('while it is far behind the chain says that it is syncing', async () => {
    const { net, full, late, forge } = await aPair()
    const blocks = row(forge, forge.root, 40)
    net.linked = () => false
    await net.offerAll(full, blocks)

    await net.offer(late, blocks.at(-1) as Forged, 'full')

    expect(await net.status(late)).toMatchObject({
      state: 'syncing',
      sync: { start: 0, highest: 40 },
    })
    await net.advance(31_000)
    expect((await net.status(late)).state).toBe('following')
  })

  test('a block whose sender has left its branch comes with its parents, one by one', async () => {
    const { net, full, late, forge } = await aPair()
    const trunk = row(forge, forge.root, 5)
    const base = trunk.at(-1) as Forged
    const left = forge.row(base, 3, (_, { header }) => ({ producer: header.number % 3 }))
    await net.offerAll(full, [...trunk, ...left, ...row(forge, base, 4)])
    await net.offerAll(late, trunk)

    await net.offer(late, left.at(-1) as Forged, 'full')
    await net.advance(100)

    expect((await net.status(late)).head.hash).toBe(left.at(-1)?.header.hash)
  })

  test('an announced body is fetched and judged as gossip', async () => {
    const { net, full, late, forge } = await aPair()
    const [block] = row(forge, forge.root, 1) as [Forged]
    await net.offer(full, block)

    late.sync.tell({ type: 'sync.body', hash: block.header.hash, from: 'full' })
    await net.advance(100)

    expect((await net.status(late)).head.hash).toBe(block.header.hash)
  })

  test('a block of almost 4 MiB, announced because it is too large to travel whole, spreads from node to node', async () => {
    const genesis = aGenesis({
      producers: producers.map(({ address }) => address),
      gasLimit: 200_000_000,
      alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
    })
    const net = new TestNet(start)
    const nodes = ['a', 'b', 'c'].map(id => net.node(id, { genesis })) as [
      TestNode,
      TestNode,
      TestNode,
    ]
    await net.advance(3_600_000)
    const forge = new Forge(genesis, producers)
    const data = new Uint8Array(130_000)
    const txs = Array.from({ length: 28 }, (_, nonce) => rich.tx({ nonce, data, gas: 1_400_000n }))
    const block = forge.next(forge.root, { txs })
    expect(block.block.size).toBeGreaterThan(3.4 * 2 ** 20)
    await net.offer(nodes[0], block)

    for (const [index, node] of nodes.slice(1).entries()) {
      const from = nodes[index]?.id ?? ''
      node.sync.tell({ type: 'sync.body', hash: block.header.hash, from })
      await net.advance(100)
      expect((await net.status(node)).head.hash).toBe(block.header.hash)
    }
    expect(nodes.flatMap(({ faults }) => faults)).toEqual([])
  })

  test('a peer that serves an invalid block is reported, and what came before it is kept', async () => {
    const { net, full, late, forge } = await aPair()
    const blocks = row(forge, forge.root, 3)
    const [a, b, c] = blocks as [Forged, Forged, Forged]
    await net.offerAll(full, blocks)
    const broken = forge.altered(b, { stateRoot: a.header.stateRoot })
    const serve = net.request.bind(net)
    net.request = async (from, peer, request) => {
      const frames = await serve(from, peer, request)
      const honest = Buffer.from(frameBytes(b)).toString('hex')
      return frames.map(frame =>
        Buffer.from(frame).toString('hex') === honest ? frameBytes(broken) : frame,
      )
    }

    await net.offer(late, c, 'full')
    await net.advance(100)

    expect((await net.status(late)).head.hash).toBe(a.header.hash)
    expect(late.faults.map(({ peer, reason }) => ({ peer, reason }))).toEqual([
      { peer: 'full', reason: 'gossip/invalid-block' },
    ])
  })

  test('a silent peer is given up after three tries, and the next one is asked', async () => {
    const { net, full, late, forge } = await aPair()
    const blocks = row(forge, forge.root, 30)
    await net.offerAll(full, blocks)
    const serve = net.request.bind(net)
    net.request = (from, peer, request) =>
      peer === 'mute' ? new Promise(() => undefined) : serve(from, peer, request)

    await net.offer(late, blocks.at(-1) as Forged, 'mute')
    await net.advance(30_000)
    expect((await net.status(late)).head.number).toBe(0)
    await net.offer(late, blocks.at(-1) as Forged, 'full')
    await net.advance(100)

    expect((await net.status(late)).head.number).toBe(30)
  })

  test('a busy peer is asked again when it said', async () => {
    const { net, full, late, forge } = await aPair()
    const blocks = row(forge, forge.root, 30)
    await net.offerAll(full, blocks)
    // The question where its head is comes first.
    let busy = 3
    const serve = net.request.bind(net)
    net.request = async (from, peer, request) =>
      busy-- > 0 ? busyAnswer(2) : serve(from, peer, request)
    await net.offer(late, blocks.at(-1) as Forged, 'full')
    await net.advance(3_999)
    expect((await net.status(late)).head.number).toBe(0)

    await net.advance(1)

    expect((await net.status(late)).head.number).toBe(30)
  })
})

describe('serving', () => {
  test('status, hashes, ranges and bodies are answered from the canonical branch', async () => {
    const { net, full, forge } = await aPair()
    const blocks = row(forge, forge.root, 150)
    await net.offerAll(full, blocks)
    const hashAt = (height: number) => blocks[height - 1]?.header.hash ?? forge.root.header.hash

    expect(await ask(net, full, { kind: 'status' })).toEqual([
      { kind: 'status', number: 150, hash: hashAt(150), totalWeight: 450 },
    ])
    expect(await ask(net, full, { kind: 'hashes', numbers: [0, 5, 150, 151] })).toEqual([
      { kind: 'hashes', hashes: [hashAt(0), hashAt(5), hashAt(150), null] },
    ])
    const range = await ask(net, full, { kind: 'range', after: hashAt(10), count: 128 })
    expect(range.map(({ kind }) => kind)).toEqual([...Array(128).fill('block'), 'end'])
    expect(range.at(-1)).toEqual({ kind: 'end', more: true })
    expect(firstHeader(range)).toEqual(blocks[10]?.frame.header)
    const rest = await ask(net, full, { kind: 'range', after: hashAt(149), count: 5 })
    expect(rest.map(({ kind }) => kind)).toEqual(['block', 'end'])
    expect(rest.at(-1)).toEqual({ kind: 'end', more: false })
    const bodies = await ask(net, full, { kind: 'bodies', hashes: [hashAt(7), hashAt(3)] })
    expect(bodies).toHaveLength(3)
    const none = await ask(net, full, {
      kind: 'range',
      after: rich.tx({ nonce: 0 }).hash,
      count: 1,
    })
    expect(none).toEqual([{ kind: 'end', more: false }])
  })

  function firstHeader([first]: readonly RangeAnswer[]): Uint8Array | undefined {
    return first?.kind === 'block' ? first.frame.header : undefined
  }

  test('what is no request is answered with nothing, and counted', async () => {
    const { net, full } = await aPair()

    const frames = await net.ask<SyncMessage, readonly Uint8Array[]>(full, full.sync, reply => ({
      type: 'sync.serve',
      from: 'eve',
      request: Uint8Array.of(0xff),
      reply,
    }))

    expect(frames).toEqual([])
    expect(full.faults).toHaveLength(1)
  })

  test('four streams a peer and thirty-two in all are served, the next is busy', () => {
    const servings = new Servings()
    for (let stream = 0; stream < 4; stream++) expect(servings.open('a', 0)).toBeNull()
    expect(servings.open('a', 0)).toEqual({ retryAfterSeconds: 1 })
    for (let peer = 0; peer < 28; peer++) expect(servings.open(`p${peer}`, 0)).toBeNull()
    expect(servings.open('z', 0)).toEqual({ retryAfterSeconds: 1 })
    servings.close('a', 0)
    expect(servings.open('z', 0)).toBeNull()
  })

  test('a peer that has had its bytes waits until it has earned more', () => {
    const servings = new Servings()
    servings.open('a', 0)
    servings.close('a', limits.rangeBytesPerSecond * 3)

    expect(servings.open('a', 0)).toEqual({ retryAfterSeconds: 2 })
    expect(servings.open('a', 1_999)).not.toBeNull()
    expect(servings.open('a', 2_001)).toBeNull()
  })
})
