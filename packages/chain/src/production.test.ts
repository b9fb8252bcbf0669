import type { Answer, BuiltBlock, Hash, ProducerMessage, Store, Write } from '@rockpool/protocol'
import { hashOf } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import type { Genesis } from './dev/genesis.ts'
import type { ProducerMode } from './dev/producer.actor.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import { Forge } from './testkit/forge.ts'
import { frameBytes, good, TestNet, type TestNode } from './testkit/nodes.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const wallets = [walletOf(1), walletOf(2), walletOf(3), walletOf(4)]
const rich = walletOf(10)

/** Parents that these batches say something was signed on. */
function signedParents(batches: readonly (readonly Write[])[]): ReadonlySet<Hash> {
  const found = new Set<Hash>()
  for (const { type, key } of batches.flat()) {
    if (type === 'put' && key[0] === 's'.charCodeAt(0)) found.add(hashOf(key.subarray(1)))
  }
  return found
}

function aNet(count: number, wish: Partial<Genesis> = {}, mode?: ProducerMode) {
  const genesis = aGenesis({
    producers: wallets.slice(0, count).map(({ address }) => address),
    alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
    ...wish,
  })
  const net = new TestNet(start)
  const nodes = wallets
    .slice(0, count)
    .map((producer, index) =>
      net.node(`n${index}`, { genesis, producer, ...(mode === undefined ? {} : { mode }) }),
    )
  return { genesis, net, nodes, node: nodes[0] as TestNode }
}

async function heads(net: TestNet, nodes: readonly TestNode[]): Promise<Hash[]> {
  const found: Hash[] = []
  for (const node of nodes) found.push((await net.status(node)).head.hash)
  return found
}

/** Producers of the canonical branch, as indices, oldest first. */
function producersOf(genesis: Genesis, node: TestNode): number[] {
  const list: number[] = []
  for (const { removed, added } of node.facts) {
    list.splice(list.length - removed.length, removed.length)
    list.push(...added.map(({ header }) => genesis.producers.indexOf(header.producer)))
  }
  return list
}

function mine(net: TestNet, node: TestNode, count: number): Promise<Answer<readonly Hash[]>> {
  return net.ask<ProducerMessage, Answer<readonly Hash[]>>(node, node.producer, reply => ({
    type: 'producer.mine',
    count,
    reply,
  }))
}

describe('producers in turn', () => {
  test('four producers make one block a block time, each in its turn', async () => {
    const { genesis, net, nodes, node } = aNet(4)

    await net.advance(41_000)

    const [first, ...others] = await heads(net, nodes)
    expect(others.every(hash => hash === first)).toBe(true)
    const turns = producersOf(genesis, node)
    expect(turns.length).toBeGreaterThanOrEqual(18)
    expect(turns).toEqual(turns.map((_, index) => (index + 1) % 4))
  })

  test('three of four dead: the chain goes on; when they are back there is one head', async () => {
    const { genesis, net, nodes } = aNet(4)
    await net.advance(10_000)
    const alive = nodes[2] as TestNode
    net.linked = (from, to) => from === to || (from !== 'n2' && to !== 'n2')
    const before = (await net.status(alive)).head.number

    await net.advance(60_000)
    const alone = (await net.status(alive)).head.number
    net.linked = () => true
    await net.advance(30_000)

    // One of four, waiting for its turn each time: 2 s, 4 s, 6 s, 8 s.
    expect(alone - before).toBeGreaterThanOrEqual(10)
    const [first, ...others] = await heads(net, nodes)
    expect(others.every(hash => hash === first)).toBe(true)
    expect(new Set(producersOf(genesis, alive).slice(-8)).size).toBe(4)
  })

  test('halves that could not hear each other agree within three block times, and no transaction is lost', async () => {
    const { net, nodes } = aNet(4)
    await net.advance(9_000)
    const side = (id: string) => (id === 'n0' || id === 'n1' ? 0 : 1)
    net.linked = (from, to) => side(from) === side(to)
    const shop = addressAt(0x5409)
    const txs = Array.from({ length: 10 }, (_, nonce) => rich.tx({ nonce, to: shop, value: 1n }))
    for (const node of nodes.slice(2)) node.pool.ref.tell({ type: 'give', txs })
    await net.advance(40_000)

    net.linked = () => true
    await net.advance(12_000)

    const [first, ...others] = await heads(net, nodes)
    expect(others.every(hash => hash === first)).toBe(true)
    for (const node of nodes.slice(2)) {
      const mined = (await net.account(node, shop)).balance
      const waiting = node.pool.waiting.filter(({ to }) => to === shop).length
      expect(Number(mined) + waiting).toBe(10)
    }
  })

  test('a producer that does not wait gains nothing: its early blocks are refused', async () => {
    const { genesis, net, nodes } = aNet(4)
    const hasty = new Forge(genesis, wallets)
    const honest = nodes.slice(0, 3)
    net.remove(nodes[3] as TestNode)
    let top = hasty.root
    let refused = 0
    for (let second = 0; second < 40; second++) {
      // Always its own key, 200 ms after the last: it would outrun the others if nobody checked.
      top = hasty.next(top, { producer: 3, timeMs: top.header.timeMs + 200 })
      for (const node of honest) {
        const { code } = await net.offer(node, top)
        if (code === 'chain/too-early' || code === 'chain/unknown-parent') refused += 1
      }
      await net.advance(1_000)
    }

    expect(refused).toBe(120)
    expect(producersOf(genesis, nodes[0] as TestNode)).not.toContain(3)
    expect(new Set(await heads(net, honest)).size).toBe(1)
  })

  test('a producer that shows every node another block does not split the network', async () => {
    const { genesis, net, nodes } = aNet(4)
    const forge = new Forge(genesis, wallets)
    // Node 3 tells each of the others a block of its own on the same parent, different in its time.
    const states = new Map<Hash, ReturnType<Forge['next']>>([[forge.root.header.hash, forge.root]])
    net.shown = (from, to, message) => {
      const parent = states.get(message.block.header.parentHash)
      if (parent === undefined) return message
      const { header } = message.block
      const index = genesis.producers.indexOf(header.producer)
      const apart = from === 'n3' && index === 3 ? Number(to.slice(1)) * 7 : 0
      const twin = forge.next(parent, { producer: index, timeMs: header.timeMs + apart })
      states.set(twin.header.hash, twin)
      return { ...message, block: twin.block, frame: frameBytes(twin) }
    }

    await net.advance(80_000)
    net.remove(nodes[3] as TestNode)
    await net.advance(10_000)

    const honest = nodes.slice(0, 3)
    expect(new Set(await heads(net, honest)).size).toBe(1)
    expect((await net.status(honest[0] as TestNode)).head.number).toBeGreaterThan(25)
  })
})

