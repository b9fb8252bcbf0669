import { createTestBus, Probe } from '@rockpool/actor'
import type {
  AccountsAnswer,
  Answer,
  BlockAnswer,
  ChainHead,
  ChainMessage,
  ChainSource,
  ChainStatus,
  HeadEvent,
  ImportOutcome,
} from '@rockpool/protocol'
import { ok } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { headOf } from './dev/header.ts'
import { sourceChainActor } from './source-chain.ts'
import { aGenesis } from './testkit/chains.ts'
import { Forge, type Forged } from './testkit/forge.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const producers = [walletOf(1), walletOf(2)]
const payee = addressAt(7)

/** A source on blocks of a forge that moves when it is told to. */
class HandSource implements ChainSource {
  list: Forged[]
  readonly listeners = new Set<(event: HeadEvent) => void>()
  answersHead = true

  constructor(root: Forged) {
    this.list = [root]
  }

  get top(): Forged {
    return this.list.at(-1) as Forged
  }

  move(depth: number, blocks: readonly Forged[]): void {
    const old = headOf(this.top.header)
    const removed = this.list.splice(this.list.length - depth, depth).reverse()
    const ancestor = this.top.header
    this.list.push(...blocks)
    const event: HeadEvent = {
      old,
      new: headOf(this.top.header),
      ancestor,
      removed: removed.map(({ block }) => block),
      added: blocks.map(({ block }) => block),
    }
    for (const listener of this.listeners) listener(event)
  }

  head = async () => headOf(this.top.header)
  block: ChainSource['block'] = async hash =>
    this.list.find(({ header }) => header.hash === hash)?.block ?? null
  hashAt: ChainSource['hashAt'] = async number => this.list[number]?.header.hash ?? null
  accounts: ChainSource['accounts'] = async (addresses, at) => {
    const { state } = this.list.find(({ header }) => header.hash === at) ?? this.top
    return ok(addresses.map(address => state.view(address)))
  }
  onHead(listener: (event: HeadEvent) => void) {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  status = () => ({ state: 'following' as const })
}

async function following() {
  const genesis = aGenesis({ producers: producers.map(({ address }) => address), reward: 5n })
  const forge = new Forge(genesis, producers)
  const source = new HandSource(forge.root)
  const time = createTestBus({ wiring: { 'chain.head': ['facts'] } })
  const facts = new Probe<ChainHead>(time.bus, 'facts')
  const { hash: genesisHash } = forge.root.header
  const chain = time.bus.declare<ChainMessage>('chain')
  time.bus.spawn(chain, sourceChainActor({ source, chainId: 1337, genesisHash }))
  const ask = async <R>(make: (reply: { tell(value: R): void }) => ChainMessage): Promise<R> => {
    const answer = time.bus.ask<ChainMessage, R>(chain, make, 1_000)
    await time.settle()
    const outcome = await answer
    if (!outcome.ok) throw new Error(outcome.error)
    return outcome.value
  }
  await time.settle()
  return { ...time, forge, source, facts, chain, ask }
}

test('heads of the source are facts of the node, with what left and what joined', async () => {
  const { forge, source, facts, settle, ask } = await following()
  const [one, two] = forge.row(forge.root, 2) as [Forged, Forged]
  const other = forge.row(one, 2, () => ({ delayMs: 7_000 }))
  source.move(0, [one, two])
  source.move(1, other)
  await settle()

  expect(facts.heard.map(({ removed, added }) => [removed.length, added.length])).toEqual([
    [0, 2],
    [1, 2],
  ])
  const status = await ask<ChainStatus>(reply => ({ type: 'chain.getStatus', reply }))
  expect(status.head.hash).toBe(source.top.header.hash)
  expect(status).toMatchObject({ state: 'following', safe: 0 })
})

test('accounts and blocks are those of the block asked for', async () => {
  const { forge, source, settle, ask } = await following()
  const blocks = forge.row(forge.root, 3)
  source.move(0, blocks)
  await settle()
  const producer = blocks[0]?.header.producer ?? payee
  const at = { number: 1 }
  const then = await ask<Answer<AccountsAnswer>>(reply => ({
    type: 'chain.getAccounts',
    addresses: [producer, payee],
    at,
    reply,
  }))
  const found = await ask<Answer<BlockAnswer | null>>(reply => ({
    type: 'chain.getBlock',
    id: { tag: 'latest' },
    reply,
  }))

  if (!then.ok || !found.ok) throw new Error('must be answered')
  expect(then.value.at.number).toBe(1)
  expect(then.value.accounts.map(({ balance }) => balance)).toEqual([5n, 0n])
  expect(found.value).toMatchObject({ canonical: true, block: { header: { number: 3 } } })
})

test('a head that is not known yet is waited for, and what came before it is no fact', async () => {
  const { forge, source, facts, bus, settle } = await following()
  const slow = new HandSource(forge.root)
  let say: () => void = () => {}
  slow.head = () =>
    new Promise(resolve => {
      say = () => resolve(headOf(forge.root.header))
    })
  const { hash: genesisHash } = forge.root.header
  const late = bus.declare<ChainMessage>('late')
  bus.spawn(late, sourceChainActor({ source: slow, chainId: 1337, genesisHash }))
  const answer = bus.ask<ChainMessage, ChainStatus>(
    late,
    reply => ({ type: 'chain.getStatus', reply }),
    1_000,
  )
  const blocks = forge.row(forge.root, 2)
  slow.move(0, blocks)
  await settle()
  say()
  await settle()

  const outcome = await answer
  expect(outcome.ok && outcome.value.head.number).toBe(2)
  expect(facts.heard).toEqual([])
  expect(source.top.header.number).toBe(0)
})

test('what needs a chain of its own is refused by name', async () => {
  const { ask, forge } = await following()
  const [block] = forge.row(forge.root, 1) as [Forged]
  const offered = await ask<ImportOutcome>(reply => ({
    type: 'chain.offer',
    frame: block.frame,
    from: 'p',
    via: 'gossip',
    reply,
  }))
  const mined = await ask<Answer<unknown>>(reply => ({
    type: 'chain.getTransaction',
    hash: block.header.hash,
    reply,
  }))

  expect(offered).toEqual({ code: 'chain/not-here' })
  expect(mined).toMatchObject({ ok: false, code: 'chain/not-here' })
})

test('a source that skips a head is a bug, and is not followed', async () => {
  const { forge, source, letters, facts, fatals, settle } = await following()
  const blocks = forge.row(forge.root, 3)
  source.list.push(blocks[0] as Forged)
  source.move(0, blocks.slice(1, 2))
  await settle()

  expect(letters.map(({ reason }) => reason)).toEqual(['crashed'])
  expect(fatals).toHaveLength(1)
  expect(facts.heard).toEqual([])
})
