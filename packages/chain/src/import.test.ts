import type { Hash, TxRecord } from '@rockpool/protocol'
import { fromHex, zeroHash } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { transactionsRoot } from './dev/roots.ts'
import { aGenesis, ether, gwei } from './testkit/chains.ts'
import type { Forged } from './testkit/forge.ts'
import { Forge, sealOf } from './testkit/forge.ts'
import { keccak256 } from './testkit/keccak.ts'
import { TestNet } from './testkit/nodes.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const rich = walletOf(10)
const poor = walletOf(11)

function aWorld(wish: Parameters<typeof aGenesis>[0] = {}) {
  const genesis = aGenesis({
    producers: producers.map(({ address }) => address),
    alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
    ...wish,
  })
  const net = new TestNet(start)
  const node = net.node('n0', { genesis })
  return { genesis, net, node, forge: new Forge(genesis, producers) }
}

/** A block with one transfer on a chain of one block, which every wrong twin is made from. */
function aBlock(forge: Forge): { first: Forged; block: Forged } {
  const first = forge.next(forge.root)
  return { first, block: forge.next(first, { txs: [rich.tx({ nonce: 0 })] }) }
}

const hashOfOnes = `0x${'11'.repeat(32)}` as Hash

type Twist = (forge: Forge, block: Forged, first: Forged) => Pick<Forged, 'frame'>

/** A block in which one transaction breaks a rule, though its root is right. */
function withTx(tx: TxRecord): Twist {
  const root = transactionsRoot([tx.raw], keccak256)
  return (forge, block) => forge.altered(block, { transactionsRoot: root, gasUsed: 21_000 }, [tx])
}

const wrong: readonly [name: string, code: string, check: string | undefined, twist: Twist][] = [
  [
    'more than 4 MiB',
    'chain/block-undecodable',
    'size',
    (_, { frame }) => ({
      frame: { ...frame, txs: Array.from({ length: 33 }, () => new Uint8Array(131_072)) },
    }),
  ],
  [
    'a header that is none',
    'chain/block-undecodable',
    'header',
    (_, { frame }) => ({ frame: { ...frame, header: Uint8Array.of(0xc0) } }),
  ],
  [
    'a header with bytes after its end',
    'chain/block-undecodable',
    'header',
    (_, { frame }) => ({ frame: { ...frame, header: Uint8Array.from([...frame.header, 0]) } }),
  ],
  [
    'a seal of 64 bytes',
    'chain/bad-signature',
    'form',
    (_, { frame }) => ({ frame: { ...frame, seal: frame.seal.subarray(0, 64) } }),
  ],
  [
    'a seal with high s',
    'chain/bad-signature',
    'form',
    (_, { frame }) => ({ frame: { ...frame, seal: highS(frame.seal) } }),
  ],
  [
    'a producer the genesis does not name',
    'chain/unknown-producer',
    'producer',
    (forge, block) => forge.altered(block, { producer: rich.address }, block.block.txs, rich),
  ],
  [
    'the seal of another producer',
    'chain/bad-signature',
    'signer',
    (forge, block) => {
      const other = producers.find(({ address }) => address !== block.header.producer)
      return { frame: { ...block.frame, seal: sealOf(other ?? rich, block.header) } }
    },
  ],
  [
    'a height that does not follow',
    'chain/invalid-header',
    'number',
    (forge, block) => forge.altered(block, { number: 5, producer: producerAt(5) }),
  ],
  [
    'another gas limit',
    'chain/invalid-header',
    'gas-limit',
    (forge, block) => forge.altered(block, { gasLimit: 30_000_001 }),
  ],
  [
    'more gas used than there is',
    'chain/invalid-header',
    'gas-used',
    (forge, block) => forge.altered(block, { gasUsed: 30_000_001 }),
  ],
  [
    'another base fee',
    'chain/invalid-header',
    'base-fee',
    (forge, block) => forge.altered(block, { baseFee: gwei }),
  ],
  [
    'a time before its rank may speak',
    'chain/too-early',
    'spacing',
    (forge, block, first) => {
      const timeMs = first.header.timeMs + 1_999
      return forge.altered(block, { timeMs, extraData: extra(timeMs) })
    },
  ],
  [
    'bytes that are no transaction',
    'chain/block-undecodable',
    'transaction',
    (_, { frame }) => ({ frame: { ...frame, txs: [Uint8Array.of(1, 2, 3)] } }),
  ],
  [
    'a transaction of another chain',
    'chain/block-undecodable',
    'transaction',
    (_, { frame }) => ({ frame: { ...frame, txs: [rich.tx({ nonce: 0, chainId: 5n }).raw] } }),
  ],
  [
    'other transactions than the header names',
    'chain/bad-body-root',
    'transactions-root',
    (_, { frame }) => ({ frame: { ...frame, txs: [] } }),
  ],
  ['a transaction out of turn', 'chain/invalid-body', 'nonce', withTx(rich.tx({ nonce: 1 }))],
  ['a transaction nobody can pay', 'chain/invalid-body', 'funds', withTx(poor.tx({ nonce: 0 }))],
  [
    'a transaction below the base fee',
    'chain/invalid-body',
    'fee-cap',
    withTx(rich.tx({ nonce: 0, feeCap: 1n, tip: 1n })),
  ],
  [
    'another amount of gas used',
    'chain/invalid-body',
    'gas-used',
    (forge, block) => forge.altered(block, { gasUsed: 21_001 }),
  ],
  [
    'another receipts root',
    'chain/invalid-body',
    'receipts-root',
    (forge, block) => forge.altered(block, { receiptsRoot: hashOfOnes }),
  ],
  [
    'another state root',
    'chain/invalid-body',
    'state-root',
    (forge, block) => forge.altered(block, { stateRoot: hashOfOnes }),
  ],
]

