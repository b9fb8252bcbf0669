import type { Answer, ForcedReorg, Hash, ProducerMessage, ReorgsAnswer } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { chooseKept } from './dev/director.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import { Forge } from './testkit/forge.ts'
import { good, TestNet, type TestNode } from './testkit/nodes.ts'
import { walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const keys = [walletOf(1), walletOf(2), walletOf(3)]
const director = walletOf(9)
const rich = walletOf(10)
const alloc = new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]])

function directed(wish: Parameters<typeof aGenesis>[0] = {}) {
  const genesis = aGenesis({
    ...{ blockTimeMs: 500, alloc, producers: keys.map(({ address }) => address) },
    director: director.address,
    ...wish,
  })
  const net = new TestNet(start)
  const nodes = keys.map((producer, index) =>
    net.node(`n${index}`, { genesis, producer, ...(index === 0 && { director }) }),
  )
  net.connectAll()
  return { net, genesis, nodes: nodes as [TestNode, TestNode, TestNode] }
}

async function reorg(net: TestNet, node: TestNode, depth: number, keepTxs = 0) {
  let answer: Answer<ForcedReorg> | undefined
  node.producer.tell({
    ...{ type: 'producer.reorg', depth, keepTxs },
    reply: {
      tell: (value: Answer<ForcedReorg>) => {
        answer = value
      },
    },
  })
  for (let waits = 0; waits < 60 && answer === undefined; waits++) await net.advance(100)
  if (answer === undefined) throw new Error('no answer')
  return answer
}

function mine(net: TestNet, node: TestNode, count: number) {
  return net.ask<ProducerMessage, Answer<readonly Hash[]>>(node, node.producer, reply => ({
    ...{ type: 'producer.mine', count },
    reply,
  }))
}

describe('a forced reorg', () => {
  test('by the director moves every node to its branch, 2n ahead', async () => {
    const { net, nodes } = directed()
    const [n0, n1, n2] = nodes
    await net.advance(10_000)
    const before = await net.status(n1)

    const { ancestor, removed, added } = good(await reorg(net, n0, 5))
    await net.advance(1_000)

    expect(removed).toHaveLength(5)
    expect(added.length).toBeGreaterThanOrEqual(7)
    for (const node of [n0, n1, n2]) {
      const fact = node.facts.find(({ removed: gone }) =>
        gone.some(({ header }) => removed.includes(header.hash)),
      )
      expect(fact?.ancestor).toEqual(ancestor)
      expect((await net.status(node)).head.number).toBeGreaterThan(before.head.number)
    }
    const answer = await net.ask<Parameters<typeof n1.chain.tell>[0], ReorgsAnswer>(
      n1,
      n1.chain,
      reply => ({ type: 'chain.getReorgs', reply }),
    )
    expect(answer.reorgs[0]).toMatchObject({ ancestor, removedCount: 5 })
    // What the director signs is no evidence of a faulty producer.
    expect(answer.producers).toEqual([])
  })

  test('takes back the wished share of the transactions, in nonce order; the others wait again', async () => {
    const { net, nodes } = directed()
    const [n0] = nodes
    await net.advance(5_000)
    const txs = Array.from({ length: 10 }, (_, nonce) => rich.tx({ nonce }))
    for (const node of nodes) node.pool.ref.tell({ type: 'give', txs })
    await net.advance(4_000)
    expect((await net.account(n0, rich.address)).nonce).toBe(10n)

    const { reinjected } = good(await reorg(net, n0, 9, 0.4))

    expect(reinjected).toEqual(txs.slice(0, 4).map(({ hash }) => hash))
  })

  test('by the only producer needs no director and may sign again on the same parent', async () => {
    const [key] = keys as [(typeof keys)[0]]
    const genesis = aGenesis({ blockTimeMs: 500, alloc, producers: [key.address] })
    const net = new TestNet(start)
    const node = net.node('n0', { genesis, producer: key })
    await net.advance(12_000)

    for (const depth of [1, 5]) {
      const { removed, added } = good(await reorg(net, node, depth))
      expect({ removed: removed.length, added: added.length }).toEqual({
        removed: depth,
        added: depth + 2,
      })
      await net.advance(5_000)
    }
  })

  test('deeper than the chain is high, or without a director, is refused by its text', async () => {
    const { net, nodes } = directed({ director: null })
    await net.advance(1)
    expect(await reorg(net, nodes[0], 1)).toMatchObject({
      code: 'devnet/no-director',
      message: 'this network has no director; devnet_reorg needs one producer or a director',
    })
    const other = directed({ blockTimeMs: 500 })
    await mine(other.net, other.nodes[0], 12)
    expect(await reorg(other.net, other.nodes[0], 13)).toMatchObject({
      code: 'devnet/too-shallow',
      message: 'the chain is only 12 blocks high',
    })
    expect(await reorg(other.net, other.nodes[1], 1)).toMatchObject({
      code: 'devnet/not-the-director',
    })
  })

  test('65 and 500 blocks deep is followed, though their undo steps are no longer in memory', async () => {
    const genesis = aGenesis({
      ...{ blockTimeMs: 500, producers: keys.map(({ address }) => address) },
      director: director.address,
    })
    const net = new TestNet(start)
    const node = net.node('n0', { genesis, director })
    const forge = new Forge(genesis, keys)
    await net.advance(600_000)
    await net.offerAll(node, forge.row(forge.root, 520))

    for (const depth of [65, 500]) {
      const { removed } = good(await reorg(net, node, depth))
      expect(removed).toHaveLength(depth)
    }
  })
})

test('blocks mined on demand are signed by the director, whose turn it always is', async () => {
  const { net, nodes } = directed({ blockTimeMs: 500 })
  const hashes = good(await mine(net, nodes[0], 3))

  expect(hashes).toHaveLength(3)
  const added = nodes[0].facts.flatMap(fact => fact.added)
  expect(new Set(added.map(({ header }) => header.producer))).toEqual(new Set([director.address]))
})

test('the kept share of transactions never leaves a gap in the nonces of a sender', () => {
  const genesis = aGenesis({ alloc, producers: keys.map(({ address }) => address) })
  const forge = new Forge(genesis, keys)
  const txs = Array.from({ length: 20 }, (_, nonce) => rich.tx({ nonce }))
  const block = forge.next(forge.root, { txs })
  for (const share of [0, 0.25, 0.5, 1]) {
    const kept = chooseKept([block.block], share, () => 0.3)
    expect(kept.map(({ hash }) => hash)).toEqual(
      txs.slice(0, txs.length * share).map(({ hash }) => hash),
    )
  }
})
