import type { Address, Block, ChainHead, Hash, Store, Write } from '@rockpool/protocol'
import { CodedError } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import type { Genesis } from './dev/genesis.ts'
import { keys, letterRange } from './dev/records.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import type { Forged } from './testkit/forge.ts'
import { Forge } from './testkit/forge.ts'
import type { TestNode } from './testkit/nodes.ts'
import { good, TestNet } from './testkit/nodes.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const payers = [walletOf(10), walletOf(11), walletOf(12)]
const shop = addressAt(0x5409)

function aWorld(store?: Store) {
  const genesis = aGenesis({
    blockTimeMs: 500,
    reward: 7n,
    producers: producers.map(({ address }) => address),
    alloc: new Map(payers.map(({ address }) => [address, { balance: 1_000n * ether, nonce: 0n }])),
  })
  const net = new TestNet(start)
  const node = net.node('n0', { genesis, ...(store === undefined ? {} : { store }) })
  return { genesis, net, node, forge: new Forge(genesis, producers) }
}

/** A row of in-turn blocks, each with one payment of every payer. */
function busyRow(forge: Forge, from: Forged, count: number, value: bigint): Forged[] {
  return forge.row(from, count, (_, { state }) => ({
    txs: payers.map(payer =>
      payer.tx({ nonce: state.get(payer.address)?.nonce ?? 0, to: shop, value }),
    ),
  }))
}

/** Out of turn: less weight for each block. */
function lazyRow(forge: Forge, from: Forged, count: number): Forged[] {
  return forge.row(from, count, (_, top) => ({ producer: top.header.number % 3 }))
}

const everybody: readonly Address[] = [
  ...payers.map(({ address }) => address),
  ...producers.map(({ address }) => address),
  shop,
]

async function sumAt(net: TestNet, node: TestNode, at?: Hash): Promise<bigint> {
  const answer = good(
    await net.accounts(node, everybody, at === undefined ? undefined : { hash: at }),
  )
  return answer.accounts.reduce((sum, { balance }) => sum + balance, 0n)
}

/** What must be there after these blocks: alloc and rewards, less what was burnt. */
function expectedSum(genesis: Genesis, blocks: readonly Block[]): bigint {
  let sum = 0n
  for (const { balance } of genesis.alloc.values()) sum += balance
  for (const { header } of blocks) {
    sum += genesis.reward - BigInt(header.gasUsed) * header.baseFee
  }
  return sum
}

/** A list of blocks that follows the facts, as any listener would keep it. */
function replay(facts: readonly ChainHead[]): Block[] {
  const list: Block[] = []
  for (const [index, fact] of facts.entries()) {
    const last = facts[index - 1]
    if (last !== undefined) expect(fact.old.hash).toBe(last.new.hash)
    for (const block of fact.removed) {
      expect(list.at(-1)?.header.hash).toBe(block.header.hash)
      list.pop()
    }
    for (const block of fact.added) {
      const top = list.at(-1)
      if (top !== undefined) expect(block.header.parentHash).toBe(top.header.hash)
      list.push(block)
    }
    expect(list.at(-1)?.header.hash).toBe(fact.new.hash)
  }
  return list
}

describe('a reorg', () => {
  for (const depth of [1, 5, 64, 65, 500]) {
    test(`of depth ${depth} leads to the heavier branch in one fact, and every balance follows`, async () => {
      const { genesis, net, node, forge } = aWorld()
      await net.advance(3_600_000)
      const trunk = busyRow(forge, forge.root, 3, 1n)
      const base = trunk.at(-1) ?? forge.root
      const lazy = lazyRow(forge, base, depth)
      await net.offerAll(node, [...trunk, ...lazy])
      expect((await net.status(node)).head.hash).toBe(lazy.at(-1)?.header.hash)
      // Weight 3 each instead of 1: a third of the blocks are a tie, one more wins.
      const winning = busyRow(forge, base, Math.floor(depth / 3) + 1, 5n)
      const before = node.facts.length

      const outcomes = await net.offerAll(node, winning)

      expect(outcomes.at(-1)?.code).toBe('chain/imported')
      const top = winning.at(-1)
      expect((await net.status(node)).head.hash).toBe(top?.header.hash)
      const facts = node.facts.slice(before)
      expect(facts.at(-1)?.new.hash).toBe(top?.header.hash)
      expect(facts.flatMap(({ removed }) => removed)).toHaveLength(depth)
      const list = replay(node.facts)
      expect(list.map(({ header }) => header.hash)).toEqual(
        [...trunk, ...winning].map(({ header }) => header.hash),
      )
      expect(await sumAt(net, node)).toBe(expectedSum(genesis, list))
      for (const address of everybody) {
        const { balance, nonce } = await net.account(node, address)
        const truth = top?.state.get(address)
        expect({ balance, nonce }).toEqual({
          balance: truth?.balance ?? 0n,
          nonce: BigInt(truth?.nonce ?? 0),
        })
      }
    })
  }
})