function producerAt(height: number) {
  return producers[height % producers.length]?.address ?? rich.address
}

function extra(timeMs: number): Uint8Array {
  const out = Uint8Array.from([...Buffer.from('rockpool'), 0, 0])
  new DataView(out.buffer).setUint16(8, timeMs % 1000)
  return out
}

function highS(seal: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = order - BigInt(`0x${Buffer.from(seal.subarray(32, 64)).toString('hex')}`)
  return Uint8Array.from([
    ...seal.subarray(0, 32),
    ...fromHex(s.toString(16).padStart(64, '0')),
    1 - (seal[64] ?? 0),
  ])
}

describe('a wrong block', () => {
  for (const [name, code, check, twist] of wrong) {
    test(`with ${name} is ${code} and changes nothing; its right twin is taken`, async () => {
      const { net, node, forge } = aWorld()
      await net.advance(5_000)
      const { first, block } = aBlock(forge)
      await net.offer(node, first)
      const before = await net.status(node)

      const outcome = await net.offer(node, twist(forge, block, first))

      expect({ code: outcome.code, check: outcome.check }).toEqual({ code, check })
      expect(await net.status(node)).toEqual(before)
      expect(node.facts).toHaveLength(1)
      expect(await net.offer(node, block)).toMatchObject({ code: 'chain/imported' })
      expect((await net.account(node, addressAt(0xdead))).balance).toBe(1n)
    })
  }

  test('from too far ahead waits until its time has come', async () => {
    const { net, node, forge } = aWorld()
    const late = forge.next(forge.root, { timeMs: start + 10_001 })

    expect(await net.offer(node, late)).toMatchObject({ code: 'chain/in-future' })
    await net.advance(0)
    expect((await net.status(node)).head.number).toBe(0)

    await net.advance(1)
    expect((await net.status(node)).head.hash).toBe(late.header.hash)
  })

  test('exactly ten seconds ahead is taken', async () => {
    const { net, node, forge } = aWorld()
    const ahead = forge.next(forge.root, { timeMs: start + 10_000 })

    expect(await net.offer(node, ahead)).toMatchObject({ code: 'chain/imported' })
  })
})

