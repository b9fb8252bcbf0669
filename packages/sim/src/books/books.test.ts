import { createTestBus } from '@rockpool/actor'
import { encodeHeader, execute, extraDataOf, type genesisBlock, headOf } from '@rockpool/chain'
import { defaultPoolConfig, Pool } from '@rockpool/pool'
import {
  type Address,
  type Block,
  type ChainHead,
  devForks,
  encodeBlockFrame,
  type Hash,
  type Head,
  ok,
  type PoolChanged,
  type TxRecord,
  zeroHash,
} from '@rockpool/protocol'
import { expect, test } from 'vitest'
import type { Book, SimNode } from '../api.ts'
import { createSimChain } from '../chain.ts'
import { testCrypto } from '../testkit/crypto.ts'
import { aWorld, type FakeWorld, producer } from '../testkit/fake-world.ts'
import { signedTransfers, testWallets } from '../testkit/transfers.ts'
import { createBooks, createShelf } from './books.ts'
import { busBook } from './bus-book.ts'
import { chainBook } from './chain-book.ts'
import { deliveryBook } from './delivery-book.ts'
import { Ledger } from './ledger.ts'
import { localBook } from './local-book.ts'
import { poolBook } from './pool-book.ts'
import { reorgBook, roundTrip } from './reorg-book.ts'

type Run = typeof execute
const { keccak256 } = testCrypto

/** A shelf with a ledger, and blocks that belong into it. */
function aShelf(fake: FakeWorld, run?: Run) {
  const shelf = createShelf()
  const { genesis, options } = fake.world
  shelf.open(new Ledger(genesis, keccak256, options.chain === 'dev', run))
  let waiting: readonly TxRecord[] = []
  let wallMs = genesis.timeSeconds * 1_000
  const chain = createSimChain({
    ...{ genesis, keccak256, rng: fake.world.fork('chain'), wallMs: () => wallMs },
    after: () => {},
    isUp: () => true,
    waiting: () => waiting,
  })
  const blocks: Block[] = []
  let head = chain.head
  const source = chain.source(0)
  source.onHead(({ added }) => blocks.push(...added))
  /** The next block on the head, so long after it. */
  function next(txs: readonly TxRecord[] = [], ms = 2_000): ChainHead {
    waiting = txs
    wallMs += ms
    chain.grow()
    chain.settle(0)
    const block = blocks.at(-1) as Block
    const old = head
    head = headOf(block.header)
    return { type: 'chain.head', old, new: head, ancestor: old, removed: [], added: [block] }
  }
  return { shelf, next, root: chain.head }
}

const nodeOf = ({ world }: FakeWorld, index = 0): SimNode => world.nodes[index] as SimNode

function tell(book: Book, fake: FakeWorld, fact: ChainHead | PoolChanged, index = 0): void {
  book.fact?.(nodeOf(fake, index), fact, fake.world)
}

function changed(given: Partial<PoolChanged>): PoolChanged {
  const none: readonly Hash[] = []
  const stats = { pending: 0, queued: 0, slots: 0 }
  return {
    ...{ type: 'pool.changed', head: zeroHash, added: none, promoted: none, demoted: none },
    ...{ dropped: [], events: [], stats, ...given },
  }
}

/** What books read of a pool. */
function aPool(
  pending: readonly TxRecord[],
  queued: readonly TxRecord[] = [],
  given: { head?: Head; config?: Partial<typeof defaultPoolConfig> } = {},
): Pool {
  const bySender = (txs: readonly TxRecord[]) => {
    const map = new Map<Address, TxRecord[]>()
    for (const tx of txs) map.set(tx.sender, [...(map.get(tx.sender) ?? []), tx])
    return map
  }
  const all = new Set([...pending, ...queued].map(({ hash }) => hash))
  const content = () => ({ pending: bySender(pending), queued: bySender(queued) })
  return {
    head: given.head,
    drifted: false,
    stats: { pending: pending.length, queued: queued.length, slots: all.size },
    content,
    contentFrom: content,
    has: (hash: Hash) => all.has(hash),
    inspect: () => ({ config: { ...defaultPoolConfig, ...given.config } }),
  } as unknown as Pool
}

