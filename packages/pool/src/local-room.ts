import { type ActorRef, createTestBus, Probe } from '@rockpool/actor'
import {
  type Added,
  type Address,
  type Answer,
  addressOf,
  type ChainHead,
  type ChainMessage,
  createRecovery,
  decodeTx,
  devForks,
  encodeSigned,
  failed,
  type GossipRepublish,
  type Hash,
  type Head,
  hashOf,
  type NodeClear,
  type NodeRaise,
  ok,
  type PoolChanged,
  type PoolContent,
  type PoolMessage,
  type Range,
  type Store,
  type TrackedTx,
  type TrackerMessage,
  type TrackerStats,
  type TxFields,
  type TxRecord,
  unsignedPayload,
  type Write,
  zeroAddress,
  zeroHash,
} from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { createKeccak } from 'hash-wasm'
import secp256k1 from 'secp256k1'
import { defaultPoolConfig, type PoolConfig } from './config.ts'
import { poolActor, poolMailbox } from './pool.actor.ts'
import { aHead, anAccount } from './testing.ts'
import { trackerActor } from './tracker.actor.ts'

/** Wallets of tests: real signatures, since a journal holds signed bytes and nothing else. */
export async function createWallets() {
  const hasher = await createKeccak(256)
  const keccak256 = (bytes: Uint8Array): Uint8Array => hasher.init().update(bytes).digest('binary')
  const secretOf = (key: number) => new Uint8Array(32).fill(0).with(31, key + 1)
  const signerOf = (point: Uint8Array) => addressOf(keccak256(point.slice(1)).slice(12))

  const addresses = new Map<number, Address>()
  function address(key: number): Address {
    const known = addresses.get(key)
    if (known !== undefined) return known
    const made = signerOf(secp256k1.publicKeyCreate(secretOf(key), false))
    addresses.set(key, made)
    return made
  }

  function sign(key: number, wish: Partial<TxFields> = {}): Uint8Array {
    const fields: TxFields = {
      ...{ type: 2, chainId: 1337n, nonce: 0n, feeCap: 1_000n, tip: 10n, gas: 21_000n },
      ...{ to: zeroAddress, value: 100n, ...wish },
    }
    const digest = keccak256(unsignedPayload(fields))
    const { signature, recid } = secp256k1.ecdsaSign(digest, secretOf(key))
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    return encodeSigned(fields, { r, s, yParity: recid === 0 ? 0 : 1 })
  }

  return {
    keccak256,
    sign,
    hashOf: (raw: Uint8Array) => hashOf(keccak256(raw)),
    address,
    recovery: () =>
      createRecovery(
        {
          ...{ backend: 'native', workers: 0, keccak256, sha256: keccak256 },
          recover: async batch =>
            batch.map(({ digest, r, s, id }) =>
              signerOf(secp256k1.ecdsaRecover(new Uint8Array([...r, ...s]), id, digest, false)),
            ),
        },
        1337n,
      ),
  }
}

type Wallets = Awaited<ReturnType<typeof createWallets>>

/** A disk that takes its time, forgets in a power cut what was not synced, and may be full. */
export class SlowStore implements Store {
  private kernel: Write[] = []
  private durable: number
  private readonly waiting: { writes: readonly Write[]; sync: boolean; done: () => void }[] = []
  /** Batches wait for `flush`. */
  isHolding = false
  isFull = false
  /** Every batch that was asked for: how many writes, and whether synced. */
  readonly asked: { readonly count: number; readonly sync: boolean }[] = []