describe('what came before', () => {
  test('a forged seal does not shadow the true block', async () => {
    const { net, node, forge } = aWorld()
    const block = forge.next(forge.root)
    const forged = { frame: { ...block.frame, seal: sealOf(rich, block.header) } }

    expect(await net.offer(node, forged)).toMatchObject({ code: 'chain/bad-signature' })
    expect(await net.offer(node, block)).toMatchObject({ code: 'chain/imported' })
  })

  test('a wrong body under a right header and seal does not shadow the true block', async () => {
    const { net, node, forge } = aWorld()
    const block = forge.next(forge.root, { txs: [rich.tx({ nonce: 0 })] })

    expect(await net.offer(node, { frame: { ...block.frame, txs: [] } })).toMatchObject({
      code: 'chain/bad-body-root',
    })
    expect(await net.offer(node, block)).toMatchObject({ code: 'chain/imported' })
  })

  test('a block that failed execution is not executed again, nor what stands on it', async () => {
    const { net, node, forge } = aWorld()
    const bad = forge.altered(forge.next(forge.root), { stateRoot: hashOfOnes })
    const child = forge.next({ ...bad, header: bad.header })

    expect(await net.offer(node, bad)).toMatchObject({ check: 'state-root' })
    expect(await net.offer(node, bad)).toMatchObject({
      code: 'chain/invalid-body',
      check: 'judged-before',
    })
    expect(await net.offer(node, child)).toMatchObject({
      code: 'chain/invalid-body',
      check: 'parent',
    })
  })

  test('a duplicate is known, on the branch and beside it', async () => {
    const { net, node, forge } = aWorld()
    await net.advance(6_000)
    const [inTurn, other] = [forge.next(forge.root), forge.next(forge.root, { producer: 2 })]
    await net.offerAll(node, [inTurn, other])

    expect(await net.offer(node, inTurn)).toMatchObject({ code: 'chain/known' })
    expect(await net.offer(node, other)).toMatchObject({ code: 'chain/known' })
    expect(await net.offer(node, forge.root)).toMatchObject({ code: 'chain/known' })
  })

  test('orphans come in when their parent does, however many were missing', async () => {
    const { net, node, forge } = aWorld()
    await net.advance(10_000)
    const [a, b, c] = forge.row(forge.root, 3) as [Forged, Forged, Forged]

    expect(await net.offer(node, c)).toMatchObject({ code: 'chain/unknown-parent' })
    expect(await net.offer(node, b)).toMatchObject({ code: 'chain/unknown-parent' })
    expect(node.fetches.map(({ parent }) => parent)).toEqual([b.header.hash, a.header.hash])
    await net.offer(node, a)
    await net.settle()

    expect((await net.status(node)).head.hash).toBe(c.header.hash)
  })

  test('an orphan is forgotten after thirty seconds', async () => {
    const { net, node, forge } = aWorld()
    const [a, b] = forge.row(forge.root, 2) as [Forged, Forged]
    await net.offer(node, b)

    await net.advance(30_000)
    await net.offer(node, a)

    expect((await net.status(node)).head.hash).toBe(a.header.hash)
  })

  test('gossip may bring five blocks of one producer at a height, a fetch any number', async () => {
    const { net, node, forge } = aWorld()
    await net.advance(8_000)
    const twins = Array.from({ length: 7 }, (_, index) =>
      forge.next(forge.root, { delayMs: index * 100 }),
    )
    const codes = (await net.offerAll(node, twins.slice(0, 6), 'gossip')).map(({ code }) => code)

    expect(codes.filter(code => code === 'chain/too-many-at-height')).toHaveLength(1)
    expect((await net.offerAll(node, twins.slice(6), 'fetch'))[0]?.code).not.toBe(
      'chain/too-many-at-height',
    )
  })

  test('the 257th block that waits for import is ignored, and so says its code', async () => {
    const { net, node, forge } = aWorld()
    const block = forge.next(forge.root)
    const codes: string[] = []
    const reply = { tell: ({ code }: { code: string }) => codes.push(code) }
    await net.settle()
    for (let index = 0; index < 258; index++) {
      node.chain.tell({ type: 'chain.offer', frame: block.frame, from: 'm', via: 'gossip', reply })
      node.bus.runUntilIdle()
    }

    expect(codes).toEqual(['load/mailbox-full'])
    await net.settle()
    expect(codes.filter(code => code === 'chain/known')).toHaveLength(256)
  })
})