/** The order and the limits of these pools, but not the recount of their insides. */
function checkedPool(fake: FakeWorld, pool: Pool): string[] {
  const { shelf } = aShelf(fake)
  const node = fake.nodes[0]
  if (node !== undefined) node.inside = { pool }
  const book = poolBook(shelf, () => [])
  book.checkpoint?.(fake.world)
  return fake.ids()
}

test('message-lost: a bus that lost one', () => {
  const fake = aWorld()
  const { bus } = createTestBus()
  Object.assign(fake.nodes[0] ?? {}, { bus })
  Object.assign(fake.nodes[1] ?? {}, { bus: createTestBus().bus })
  busBook().checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  bus.sent += 1
  busBook().checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['message-lost'])
})

test('mailbox-bound: one more than fits', () => {
  const fake = aWorld(1)
  const { bus } = createTestBus()
  Object.assign(fake.nodes[0] ?? {}, { bus })
  bus.declare<{ type: 'x' }>('small', { capacity: 1 }).tell({ type: 'x' })
  busBook().checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  bus.roots.get('small')?.user.push({ type: 'x' }, 1, 0, 0)
  busBook().checkpoint?.(fake.world)
  expect(fake.ids()).toContain('mailbox-bound')
})

test('actor-crash: an actor threw', () => {
  const fake = aWorld(1)
  const { bus, run } = createTestBus()
  Object.assign(fake.nodes[0] ?? {}, { bus })
  const ref = bus.spawn<{ type: 'x' }>('bad', () => () => {
    throw new Error('planted')
  })
  ref.tell({ type: 'x' })
  run()
  busBook().checkpoint?.(fake.world)

  expect(fake.ids()).toContain('actor-crash')
})

test('a block that keeps every rule is no finding', async () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  book.begin?.(fake.world)
  for (const tx of await signedTransfers(3)) tell(book, fake, next([tx]))
  book.checkpoint?.(fake.world)

  expect(fake.ids()).toEqual([])
  expect(shelf.ledger.minedCount).toBe(3)
  const { address } = testWallets[0] ?? {}
  const head = shelf.heads.get(0) ?? zeroHash
  expect(shelf.ledger.nonce(head, address ?? producer)).toBe(3)
})

test('bad-header: a block that comes before its time', () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  tell(book, fake, next([], 2_000))
  expect(fake.ids()).toEqual([])
  tell(book, fake, next([], 1_000))

  expect(fake.ids()).toEqual(['bad-header'])
})

test('bad-root: a header with another state', () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const fact = next()
  const [block] = fact.added as [Block]
  const added = [{ ...block, header: { ...block.header, stateRoot: zeroHash } }]
  tell(chainBook(shelf), fake, { ...fact, added })

  expect(fake.ids()).toEqual(['bad-root'])
})

test('tx-twice: one transaction in two blocks of a branch', async () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const [tx] = await signedTransfers(1)
  const book = chainBook(shelf)
  tell(book, fake, next(tx === undefined ? [] : [tx]))
  const fact = next()
  const [block] = fact.added as [Block]
  tell(book, fake, { ...fact, added: [{ ...block, txs: tx === undefined ? [] : [tx] }] })

  expect(fake.ids()).toContain('tx-twice')
})

/** Findings when blocks are executed with something gone wrong. */
async function withRun(wrong: (right: Extract<ReturnType<Run>, { ok: true }>) => object) {
  const fake = aWorld(1)
  const run: Run = (state, env, txs) => {
    const right = execute(state, env, txs)
    return right.ok ? { ...right, ...wrong(right) } : right
  }
  const { shelf, next } = aShelf(fake, run)
  tell(chainBook(shelf), fake, next(await signedTransfers(1)))
  return fake.ids()
}

type Accounts = ReturnType<typeof genesisBlock>['accounts']