describe('what the store has', () => {
  test('every head conserves what there is, and old heads stay readable', async () => {
    const { genesis, net, node, forge } = aWorld()
    await net.advance(3_600_000)
    const blocks = busyRow(forge, forge.root, 100, 2n)
    await net.offerAll(node, blocks)

    for (const index of [99, 80, 40, 0]) {
      const block = blocks[index]
      if (block === undefined) throw new Error('no block')
      const sum = await sumAt(net, node, block.header.hash)
      expect(sum).toBe(
        expectedSum(
          genesis,
          blocks.slice(0, index + 1).map(each => each.block),
        ),
      )
      const then = await net.account(node, shop, { number: block.header.number })
      expect(then.balance).toBe(BigInt(index + 1) * 6n)
    }
    expect((await net.account(node, shop, { tag: 'earliest' })).balance).toBe(0n)
    expect((await net.account(node, shop, { tag: 'safe' })).balance).toBe((100n - 32n) * 6n)
    expect((await net.account(node, shop, { tag: 'finalized' })).balance).toBe((100n - 64n) * 6n)
  })

  test('the state of a block that left the branch is missing, never a newer one', async () => {
    const { net, node, forge } = aWorld()
    await net.advance(3_600_000)
    const lazy = lazyRow(forge, forge.root, 2)
    await net.offerAll(node, [...lazy, ...busyRow(forge, forge.root, 1, 1n)])

    const answer = await net.accounts(node, [shop], {
      hash: lazy[1]?.header.hash ?? forge.root.header.hash,
    })

    expect(answer).toMatchObject({ ok: false, code: 'chain/state-missing' })
  })

  test('a restart goes on from the same head, state and side branches', async () => {
    const store = new MemoryStore()
    const first = aWorld(store)
    await first.net.advance(3_600_000)
    const trunk = busyRow(first.forge, first.forge.root, 20, 3n)
    const base = trunk.at(-1) ?? first.forge.root
    const lazy = lazyRow(first.forge, base, 2)
    const [rival] = busyRow(first.forge, base, 1, 9n) as [Forged]
    await first.net.offerAll(first.node, [...trunk, ...lazy.slice(0, 1)])
    await first.net.offer(first.node, rival)
    const before = await first.net.status(first.node)
    first.net.remove(first.node)

    const second = aWorld(store)
    await second.net.advance(3_600_000)
    const after = await second.net.status(second.node)

    expect(after).toEqual(before)
    expect((await second.net.account(second.node, shop)).balance).toBe(20n * 9n + 27n)
    // The side branch is there: its next block finds its parent.
    const outcome = await second.net.offer(second.node, lazy[1] ?? rival)
    expect(outcome.code).toBe('chain/side-branch')
    const old = await second.net.account(second.node, shop, { number: 5 })
    expect(old.balance).toBe(45n)
  })

  test('a store of another genesis is refused', async () => {
    const store = new MemoryStore()
    const { net, node } = aWorld(store)
    await net.settle()
    net.remove(node)
    const other = new TestNet(start)
    other.node('n1', { genesis: aGenesis({ producers: [producers[0]?.address ?? shop] }), store })

    await expect(other.settle()).rejects.toMatchObject({ code: 'chain/other-genesis' })
  })

  test('an account changed behind our back is found at the next start', async () => {
    const store = new MemoryStore()
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    await net.offerAll(node, busyRow(forge, forge.root, 3, 1n))
    net.remove(node)
    const key = keys.account(shop)
    const richer = keys.account(payers[0]?.address ?? shop)
    const value = await store.get(richer)
    await store.batch([{ type: 'put', key, value: value ?? new Uint8Array(0) }])

    const again = aWorld(store)

    await expect(again.net.settle()).rejects.toMatchObject({ code: 'store/corrupt' })
  })

  test('after a reorg the store holds nothing of the branch that left but its bodies', async () => {
    const store = new MemoryStore()
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    const lazy = lazyRow(forge, forge.root, 5)
    await net.offerAll(node, [...lazy, ...busyRow(forge, forge.root, 2, 1n)])

    const heights = await store.scan(letterRange('h'))
    const sides = await store.scan(letterRange('x'))

    expect(heights).toHaveLength(3)
    expect(sides).toHaveLength(5)
    expect(
      await store.get(keys.undo(lazy[0]?.header.hash ?? forge.root.header.hash)),
    ).toBeUndefined()
  })

  test('a crash in the middle of a reorg leaves a consistent chain, which goes on to the heavier branch', async () => {
    const inner = new MemoryStore()
    const store = new StumblingStore(inner)
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    const trunk = busyRow(forge, forge.root, 2, 1n)
    const base = trunk.at(-1) ?? forge.root
    const winning = busyRow(forge, base, 3, 5n)
    await net.offerAll(node, [...trunk, ...lazyRow(forge, base, 5), ...winning.slice(0, 1)])
    // Three of the batches of this reorg reach the disk, the others never do.
    store.left = 3
    void net.offer(node, winning[1] ?? base).catch(() => undefined)
    await net.settle()
    expect(store.left).toBe(0)
    net.remove(node)

    const again = aWorld(inner)
    await again.net.advance(3_600_000)
    await again.net.offerAll(again.node, winning)

    expect((await again.net.status(again.node)).head.hash).toBe(winning.at(-1)?.header.hash)
    expect((await again.net.account(again.node, shop)).balance).toBe(2n * 3n + 3n * 15n)
  })

  test('a full disk changes nothing, and when there is room the block is taken', async () => {
    const store = new StumblingStore(new MemoryStore())
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    const [block] = busyRow(forge, forge.root, 1, 1n) as [Forged]
    store.left = 0

    expect(await net.offer(node, block)).toMatchObject({ code: 'load/internal' })
    expect(node.health.map(({ type }) => type)).toEqual(['node.raise'])
    expect((await net.status(node)).head.number).toBe(0)
    expect(node.facts).toHaveLength(0)

    store.left = Number.POSITIVE_INFINITY
    expect(await net.offer(node, block)).toMatchObject({ code: 'chain/imported' })
    expect(node.health.map(({ type }) => type)).toEqual(['node.raise', 'node.clear'])
  })

  test('a reorg whose second batch finds the disk full is finished when there is room', async () => {
    const store = new StumblingStore(new MemoryStore())
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    const winning = busyRow(forge, forge.root, 2, 5n)
    await net.offerAll(node, [...lazyRow(forge, forge.root, 4), ...winning.slice(0, 1)])
    store.left = 1
    void net.offer(node, winning[1] ?? forge.root)
    await net.settle()
    expect((await net.status(node)).head.number).toBe(4)

    store.left = Number.POSITIVE_INFINITY
    await net.advance(1_000)

    expect((await net.status(node)).head.hash).toBe(winning[1]?.header.hash)
    expect((await net.account(node, shop)).balance).toBe(30n)
  })

  test('the fact comes only when its batch is written', async () => {
    const store = new HeldStore(new MemoryStore())
    const { net, node, forge } = aWorld(store)
    await net.advance(3_600_000)
    store.hold()
    const outcome = net.offer(node, forge.next(forge.root))
    await net.settle()
    for (let ticks = 0; ticks < 50; ticks++) await null

    expect(node.facts).toHaveLength(0)
    store.release()
    await net.settle()
    expect(node.facts).toHaveLength(1)
    expect(await outcome).toMatchObject({ code: 'chain/imported' })
  })
})

/** A disk that takes `left` batches and is full then. */
class StumblingStore implements Store {
  left = Number.POSITIVE_INFINITY
  readonly #inner: Store

  constructor(inner: Store) {
    this.#inner = inner
  }

  get(key: Uint8Array) {
    return this.#inner.get(key)
  }

  getMany(wanted: readonly Uint8Array[]) {
    return this.#inner.getMany(wanted)
  }

  scan(range: Parameters<Store['scan']>[0]) {
    return this.#inner.scan(range)
  }

  async batch(writes: readonly Write[], options?: { readonly sync?: boolean }): Promise<void> {
    if (this.left <= 0) throw new CodedError('store/full')
    this.left -= 1
    return this.#inner.batch(writes, options)
  }
}

/** A disk whose batches take effect when it is released. */
class HeldStore extends StumblingStore {
  #gate: Promise<void> | null = null
  #open: () => void = () => undefined

  hold(): void {
    this.#gate = new Promise(resolve => {
      this.#open = resolve
    })
  }

  release(): void {
    this.#open()
    this.#gate = null
  }

  override async batch(
    writes: readonly Write[],
    options?: { readonly sync?: boolean },
  ): Promise<void> {
    await this.#gate
    return super.batch(writes, options)
  }
}