describe('fork choice', () => {
  test('in turn wins over out of turn at equal height, whichever came first', async () => {
    for (const order of [0, 1]) {
      const { net, node, forge } = aWorld()
      await net.advance(6_000)
      const inTurn = forge.next(forge.root, { producer: 1 })
      const outOfTurn = forge.next(forge.root, { producer: 2 })
      await net.offerAll(node, order === 0 ? [inTurn, outOfTurn] : [outOfTurn, inTurn])

      expect((await net.status(node)).head.hash).toBe(inTurn.header.hash)
    }
  })

  test('at equal weight the lower hash wins, whichever came first', async () => {
    for (const order of [0, 1]) {
      const { net, node, forge } = aWorld()
      await net.advance(6_000)
      const twins = [forge.next(forge.root), forge.next(forge.root, { delayMs: 1 })]
      await net.offerAll(node, order === 0 ? twins : [...twins].reverse())
      const [lower] = twins.map(({ header }) => header.hash).sort()

      expect((await net.status(node)).head.hash).toBe(lower)
    }
  })

  test('the director of the genesis may build at any time, with the weight of rank 0', async () => {
    const director = walletOf(99)
    const { net, node, genesis } = aWorld({ director: director.address })
    const forge = new Forge(genesis, [...producers, director])
    const blocks = forge.row(forge.root, 3, () => ({ producer: 3 }))

    const codes = (await net.offerAll(node, blocks, 'gossip')).map(({ code }) => code)

    expect(codes).toEqual(['chain/imported', 'chain/imported', 'chain/imported'])
    expect((await net.status(node)).totalWeight).toBe(9)
  })

  test('a failing block of a heavier branch takes its descendants with it and the next heaviest is tried', async () => {
    const { net, node, forge } = aWorld()
    await net.advance(60_000)
    const own = forge.row(forge.root, 2, () => ({ producer: 0 }))
    const second = forge.row(forge.root, 3, index => ({ producer: (index + 2) % 3 }))
    const [b1, b2] = forge.row(forge.root, 2, () => ({ delayMs: 7 })) as [Forged, Forged]
    const bad = forge.altered(forge.next(b2), { stateRoot: hashOfOnes })
    await net.offerAll(node, own)
    // Side branches are not executed: the bad one is only found out when it wins.
    await net.offerAll(
      node,
      [b1, second[0], second[1]].filter(block => block !== undefined),
    )
    const outcomes = await net.offerAll(node, [b2, bad, ...second.slice(2)])

    expect(outcomes.map(({ code }) => code)).toContain('chain/invalid-body')
    const { head } = await net.status(node)
    expect(head.hash).toBe(heaviest(own, second, [b1, b2]))
  })

  function heaviest(...branches: Forged[][]): Hash {
    const weigh = (branch: Forged[]) =>
      branch.reduce((sum, { header }) => {
        const index = producers.findIndex(({ address }) => address === header.producer)
        return sum + 3 - ((((index - header.number) % 3) + 3) % 3)
      }, 0)
    const [best] = branches.sort((left, right) => weigh(right) - weigh(left))
    return best?.at(-1)?.header.hash ?? zeroHash
  }
})