test('balance-sum: money from nowhere', async () => {
  const ids = await withRun(({ changes }) => {
    const richer = new Map(changes as unknown as Accounts)
    richer.set(producer, { nonce: 0, balance: 10n ** 30n, delegation: null })
    return { changes: richer }
  })
  expect(ids).toContain('balance-sum')
})

test('nonce-count: a nonce that skips one', async () => {
  const ids = await withRun(({ changes }) => {
    const skipped = new Map(changes as unknown as Accounts)
    for (const [address, account] of skipped) skipped.set(address, { ...account, nonce: 2 })
    return { changes: skipped }
  })
  expect(ids).toContain('nonce-count')
})

test('undo-identity: an undo that forgets somebody', async () => {
  const ids = await withRun(() => ({ undo: new Map() }))
  expect(ids).toEqual(['undo-identity'])
})

test('double-block: one key, one parent, two blocks', () => {
  const fake = aWorld(2)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  const fact = next()
  const [block] = fact.added as [Block]
  tell(book, fake, fact)
  tell(book, fake, fact, 1)
  expect(fake.ids()).toEqual([])
  const other = { ...block, header: { ...block.header, hash: `0x${'11'.repeat(32)}` as Hash } }
  tell(book, fake, { ...fact, old: fact.new, added: [other] }, 1)

  expect(fake.ids()).toContain('double-block')
})

test('lighter-head: a heavier head is left', () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  const first = next()
  const second = next()
  tell(book, fake, first)
  tell(book, fake, second)
  tell(book, fake, { ...first, old: second.new, added: [], removed: second.added })

  expect(fake.ids()).toEqual(['lighter-head'])
})

test('state-drift: a node with other accounts than its head has', () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  const fact = next()
  tell(book, fake, fact)
  const values = new Map(shelf.ledger.page(fact.new.hash)?.accounts)
  const chain = { head: fact.added[0]?.header, accountsAt: () => ({ values, pending: [] }) }
  Object.assign(fake.nodes[0] ?? {}, { inside: { chain } })
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  const [address] = values.keys()
  values.set(address ?? producer, { nonce: 9, balance: 1n, delegation: null })
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['state-drift'])
})

test('one-head: heads that stay apart after everything is whole', () => {
  const fake = aWorld(2)
  const { shelf, next, root } = aShelf(fake)
  const book = chainBook(shelf)
  for (let block = 0; block < 10; block++) tell(book, fake, next())
  shelf.heads.set(1, root.hash)
  for (const ms of [60_000, 100_000, 105_000]) {
    fake.at(ms)
    book.checkpoint?.(fake.world)
  }
  expect(fake.ids()).toEqual([])

  fake.at(110_000)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['one-head'])
})

test('one-head: who has no way but through evil ones has until its redial', () => {
  const fake = aWorld(3)
  Object.assign(fake.nodes[2] ?? {}, { isEvil: true })
  const { shelf, next, root } = aShelf(fake)
  const book = chainBook(shelf)
  const link = (...peers: readonly string[][]) => {
    for (const [index, of] of peers.entries()) Object.assign(nodeOf(fake, index), { peers: of })
  }
  for (let block = 0; block < 10; block++) tell(book, fake, next())
  shelf.heads.set(1, root.hash)
  link(['peer2'], ['peer2'], ['peer0', 'peer1'])
  for (const ms of [60_000, 110_000, 150_000]) {
    fake.at(ms)
    book.checkpoint?.(fake.world)
  }
  expect(fake.ids()).toEqual([])

  link(['peer1'], ['peer0'], [])
  for (const ms of [155_000, 196_000]) {
    fake.at(ms)
    book.checkpoint?.(fake.world)
  }
  expect(fake.ids()).toEqual(['one-head'])
})

test('nonce-gap: pending that does not begin at the nonce of the state', async () => {
  const fake = aWorld(1)
  const txs = await signedTransfers(3)
  const { root } = aShelf(fake)

  expect(checkedPool(fake, aPool(txs.slice(0, 2), [], { head: root }))).toEqual([])
  expect(checkedPool(fake, aPool(txs.slice(1), [], { head: root }))).toEqual(['nonce-gap'])
})

