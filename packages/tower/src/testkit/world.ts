import { Bus, createTestBus, RealClock } from '@rockpool/actor'
import {
  type Answer,
  type AppointmentReceipt,
  type AppointmentState,
  type DeletedAppointment,
  type Fact,
  type Reply,
  type ResponderMessage,
  type ResponderStats,
  type Store,
  type Subscription,
  type SubscriptionState,
  type TowerExplanation,
  type TowerKey,
  type WatcherMessage,
  type WatcherStats,
} from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { defaultTowerConfig, type TowerConfig } from '../config.ts'
import type { HomeTx } from '../home.ts'
import { responderActor, responderMailbox } from '../responder.actor.ts'
import {
  appointmentMessage,
  deleteMessage,
  getMessage,
  locatorOf,
  messageDigest,
  plainHex,
  subscriptionMessage,
  uuidOf,
} from '../signing.ts'
import { watcherActor, watcherMailbox } from '../watcher.actor.ts'
import { toZbase32 } from '../zbase32.ts'
import { aPair, TestChain } from './chain.ts'
import { aKey, sha256, testCrypto } from './crypto.ts'

export interface WorldOptions {
  readonly config?: Partial<TowerConfig>
  readonly store?: Store
  readonly chain?: TestChain
}

export type World = Awaited<ReturnType<typeof aTower>>

/** A watcher and a responder on a chain of the test's own, in virtual time, with clients that sign. */
export async function aTower(options: WorldOptions = {}) {
  const store = options.store ?? new MemoryStore()
  const chain = options.chain ?? new TestChain()
  // A start reads as many blocks: tests start often.
  const config = { ...defaultTowerConfig, txIndexBlocks: 30, ...options.config }
  const facts: Fact[] = []
  const test = createTestBus({
    entropy: count => new Uint8Array(count).fill(7),
    wiring: Object.fromEntries(
      ['breach.seen', 'breach.answered', 'breach.resolved'].map(fact => [fact, ['listener']]),
    ),
  })
  const { bus } = test
  const { key, watcher, responder } = spawnTower(bus, { config, store, chain, facts })

  /** The tower hears of the tip, and does all that follows. */
  async function follow(): Promise<void> {
    const { hash, height } = chain.tip
    watcher.tell({ type: 'watcher.head', head: { hash, height } })
    responder.tell({ type: 'responder.head', head: { hash, height } })
    await test.settle()
  }

  /** A block with these, and the tower hears of it. */
  async function mine(...txs: readonly HomeTx[]): Promise<void> {
    chain.mine(...txs)
    await follow()
  }

  async function pass(blocks: number): Promise<void> {
    for (let count = 0; count < blocks; count += 1) await mine()
  }

  async function ask<R>(make: (reply: Reply<R>) => WatcherMessage): Promise<R> {
    let answer: { value: R } | undefined
    watcher.tell(
      make({
        tell(value) {
          answer = { value }
        },
      }),
    )
    await test.settle()
    if (answer === undefined) throw new Error('no answer')
    return answer.value
  }

  const sign = (who: TowerKey, message: Uint8Array) =>
    toZbase32(who.sign(messageDigest(sha256, message)))

  function register(who: TowerKey, address = '192.0.2.1'): Promise<Answer<Subscription>> {
    return ask(reply => ({ type: 'watcher.register', user: who.id, address, reply }))
  }

  function add(
    who: TowerKey,
    what: { readonly dispute: HomeTx; readonly blob: Uint8Array },
    more: { readonly delay?: number; readonly endBlock?: number } = {},
  ): Promise<Answer<AppointmentReceipt>> {
    const { delay = 42, endBlock } = more
    const locator = locatorOf(what.dispute.txid)
    const signature = sign(who, appointmentMessage(locator, what.blob, delay))
    return ask(reply => ({
      ...{
        type: 'watcher.add',
        appointment: { locator, blob: what.blob, delay },
        signature,
        reply,
      },
      ...(endBlock !== undefined && { endBlock }),
    }))
  }

  function get(who: TowerKey, dispute: HomeTx): Promise<Answer<AppointmentState>> {
    const locator = locatorOf(dispute.txid)
    const signature = sign(who, getMessage(locator))
    return ask(reply => ({ type: 'watcher.get', locator, signature, reply }))
  }

  function subscription(who: TowerKey): Promise<Answer<SubscriptionState>> {
    const signature = sign(who, subscriptionMessage)
    return ask(reply => ({ type: 'watcher.subscription', signature, reply }))
  }

  function takeBack(
    who: TowerKey,
    dispute: HomeTx,
    until: number,
    towerId = key.id,
  ): Promise<Answer<DeletedAppointment>> {
    const locator = locatorOf(dispute.txid)
    const signature = sign(who, deleteMessage(locator, towerId, until))
    return ask(reply => ({ type: 'watcher.delete', locator, until, signature, reply }))
  }

  function why(subject: Uint8Array): Promise<Answer<readonly TowerExplanation[]>> {
    return ask(reply => ({ type: 'watcher.explain', subject, reply }))
  }

  async function responderStats(): Promise<ResponderStats> {
    let stats: ResponderStats | undefined
    responder.tell({
      type: 'responder.getStats',
      reply: {
        tell(value: ResponderStats) {
          stats = value
        },
      },
    })
    await test.settle()
    if (stats === undefined) throw new Error('no answer')
    return stats
  }

  /** One word for where an appointment is. */
  async function where(who: TowerKey, dispute: HomeTx): Promise<string> {
    const uuid = uuidOf(testCrypto.ripemd160, locatorOf(dispute.txid), who.id)
    const found = await why(uuid)
    if (!found.ok) return 'gone'
    const [each] = found.value
    const { phase, closed } = each?.appointment ?? {}
    return each?.tracker?.state ?? (closed ? `closed: ${closed.reason}` : (phase ?? 'gone'))
  }

  await follow()
  return {
    ...{ test, bus, chain, store, key, facts, watcher, responder, sign },
    ...{ follow, mine, pass, ask, register, add, get, subscription, takeBack, why, where },
    responderStats,
    info: () => ask<WatcherStats>(reply => ({ type: 'watcher.info', reply })),
    /** The process ends without a word; another starts on what is on disk. */
    again: (config?: Partial<TowerConfig>) =>
      aTower({ store, chain, config: { ...options.config, ...config } }),
    uuid: (who: TowerKey, dispute: HomeTx) =>
      uuidOf(testCrypto.ripemd160, locatorOf(dispute.txid), who.id),
  }
}

