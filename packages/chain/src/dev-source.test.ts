import type { ChainSource } from '@rockpool/protocol'
import { chainSourceSuite, MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { type DevSource, devSource } from './dev-source.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import { Forge, type Forged } from './testkit/forge.ts'
import { TestNet, type TestNode } from './testkit/nodes.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const rich = walletOf(10)
const payee = addressAt(0x9a1d)

/** The source of a node on a clock that only moves by hand: each question is followed by whatever it takes to answer it. */
function following(net: TestNet, node: TestNode): { source: ChainSource; inner: DevSource } {
  const inner = devSource(node.bus, node.chain)
  const hear = node.facts.push.bind(node.facts)
  node.facts.push = fact => {
    inner.heard(fact)
    return hear(fact)
  }
  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    await net.settle()
    return answer
  }
  const source: ChainSource = {
    head: () => answered(inner.head()),
    block: hash => answered(inner.block(hash)),
    hashAt: number => answered(inner.hashAt(number)),
    accounts: (addresses, at) => answered(inner.accounts(addresses, at)),
    onHead: inner.onHead,
    status: inner.status,
  }
  return { source, inner }
}

describe('the dev chain as a source', () => {
  chainSourceSuite({ test, expect }, async () => {
    const genesis = aGenesis({
      blockTimeMs: 500,
      producers: producers.map(({ address }) => address),
      alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
    })
    const store = new MemoryStore()
    const net = new TestNet(start)
    const forge = new Forge(genesis, producers)
    let node = net.node('n0', { genesis, store })
    let blocks: Forged[] = [forge.root]
    await net.advance(3_600_000)
    const { source } = following(net, node)

    function* row(from: Forged, count: number, lag: number): Generator<Forged> {
      let top = from
      for (let index = 0; index < count; index++) {
        const { header, state } = top
        const nonce = state.get(rich.address)?.nonce ?? 0
        const txs = [rich.tx({ nonce, to: payee, value: 1n })]
        top = forge.next(top, { txs, producer: (header.number + 1 + lag) % 3 })
        yield top
      }
    }
    const topOf = (list: readonly Forged[]) => list.at(-1) ?? forge.root

    return {
      source,
      payee,
      // Out of turn, so that there is always a branch that weighs more.
      async grow(count) {
        const added = [...row(topOf(blocks), count, 2)]
        await net.offerAll(node, added)
        blocks.push(...added)
      },
      async reorg(depth) {
        blocks = blocks.slice(0, blocks.length - depth)
        const added = [...row(topOf(blocks), depth, 1)]
        await net.offerAll(node, added)
        blocks.push(...added)
      },
      async restart() {
        net.remove(node)
        node = net.node('n0', { genesis, store })
        await net.settle()
        return following(net, node).source
      },
      close: () => net.remove(node),
    }
  })

  test('after close nobody hears anything', async () => {
    const genesis = aGenesis({ producers: [producers[0]?.address ?? payee] })
    const net = new TestNet(start)
    const node = net.node('n0', { genesis })
    const { inner, source } = following(net, node)
    let heard = 0
    inner.onHead(() => {
      heard += 1
    })
    inner.close()
    await net.offer(node, new Forge(genesis, producers).next(new Forge(genesis, producers).root))

    expect(heard).toBe(0)
    expect((await source.head()).number).toBe(1)
    expect(source.status()).toEqual({ state: 'following' })
  })
})