test('nonce-order: one nonce in both halves', async () => {
  const fake = aWorld(1)
  const txs = await signedTransfers(2)
  const { root } = aShelf(fake)

  expect(checkedPool(fake, aPool(txs, txs.slice(1), { head: root }))).toEqual(['nonce-order'])
})

test('account-limit and pool-limit: one more than may be', async () => {
  const txs = await signedTransfers(3)
  const config = { accountQueue: 2, accountSlots: 2, globalSlots: 2, globalQueue: 2 }
  const { root: head } = aShelf(aWorld(1))

  expect(checkedPool(aWorld(1), aPool(txs, [], { head, config }))).toEqual(['account-limit'])
  expect(checkedPool(aWorld(1), aPool([], txs, { head, config }))).toEqual([
    'account-limit',
    'pool-limit',
  ])
  const fits = { ...config, accountQueue: 3, accountSlots: 3, globalSlots: 3, globalQueue: 3 }
  expect(checkedPool(aWorld(1), aPool(txs, [], { head, config: fits }))).toEqual([])
})

test('pool-unsound: a pool whose recount differs from its counts', async () => {
  const fake = aWorld(1)
  const { shelf, root } = aShelf(fake)
  const pool = new Pool({ config: defaultPoolConfig, forks: devForks, head: root })
  Object.assign(fake.nodes[0] ?? {}, { inside: { pool } })
  poolBook(shelf).checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  pool.inspect().holdings.slots += 1
  poolBook(shelf).checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['pool-unsound'])
})

test('bad-replacement: a nonce replaced for less than ten percent more', async () => {
  const [old] = await signedTransfers(1)
  if (old === undefined) throw new Error('there is one')
  const priced = (percent: bigint, hash: string): TxRecord => ({
    ...old,
    hash: hash as Hash,
    feeCap: (old.feeCap * percent) / 100n,
    tip: (old.tip * percent) / 100n,
  })
  const ids = (by: TxRecord) => {
    const fake = aWorld(1)
    const { shelf } = aShelf(fake)
    shelf.ledger.know(old)
    shelf.ledger.know(by)
    const dropped = [{ hash: old.hash, reason: 'replaced', by: by.hash }]
    tell(poolBook(shelf), fake, changed({ dropped }))
    return fake.ids()
  }

  expect(ids(priced(110n, '0x110'))).toEqual([])
  expect(ids(priced(109n, '0x109'))).toEqual(['bad-replacement'])
})

test('tx-lost-in-reorg: what left the branch is nowhere', async () => {
  const lost = async (given: Partial<PoolChanged>, pooled: boolean) => {
    const fake = aWorld(1)
    const { shelf, next, root } = aShelf(fake)
    const [tx] = await signedTransfers(1)
    if (tx === undefined) throw new Error('there is one')
    const fact = next([tx])
    const chain = chainBook(shelf)
    const book = reorgBook(shelf)
    tell(chain, fake, fact)
    tell(book, fake, changed({ head: fact.new.hash }))
    // Back to the root, as a source may lead a node.
    shelf.heads.set(0, root.hash)
    const dropped = (given.dropped ?? []).map(drop => ({ ...drop, hash: tx.hash }))
    tell(book, fake, changed({ head: root.hash, dropped }))
    const pool = aPool(pooled ? [tx] : [], [], { head: root })
    Object.assign(fake.nodes[0] ?? {}, { inside: { pool } })
    fake.nodes.forEach(node => Object.assign(node.inside.pool?.stats ?? {}, { pending: 0 }))
    book.checkpoint?.(fake.world)
    // A pool with a slow disk tells its reasons late.
    expect(fake.ids()).toEqual([])
    fake.at(60_000)
    book.checkpoint?.(fake.world)
    return fake.ids()
  }

  expect(await lost({}, true)).toEqual([])
  expect(await lost({ dropped: [{ hash: zeroHash, reason: 'reorg-lost' }] }, false)).toEqual([])
  expect(await lost({}, false)).toEqual(['tx-lost-in-reorg'])
})