test('the same seeds make the same chain', async () => {
  const run = async () => {
    const { net, nodes } = aNet(4)
    await net.advance(30_000)
    return heads(net, nodes)
  }

  expect(await run()).toEqual(await run())
})

describe('one producer', () => {
  test('makes empty blocks too, every block time', async () => {
    const { net, node } = aNet(1)

    await net.advance(21_000)

    const { head } = await net.status(node)
    expect(head.number).toBeGreaterThanOrEqual(9)
    expect(head.number).toBeLessThanOrEqual(10)
  })

  test('on demand, makes a block 50 ms after a transaction came, and none without', async () => {
    const { net, node } = aNet(1, { blockTimeMs: 0 })
    await net.advance(10_000)
    expect((await net.status(node)).head.number).toBe(0)

    node.pool.ref.tell({ type: 'give', txs: [rich.tx({ nonce: 0 })] })
    await net.advance(49)
    expect((await net.status(node)).head.number).toBe(0)
    await net.advance(1)
    expect((await net.status(node)).head.number).toBe(1)
    await net.advance(10_000)
    expect((await net.status(node)).head.number).toBe(1)
  })

  test('by hand, makes exactly what is asked, in order, and keeps within reach of the clock', async () => {
    const { net, node } = aNet(1, {}, 'manual')
    await net.advance(60_000)
    expect((await net.status(node)).head.number).toBe(0)

    const asked = mine(net, node, 8)
    await net.settle()
    // Block times of 2 s run ahead of the clock until they are 9.6 s ahead; then mining waits.
    const sprint = (await net.status(node)).head
    expect(sprint.timeMs).toBeLessThanOrEqual(net.clock.wall() + 9_600)
    expect(sprint.number).toBeLessThan(8)
    await net.advance(20_000)

    expect(good(await asked)).toHaveLength(8)
    expect((await net.status(node)).head.number).toBe(8)
  })

  test('after the machine has slept, waits for its turn again before it speaks', async () => {
    const { net, node } = aNet(1)
    await net.advance(1_000)
    net.clock.set(net.clock.now() + 60_000)

    await net.advance(1_900)
    expect((await net.status(node)).head.number).toBe(0)
    await net.advance(300)
    expect((await net.status(node)).head.number).toBe(1)
  })

  test('waits up to three seconds for somebody to hear block 1, when there are others', async () => {
    const { net, node } = aNet(2, { blockTimeMs: 200 })
    net.remove(net.nodes[1] as TestNode)

    await net.advance(2_999)
    expect((await net.status(node)).head.number).toBe(0)
    await net.advance(1_000)
    expect((await net.status(node)).head.number).toBeGreaterThan(0)
  })

  test('begins at once when somebody is there', async () => {
    const { net, node } = aNet(2, { blockTimeMs: 200 })
    await net.settle()
    const peer = { id: 'n9', direction: 'out', ip: '127.0.0.1', sinceMs: 0, protocols: [] } as const
    node.producer.tell({ type: 'peer.opened', peer })

    await net.advance(1_000)

    expect((await net.status(node)).head.number).toBeGreaterThan(0)
  })

  test('fills a block up to its gas and leaves the rest for the next', async () => {
    const { net, node } = aNet(1, { gasLimit: 21_000 * 5 })
    const txs = Array.from({ length: 8 }, (_, nonce) => rich.tx({ nonce }))
    node.pool.ref.tell({ type: 'give', txs })

    await net.advance(5_000)

    expect(node.facts.map(({ added }) => added[0]?.txs.length)).toEqual([5, 3])
  })

  test('previews the block it would make, also without a key', async () => {
    const { genesis, net } = aNet(1)
    const watcher = net.node('w', { genesis })
    watcher.pool.ref.tell({ type: 'give', txs: [rich.tx({ nonce: 0 })] })
    await net.settle()

    const built = await net.ask<ProducerMessage, Answer<BuiltBlock>>(
      watcher,
      watcher.producer,
      reply => ({ type: 'producer.preview', reply }),
    )

    const { block } = good(built)
    expect(block.header.number).toBe(1)
    expect(block.txs).toHaveLength(1)
    expect(await mine(net, watcher, 1)).toMatchObject({ code: 'chain/unknown-producer' })
  })
})

