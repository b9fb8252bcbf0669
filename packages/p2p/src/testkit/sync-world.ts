import { createTestBus, Probe } from '@rockpool/actor'
import {
  type Added,
  type Address,
  type Answer,
  decodeTx,
  devForks,
  encodeSigned,
  type Hash,
  type Head,
  type MonitorCredit,
  type MonitorReport,
  type NetworkPort,
  ok,
  type PeerId,
  type PoolAdd,
  type PoolEvent,
  type ReconcilerMessage,
  type ReconcilerStats,
  type Recovery,
  type TxRecord,
  withSigners,
  zeroAddress,
} from '@rockpool/protocol'
import { createLoopHub } from '@rockpool/protocol/conformance'
import { type ReconcilerParts, reconciler } from '../reconciler.actor.ts'
import { chainId, keccak256, newRecovery } from './wallets.ts'
import { genesis, loopClock, poolChanged, poolSync } from './world.ts'

/** Records with senders of their own and signatures of nobody, which only `recoveryOf` recovers: thousands cost little. */
export function cheapTxs(count: number, seed: number, dataBytes = 0): readonly TxRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const raw = encodeSigned(
      {
        type: 2,
        chainId,
        nonce: 0n,
        feeCap: 2_000_000_000n,
        tip: 1_000_000_000n,
        gas: 21_000n + 40n * BigInt(dataBytes),
        to: zeroAddress,
        value: BigInt(seed * 1_000_000 + index),
        data: new Uint8Array(dataBytes).fill(seed),
      },
      { r: new Uint8Array(32).fill(1), s: new Uint8Array(32).fill(1), yParity: 0 },
    )
    const decoded = decodeTx(raw, keccak256)
    if (!decoded.ok) throw new Error(decoded.message)
    const sender = `0x${(seed * 1_000_000 + index).toString(16).padStart(40, '0')}` as Address
    return withSigners(decoded.value, sender, [])
  })
}

/** Knows these records; what else it is asked it recovers. */
export function recoveryOf(records: readonly TxRecord[]): Recovery {
  const byHash = new Map(records.map(record => [record.hash, record]))
  const real = newRecovery()
  return { known: hash => byHash.get(hash) ?? real.known(hash), recover: real.recover }
}

/** What a pool answers to a transaction it does not have. */
export type Admit = (tx: TxRecord) => Answer<Added>
const take: Admit = tx => ok({ hash: tx.hash, half: 'pending' })

export interface SyncWorldOptions {
  readonly recovery?: Recovery
  readonly parts?: Partial<ReconcilerParts>
  readonly admit?: Admit
}

export type Member = Awaited<ReturnType<Awaited<ReturnType<typeof createSyncWorld>>['join']>>

/** Reconcilers over a network in memory, each with a pool that takes what it does not have, in virtual time. */
export function createSyncWorld() {
  const time = createTestBus()
  const { bus, clock } = time
  const hub = createLoopHub(loopClock(clock))

  async function join(id: PeerId, options: SyncWorldOptions = {}) {
    const { admit = take, recovery = newRecovery(), parts = {} } = options
    const pooled = new Map<Hash, TxRecord>()
    const network = hub.join(id)
    const monitor = new Probe<MonitorReport | MonitorCredit>(bus, `monitor-${id}`)
    const pool = new Probe<PoolAdd>(bus, `pool-${id}`, ({ txs, origin, reply }) => {
      const fresh = txs.filter(tx => !pooled.has(tx.hash) && admit(tx).ok)
      reply.tell(
        txs.map(tx => (pooled.has(tx.hash) ? ok({ hash: tx.hash, half: 'pending' }) : admit(tx))),
      )
      enter(fresh, origin)
    })
    const ref = bus.spawn(
      `reconciler-${id}`,
      reconciler({
        network,
        protocol: poolSync,
        pool: pool.ref,
        monitor: monitor.ref,
        recovery,
        keccak256,
        forks: devForks,
        chainId,
        minTip: 1n,
        head: genesis as Head,
        blockTimeMs: 0,
        asks: true,
        intervalMs: 10_000,
        ...parts,
      }),
      { mailbox: { capacity: 1_024 } },
    )

    /** Transactions enter the pool's pending half. */
    function enter(txs: readonly TxRecord[], origin: PoolEvent['origin'] = 'local'): void {
      if (txs.length === 0) return
      for (const tx of txs) pooled.set(tx.hash, tx)
      ref.tell(poolChanged(txs.map(tx => ({ tx, origin, relayed: false }))))
    }

    function drop(txs: readonly TxRecord[]): void {
      for (const { hash } of txs) pooled.delete(hash)
      const dropped = txs.map(({ hash }) => ({ hash, reason: 'evicted-price' }))
      ref.tell({ ...poolChanged([]), dropped })
    }

    network.listen({
      opened: peer => ref.tell({ type: 'peer.opened', peer }),
      closed: (peer, heldMs) => ref.tell({ type: 'peer.closed', peer, heldMs }),
      deliver: async () => 'ignore',
      wireFault() {},
    })
    network.serve(poolSync, async (from, request) => {
      const answer = await bus.ask<ReconcilerMessage, readonly Uint8Array[]>(
        ref,
        reply => ({ type: 'reconciler.serve', from, request, reply }),
        5_000,
      )
      if (!answer.ok) throw new Error(answer.error)
      return answer.value
    })
    await network.start()

    async function stats(): Promise<ReconcilerStats> {
      const answer = bus.ask<ReconcilerMessage, ReconcilerStats>(
        ref,
        reply => ({ type: 'reconciler.getStats', reply }),
        1_000,
      )
      await time.settle()
      const outcome = await answer
      if (!outcome.ok) throw new Error(outcome.error)
      return outcome.value
    }

    const faults = () =>
      monitor.heard.flatMap(message =>
        message.type === 'monitor.report' ? [`${message.peer} ${message.reason}`] : [],
      )
    return { id, network, ref, pool, pooled, enter, drop, stats, faults }
  }

  /** A peer that answers as it is told, and may ask for itself. */
  async function stranger(
    id: PeerId,
    answer: (request: Uint8Array) => Promise<readonly Uint8Array[]> | readonly Uint8Array[],
  ): Promise<NetworkPort> {
    const network = hub.join(id)
    network.serve(poolSync, async (_, request) => answer(request))
    await network.start()
    return network
  }

  const meet = (left: { network: NetworkPort } | NetworkPort, right: { network: NetworkPort }) =>
    ('network' in left ? left.network : left).dial(right.network.addresses()[0] ?? '', 1_000)

  return { ...time, hub, join, stranger, meet }
}

export const bye = { code: 1, retryAfterSeconds: 0, text: '' }