test('reorg-roundtrip: there and back is not where it began', async () => {
  const txs = await signedTransfers(3)
  const { root } = aShelf(aWorld(1))
  const make = () => {
    const pool = new Pool({ config: defaultPoolConfig, forks: devForks, head: root })
    const view = { nonce: 0n, balance: 10n ** 20n, codeHash: zeroHash }
    const accounts = new Map(txs.map(({ sender }) => [sender, view]))
    pool.apply({ op: 'add', now: 0, origin: 'sync', txs, accounts })
    return pool
  }
  const forgetful = () => {
    const pool = make()
    const apply = pool.apply.bind(pool)
    pool.apply = op =>
      apply(
        op.op === 'reset' && op.path.kind === 'reorg'
          ? { ...op, path: { ...op.path, discarded: [] } }
          : op,
      )
    return pool
  }

  expect(roundTrip(make(), devForks)).toBe(undefined)
  const fake = aWorld(1)
  const { shelf } = aShelf(fake)
  Object.assign(fake.nodes[0] ?? {}, { inside: { pool: make() } })
  reorgBook(shelf).checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  reorgBook(shelf, forgetful).checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['reorg-roundtrip'])
})

/** A node that answered for a transaction and then goes through `story`. */
async function vowed(story: (fake: FakeWorld, book: Book) => void): Promise<string[]> {
  const fake = aWorld(1)
  const { shelf, root } = aShelf(fake)
  const [tx] = await signedTransfers(1)
  if (tx === undefined) throw new Error('there is one')
  const book = localBook(shelf)
  shelf.heads.set(0, root.hash)
  const answer = ok({ hash: tx.hash, half: 'pending' as const })
  book.edge?.({ type: 'submitted', node: 0, raw: tx.raw }, fake.world)
  await new Promise(resolve => setImmediate(resolve))
  book.edge?.({ type: 'answered', node: 0, raw: tx.raw, answer }, fake.world)
  const followed = new Set([tx.hash])
  const tracker = { has: (hash: Hash) => followed.has(hash), list: () => [] }
  Object.assign(fake.nodes[0] ?? {}, { inside: { tracker, pool: aPool([], [], { head: root }) } })
  fake.at(40_000)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])
  followed.clear()
  story(fake, book)
  book.checkpoint?.(fake.world)
  return fake.ids()
}

const reborn = (fake: FakeWorld, book: Book, life: 'kill' | 'stop'): void => {
  book.edge?.({ type: 'life', node: 0, life }, fake.world)
  Object.assign(fake.nodes[0] ?? {}, { boots: 2, upSinceMs: 40_000 })
  fake.at(80_000)
}

test('local-evicted: a promised transaction is not followed any more', async () => {
  expect(await vowed(() => {})).toEqual(['local-evicted'])
})

test('journal-roundtrip: it is not followed after a kill', async () => {
  expect(await vowed((fake, book) => reborn(fake, book, 'kill'))).toEqual(['journal-roundtrip'])
})

test('drain-changed-state: it is not followed after an orderly stop', async () => {
  expect(await vowed((fake, book) => reborn(fake, book, 'stop'))).toEqual(['drain-changed-state'])
})

test('drain-changed-state: the chain comes back on another branch', () => {
  const fake = aWorld(1)
  const { shelf, next, root } = aShelf(fake)
  const chain = chainBook(shelf)
  const book = localBook(shelf)
  const fact = next()
  tell(chain, fake, fact)
  const life = (name: 'stop' | 'open', head: Hash) => {
    Object.assign(fake.nodes[0] ?? {}, { inside: { chain: { head: { hash: head } } } })
    const fields = { from: 'ready', to: 'draining' }
    const edges = [
      { type: 'log', node: 0, level: 'info', code: 'node/state', fields } as const,
      { type: 'life', node: 0, life: name } as const,
    ]
    for (const edge of name === 'stop' ? edges : edges.slice(1)) {
      chain.edge?.(edge, fake.world)
      book.edge?.(edge, fake.world)
    }
  }
  life('stop', fact.new.hash)
  life('open', fact.new.hash)
  expect(fake.ids()).toEqual([])

  life('stop', fact.new.hash)
  life('open', root.hash)
  expect(fake.ids()).toEqual(['drain-changed-state'])
})

