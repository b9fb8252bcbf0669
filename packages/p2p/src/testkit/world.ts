import { createTestBus, Probe, type VirtualClock } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type ChainHead,
  type ChainOffer,
  devForks,
  encodeTxBatch,
  type GossipMessage,
  type GossipStats,
  type Head,
  type ImportOutcome,
  type MonitorCredit,
  type MonitorReport,
  ok,
  type PeerId,
  type PoolAdd,
  type PoolChanged,
  type PoolEvent,
  type Recovery,
  type SyncBody,
  type Topic,
  type TxRecord,
  type Verdict,
  zeroHash,
} from '@rockpool/protocol'
import { createLoopHub, type LoopClock } from '@rockpool/protocol/conformance'
import { gossip } from '../gossip.actor.ts'
import { chainId, keccak256, newRecovery, sha256 } from './wallets.ts'

export const topics = {
  tx: '/rockpool/1337/d1164378/tx/1' as Topic,
  block: '/rockpool/1337/d1164378/block/1' as Topic,
}

export const poolSync = '/rockpool/1337/d1164378/pool-sync/1'

/** The clock of a test for a network in memory. */
export function loopClock(clock: VirtualClock): LoopClock {
  return {
    now: () => clock.now(),
    after(ms, run) {
      const timer = clock.at(clock.now() + ms, run)
      return () => clock.clear(timer)
    },
  }
}

/** Wall time of the virtual clock at its beginning is not known to tests: heads of the start are as old as it is. */
export const genesis: Head = {
  hash: zeroHash,
  parentHash: zeroHash,
  number: 0,
  timeMs: 0,
  gasLimit: 30_000_000,
  gasUsed: 0,
  baseFee: 1n,
}

const pending = (tx: TxRecord): Answer<Added> => ok({ hash: tx.hash, half: 'pending' })

export interface WorldOptions {
  /** What the pool answers; undefined: it does not. */
  readonly pool?: (txs: readonly TxRecord[]) => readonly Answer<Added>[] | undefined
  readonly chain?: () => ImportOutcome | undefined
  readonly recovery?: Recovery
  readonly head?: Head
  /** 0 unless given: no head is old. */
  readonly blockTimeMs?: number
  readonly isShut?: (peer: PeerId) => boolean
  /** Peers that listen to our topics. */
  readonly listeners?: number
}

/** The gossip actor between probes and a network without delay, in virtual time. */
export async function createWorld(options: WorldOptions = {}) {
  const time = createTestBus()
  const { bus } = time
  const pool = new Probe<PoolAdd>(bus, 'pool', ({ txs, reply }) => {
    const answers = options.pool ? options.pool(txs) : txs.map(pending)
    if (answers) reply.tell(answers)
  })
  const chain = new Probe<ChainOffer>(bus, 'chain', ({ reply }) => {
    const outcome = options.chain ? options.chain() : { code: 'chain/imported' as const }
    if (outcome) reply.tell(outcome)
  })
  const sync = new Probe<SyncBody>(bus, 'sync')
  const monitor = new Probe<MonitorReport | MonitorCredit>(bus, 'monitor')
  const hub = createLoopHub(loopClock(time.clock))
  const network = hub.join('me')
  await network.start()
  const heard: { by: PeerId; topic: Topic; bytes: Uint8Array }[] = []

  async function listener(id: PeerId): Promise<void> {
    const port = hub.join(id)
    for (const topic of [topics.tx, topics.block]) port.subscribe(topic)
    port.listen({
      opened() {},
      closed() {},
      async deliver({ topic, bytes }) {
        heard.push({ by: id, topic, bytes })
        return 'ignore'
      },
      wireFault() {},
    })
    await port.start()
    await network.dial(port.addresses()[0] ?? '', 1_000)
  }
  for (let i = 0; i < (options.listeners ?? 0); i++) await listener(`n${i}`)

  const ref = bus.spawn(
    'gossip',
    gossip({
      network,
      poolSync,
      pool: pool.ref,
      chain: chain.ref,
      sync: sync.ref,
      monitor: monitor.ref,
      isShut: options.isShut ?? (() => false),
      recovery: options.recovery ?? newRecovery(),
      keccak256,
      sha256,
      topics,
      forks: devForks,
      chainId,
      minTip: 1n,
      head: options.head ?? genesis,
      blockTimeMs: options.blockTimeMs ?? 0,
    }),
    { mailbox: { capacity: 1_024 } },
  )
  let ids = 0

  /** Delivers bytes; the promise is the verdict. Runs nothing. */
  function deliver(bytes: Uint8Array, from = 'alice', topic: Topic = topics.tx) {
    const id = `m${ids++}`
    return bus
      .ask<GossipMessage, Verdict>(
        ref,
        reply => ({ type: 'gossip.deliver', topic, bytes, id, from, reply }),
        2_000,
      )
      .then(outcome => (outcome.ok ? outcome.value : `no answer: ${outcome.error}`))
  }

  async function judged(bytes: Uint8Array, from?: PeerId, topic?: Topic) {
    const verdict = deliver(bytes, from, topic)
    await time.settle()
    return verdict
  }

  async function stats(): Promise<GossipStats> {
    const answer = bus.ask<GossipMessage, GossipStats>(
      ref,
      reply => ({ type: 'gossip.getStats', reply }),
      1_000,
    )
    await time.settle()
    const outcome = await answer
    if (!outcome.ok) throw new Error(outcome.error)
    return outcome.value
  }

  /** What peers were charged with, as `peer reason`. */
  const charges = () =>
    monitor.heard.flatMap(message =>
      message.type === 'monitor.report' ? [`${message.peer} ${message.reason}`] : [],
    )
  /** What peers were credited with, as `peer reason times`. */
  const credits = () =>
    monitor.heard.flatMap(message =>
      message.type === 'monitor.credit'
        ? [`${message.peer} ${message.reason} ${message.times}`]
        : [],
    )

  return {
    ...time,
    ...{ ref, pool, chain, sync, monitor, hub, network, heard },
    ...{ listener, deliver, judged, stats, charges, credits },
  }
}

export const batchOf = (...txs: readonly Uint8Array[]) => encodeTxBatch({ salt: 0, txs })

export function poolChanged(events: readonly PoolEvent[]): PoolChanged {
  return {
    type: 'pool.changed',
    head: zeroHash,
    added: events.map(({ tx }) => tx.hash),
    promoted: [],
    demoted: [],
    dropped: [],
    events,
    stats: { pending: 0, queued: 0, slots: 0 },
  }
}

/** A head whose newest block holds these transactions. */
export function headWith(head: Head, txs: readonly TxRecord[] = []): ChainHead {
  const { hash, number, parentHash, timeMs, gasLimit, gasUsed, baseFee } = head
  const header = {
    hash,
    parentHash,
    producer:
      txs[0]?.sender ?? ('0x0000000000000000000000000000000000000000' as TxRecord['sender']),
    stateRoot: zeroHash,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    number,
    gasLimit,
    gasUsed,
    timeMs,
    extraData: new Uint8Array(10),
    baseFee,
  }
  return {
    type: 'chain.head',
    old: genesis,
    new: head,
    ancestor: { hash: zeroHash, number: 0 },
    removed: [],
    added: [{ header, txs, seal: new Uint8Array(65), size: 1_000 }],
  }
}