  constructor(written: readonly Write[] = []) {
    this.kernel = [...written]
    this.durable = written.length
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.view()).get(key)
  }

  async getMany(keys: readonly Uint8Array[]): ReturnType<Store['getMany']> {
    return (await this.view()).getMany(keys)
  }

  async scan(range: Range): ReturnType<Store['scan']> {
    return (await this.view()).scan(range)
  }

  batch(writes: readonly Write[], { sync = false } = {}): Promise<void> {
    this.asked.push({ count: writes.length, sync })
    if (this.isFull) return Promise.reject(new Error('store/full: no space left on device'))
    return new Promise(resolve => {
      this.waiting.push({ writes, sync, done: resolve })
      if (!this.isHolding) this.flush()
    })
  }

  get waitingCount(): number {
    return this.waiting.length
  }

  /** Writes the oldest batches. */
  flush(count: number = this.waiting.length): void {
    for (const { writes, sync, done } of this.waiting.splice(0, count)) {
      this.kernel.push(...writes)
      if (sync) this.durable = this.kernel.length
      done()
    }
  }

  /** The disk as the next process finds it. A killed process loses nothing that the kernel had. */
  after(crash: 'kill' | 'power cut'): SlowStore {
    return new SlowStore(this.kernel.slice(0, crash === 'kill' ? undefined : this.durable))
  }

  private async view(): Promise<MemoryStore> {
    const store = new MemoryStore()
    await store.batch(this.kernel)
    return store
  }
}

export interface RoomWish {
  readonly wallets: Wallets
  readonly config?: Partial<PoolConfig>
  readonly store?: Store
  /** Accounts at the head, by key; unknown ones are rich and at nonce 0. */
  readonly nonces?: ReadonlyMap<number, bigint>
  readonly start?: Head
}

export type LocalRoom = ReturnType<typeof createLocalRoom>