interface Ground {
  readonly config: TowerConfig
  readonly store: Store
  readonly chain: TestChain
  readonly facts: Fact[]
}

function spawnTower(bus: Bus, { config, store, chain, facts }: Ground) {
  const key = aKey(0x22)
  const watcher = bus.declare<WatcherMessage>('watcher', watcherMailbox)
  const responder = bus.declare<ResponderMessage>('responder', responderMailbox)
  bus.spawn(bus.declare<Fact>('listener'), () => fact => facts.push(fact))
  const supervision = { on: () => 'restart' as const, max: 20, within: 60_000 }
  const shared = { config, store, home: chain.home() }
  bus.spawn(responder, responderActor({ ...shared, watcher }), { supervision })
  bus.spawn(watcher, watcherActor({ ...shared, crypto: testCrypto, key, responder }), {
    supervision,
  })
  return { key, watcher, responder }
}

/** A tower in real time, for what stands before it. */
export async function aLiveTower(options: WorldOptions = {}) {
  const chain = options.chain ?? new TestChain()
  const bus = new Bus({
    clock: new RealClock(),
    entropy: count => new Uint8Array(count).fill(7),
    wiring: { 'breach.seen': ['listener'] },
  })
  const tower = spawnTower(bus, {
    config: { ...defaultTowerConfig, ...options.config },
    store: options.store ?? new MemoryStore(),
    ...{ chain, facts: [] },
  })

  /** Resolves when the tower is where the chain is. */
  async function follow(): Promise<void> {
    const { hash, height } = chain.tip
    tower.watcher.tell({ type: 'watcher.head', head: { hash, height } })
    tower.responder.tell({ type: 'responder.head', head: { hash, height } })
    for (;;) {
      const info = await bus.ask<WatcherMessage, WatcherStats>(
        tower.watcher,
        reply => ({ type: 'watcher.info', reply }),
        5_000,
      )
      if (info.ok && info.value.state !== 'starting' && info.value.height === height) return
    }
  }

  await follow()
  return {
    ...tower,
    ...{ bus, chain, follow },
    async mine(...txs: readonly HomeTx[]) {
      chain.mine(...txs)
      await follow()
    },
  }
}

/** A registered user and a pair of his. */
export async function aUser(world: World, secret = 0x11, salt = secret) {
  const who = aKey(secret)
  const answer = await world.register(who)
  if (!answer.ok) throw new Error(answer.message)
  return { who, pair: aPair(salt), subscription: answer.value }
}

export const code = (answer: Answer<unknown>): string => (answer.ok ? 'ok' : answer.code)
export const shownId = (tx: HomeTx): string => plainHex(tx.txid.slice().reverse())