test('drain-late: a stop that goes on and on', () => {
  const fake = aWorld(1)
  const book = localBook(aShelf(fake).shelf)
  const fields = { from: 'ready', to: 'draining' }
  book.edge?.({ type: 'log', node: 0, level: 'info', code: 'node/state', fields }, fake.world)
  const lastMs = 3 * fake.world.options.disk.meanMs
  fake.at(35_000 + lastMs)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual([])

  fake.at(35_001 + lastMs)
  book.checkpoint?.(fake.world)
  expect(fake.ids()).toEqual(['drain-late'])
})

test('not-delivered: pending here for a minute, unknown there', async () => {
  const txs = await signedTransfers(1)
  const late = (there: readonly TxRecord[], ms: number) => {
    const fake = aWorld(2)
    const { shelf, root: head } = aShelf(fake)
    const book = deliveryBook(shelf)
    Object.assign(fake.nodes[0] ?? {}, { inside: { pool: aPool(txs, [], { head }) } })
    Object.assign(fake.nodes[1] ?? {}, { inside: { pool: aPool(there, [], { head }) } })
    for (const at of [60_000, 60_000 + ms]) {
      fake.at(at)
      book.checkpoint?.(fake.world)
    }
    return fake.ids()
  }

  expect(late([], 60_000)).toEqual([])
  expect(late(txs, 65_000)).toEqual([])
  expect(late([], 65_000)).toEqual(['not-delivered'])
})

test('delivered-twice: one message, one node, two deliveries', () => {
  const fake = aWorld(2)
  const book = deliveryBook(aShelf(fake).shelf)
  const deliver = (node: number) =>
    book.edge?.(
      { type: 'deliver', node, from: 'p', topic: '/tx', bytes: new Uint8Array(0), id: 'm' },
      fake.world,
    )
  deliver(0)
  deliver(1)
  expect(fake.ids()).toEqual([])

  fake.at(115_000)
  deliver(0)
  expect(fake.ids()).toEqual([])

  deliver(0)
  expect(fake.ids()).toEqual(['delivered-twice'])
})

test('overload-punished: a peer rejected for our own load', () => {
  const fake = aWorld(1)
  const book = deliveryBook(aShelf(fake).shelf)
  const judged = (word: string) => {
    const gossip = { verdicts: new Map([[word, 1]]), charges: new Map(), counts: new Map() }
    Object.assign(fake.nodes[0] ?? {}, { inside: { gossip } })
    book.checkpoint?.(fake.world)
    return fake.ids()
  }

  expect(judged('tx ignore load/queue-full')).toEqual([])
  expect(judged('tx reject pool/wrong-chain')).toEqual([])
  expect(judged('tx reject load/queue-full')).toEqual(['overload-punished'])
})

test('double-block: one of the two was only published', () => {
  const fake = aWorld(1)
  const { shelf, next } = aShelf(fake)
  const book = chainBook(shelf)
  const fact = next()
  const { header } = fact.added[0] as Block
  const publish = (timeMs: number) => {
    const extraData = extraDataOf(timeMs)
    const frame = { header: encodeHeader({ ...header, timeMs, extraData }), txs: [] }
    const bytes = encodeBlockFrame({ ...frame, seal: new Uint8Array(65) })
    const edge = { node: 0, topic: '/block', bytes, id: `m${timeMs}`, recipients: 1 } as const
    book.edge?.({ type: 'publish', ...edge }, fake.world)
  }
  tell(book, fake, fact)
  publish(header.timeMs)
  expect(fake.ids()).toEqual([])

  publish(header.timeMs + 1)
  expect(fake.ids()).toEqual(['double-block'])
})

test('all ids of all books are told apart', () => {
  const ids = createBooks().flatMap(book => book.ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeGreaterThan(24)
})