/** The pool and its tracker between a chain that knows accounts, and a gossip that only listens. */
export function createLocalRoom({ wallets, config, store, start = aHead(), nonces }: RoomWish) {
  const test = createTestBus({ wiring: { 'pool.changed': ['listener'] } })
  const { bus } = test
  const whole = { ...defaultPoolConfig, ...config }
  const state = new Map<Address, bigint>()
  for (const [key, nonce] of nonces ?? []) state.set(wallets.address(key), nonce)
  const poor = new Set<Address>()
  let hasState = true
  let head = start
  const answers: string[] = []
  const order: string[] = []
  const taken: { readonly raw: Uint8Array; readonly answer: Answer<Added> }[] = []

  const chain = new Probe<ChainMessage>(bus, 'chain', message => {
    if (message.type !== 'chain.getAccounts') return
    if (!hasState) return message.reply.tell(failed('chain/state-missing'))
    const accounts = message.addresses.map(address => ({
      ...anAccount({
        nonce: state.get(address) ?? 0n,
        ...(poor.has(address) && { balance: 0n }),
      }),
      delegation: null,
    }))
    message.reply.tell(ok({ at: head, accounts }))
  })
  const listener = new Probe<PoolChanged>(bus, 'listener', ({ type }) => order.push(type))
  const gossip = new Probe<GossipRepublish>(bus, 'gossip')
  const node = new Probe<NodeRaise | NodeClear>(bus, 'node')
  const pool: ActorRef<PoolMessage> = bus.declare<PoolMessage>('pool', poolMailbox)
  const tracker = bus.declare<TrackerMessage>('tracker')
  bus.spawn(
    pool,
    poolActor({
      tracker,
      ...{ config: whole, chain: chain.ref, recovery: wallets.recovery(), node: node.ref, start },
      ...{ keccak256: wallets.keccak256, forks: devForks, chainId: 1337n },
      ...(store && { journal: { store, genesis: zeroHash } }),
    }),
  )
  bus.spawn(tracker, trackerActor({ config: whole, pool, gossip: gossip.ref }))

  function ask<R>(make: (reply: { tell(value: R): void }) => PoolMessage): R {
    let answer: R | undefined
    pool.tell(make({ tell: value => void (answer = value) }))
    test.run()
    if (answer === undefined) throw new TypeError('no answer')
    return answer
  }

  return {
    test,
    pool,
    answers,
    order,
    /** Submissions that were answered, with what. */
    taken,
    gossip,
    node,
    facts: () => listener.take(),
    /** What the chain was asked, which is kept otherwise. */
    asked: () => chain.take(),
    setPoor: (key: number, isPoor: boolean) =>
      isPoor ? poor.add(wallets.address(key)) : poor.delete(wallets.address(key)),
    setState: (has: boolean) => {
      hasState = has
    },
    ask,
    /** Somebody else's transaction comes by gossip. */
    hear(raw: Uint8Array, key: number): void {
      const decoded = decodeTx(raw, wallets.keccak256)
      if (!decoded.ok) throw new Error(decoded.message)
      const sender = wallets.address(key)
      const tx = { ...decoded.value, sender, authorities: [], authoritySlots: [] }
      const reply = { tell() {} } as never
      pool.tell({ type: 'pool.add', txs: [tx], origin: 'gossip', reply })
    },
    submit(raw: Uint8Array, isPrivate = false): void {
      const tell = (answer: Answer<Added>) => {
        order.push('answer')
        taken.push({ raw, answer })
        answers.push(answer.ok ? (answer.value.deferred ?? answer.value.half) : answer.code)
      }
      pool.tell({
        ...{ type: 'pool.submit', raw, reply: { tell } as never },
        ...(isPrivate && { isPrivate }),
      })
    },
    /** A block with these transactions; the accounts of their senders move on. */
    mine(txs: readonly TxRecord[]): void {
      for (const { sender, nonce } of txs) state.set(sender, nonce + 1n)
      const next = aHead({ number: head.number + 1 })
      pool.tell(factOf(head, next, [], txs))
      head = next
    },
    /** The last block leaves, and an empty one comes in its place. */
    reorg(txs: readonly TxRecord[]): void {
      for (const { sender, nonce } of txs) state.set(sender, nonce)
      const next = aHead({ number: head.number, branch: 'other' })
      pool.tell(factOf(head, next, txs, []))
      head = next
    },
    /** What a reorg now will branch off from. */
    forget(): void {
      const { ancestor } = factOf(head, head, [], [])
      ask<null>(reply => ({ type: 'pool.forget', ancestor: ancestor.hash, reply }) as PoolMessage)
    },
    pending: (): TxRecord[] =>
      [
        ...ask<{ pending: ReadonlyMap<Address, readonly TxRecord[]> }>(
          reply => ({ type: 'pool.getContent', reply }) as PoolMessage,
        ).pending.values(),
      ].flat(),
    content: (): TxRecord[] => {
      const { pending, queued } = ask<{
        pending: ReadonlyMap<Address, readonly TxRecord[]>
        queued: ReadonlyMap<Address, readonly TxRecord[]>
      }>(reply => ({ type: 'pool.getContent', reply }) as PoolMessage)
      return [...pending.values(), ...queued.values()].flat()
    },
    /** Everything the pool holds, private ones too, each sender's in nonce order. */
    all: (): TxRecord[] => {
      const whole = ask<PoolContent>(
        reply => ({ type: 'pool.getContent', all: true, reply }) as PoolMessage,
      )
      return [...whole.pending.values(), ...whole.queued.values()].flat()
    },
    tracked: (): readonly TrackedTx[] =>
      ask<readonly TrackedTx[]>(reply => ({ type: 'pool.getTracked', reply }) as PoolMessage),
    stats: (): TrackerStats =>
      ask<TrackerStats>(reply => ({ type: 'pool.getTrackerStats', reply }) as PoolMessage),
    get head() {
      return head
    },
  }
}

function factOf(
  old: Head,
  next: Head,
  removed: readonly TxRecord[],
  added: readonly TxRecord[],
): ChainHead {
  return {
    type: 'chain.head',
    old,
    new: next,
    ancestor: { hash: zeroHash, number: next.number - 1 },
    removed: removed.length > 0 ? [blockOf(old, removed)] : [],
    added: [blockOf(next, added)],
  }
}

function blockOf(head: Head, txs: readonly TxRecord[]) {
  const header = {
    ...head,
    producer: zeroAddress,
    stateRoot: zeroHash,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    extraData: new Uint8Array(0),
  }
  return { header, txs, seal: new Uint8Array(0), size: 0 }
}

export const hashesOf = (txs: readonly { readonly hash: Hash }[]): Hash[] =>
  txs.map(({ hash }) => hash).sort()