describe('one signature a parent', () => {
  test('the own block is synced to the disk with what was signed before gossip has it', async () => {
    const store = new MemoryStore()
    const genesis = aGenesis({ producers: [wallets[0]?.address ?? rich.address] })
    const net = new TestNet(start)
    const node = net.node('n0', { genesis, producer: wallets[0] ?? rich, store })
    await net.advance(5_000)

    expect(node.blocks.length).toBeGreaterThan(1)
    const synced = store.batches.filter(({ sync }) => sync)
    // Block 0, and each own block.
    expect(synced).toHaveLength(1 + node.blocks.length)
  })

  test('killed at any batch boundary a producer comes back with a prefix and signs nothing twice', async () => {
    const genesis = aGenesis({
      blockTimeMs: 500,
      producers: wallets.slice(0, 2).map(({ address }) => address),
    })
    const forge = new Forge(genesis, wallets)
    const batches: (readonly Write[])[] = []
    const inner = new MemoryStore()
    const store: Store = {
      get: key => inner.get(key),
      getMany: keys => inner.getMany(keys),
      scan: range => inner.scan(range),
      batch: (writes, options) => {
        batches.push(writes)
        return inner.batch(writes, options)
      },
    }
    const net = new TestNet(start)
    const producer = wallets[0] ?? rich
    const node = net.node('n0', { genesis, producer, store })
    await net.advance(4_000)
    // The other producer's branch from the beginning is heavier: a reorg lies among the batches.
    const other = forge.row(forge.root, 9, () => ({ producer: 1 }))
    await net.offerAll(node, other)
    await net.advance(4_000)
    const sent = node.blocks.map(({ block }) => block.header)
    const heads = new Set([forge.root, ...other].map(({ header }) => header.hash))
    for (const { hash } of sent) heads.add(hash)
    net.remove(node)
    expect(sent.length).toBeGreaterThan(4)
    const everything = signedParents(batches)
    expect(sent.filter(({ parentHash }) => !everything.has(parentHash))).toEqual([])
    expect(node.facts.some(({ removed }) => removed.length > 0)).toBe(true)

    for (let kept = 1; kept <= batches.length; kept++) {
      const disk = new MemoryStore()
      for (const writes of batches.slice(0, kept)) await disk.batch(writes, {})
      const later = new TestNet(start + 20_000)
      const again = later.node('n0', { genesis, producer, store: disk })
      await later.settle()
      expect(heads).toContain((await later.status(again)).head.hash)
      await later.advance(3_000)
      const parents = again.blocks.map(({ block }) => block.header.parentHash)
      expect(parents.length).toBeGreaterThan(0)
      expect(new Set(parents).size).toBe(parents.length)
      const signed = signedParents(batches.slice(0, kept))
      expect(parents.filter(parent => signed.has(parent))).toEqual([])
      later.remove(again)
    }
  })

  test('a node that went away between writing and sending does not sign again on that parent', async () => {
    const store = new MemoryStore()
    const genesis = aGenesis({
      blockTimeMs: 500,
      producers: wallets.slice(0, 2).map(({ address }) => address),
    })
    const forge = new Forge(genesis, wallets)
    const first = new TestNet(start)
    const node = first.node('n0', { genesis, producer: wallets[0] ?? rich, store })
    await first.advance(4_000)
    const own = node.blocks.map(({ block }) => block)
    expect(own.length).toBeGreaterThan(0)
    first.remove(node)

    // After the restart a heavier branch takes the node back to a parent it has signed on, and away again.
    const second = new TestNet(start + 4_000)
    const again = second.node('n0', { genesis, producer: wallets[0] ?? rich, store })
    await second.advance(20_000)
    const parents = [...own, ...again.blocks.map(({ block }) => block)].map(
      ({ header }) => header.parentHash,
    )

    expect(new Set(parents).size).toBe(parents.length)
    expect(forge.root.header.hash).toBe(parents[0])
    const built = await second.ask(again, again.chain, reply => ({
      type: 'chain.build' as const,
      txs: [],
      timeMs: second.clock.wall(),
      producer: wallets[0]?.address ?? rich.address,
      parent: parents.at(-1) ?? forge.root.header.hash,
      sign: true,
      reply,
    }))
    expect(built).toMatchObject({ ok: false, code: 'chain/double-sign' })
  })
})
