import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ActorRef, Bus, type LogFields, Probe, RealClock } from '@rockpool/actor'
import { createCrypto, type NodeCrypto } from '@rockpool/adapters/crypto'
import { openDatabase } from '@rockpool/adapters/level'
import { devAccounts, devBalance } from '@rockpool/chain'
import { defaultPoolConfig, poolActor, poolMailbox } from '@rockpool/pool'
import {
  type ChainMessage,
  createRecovery,
  type DecodedTx,
  decodeTx,
  devForks,
  emptyCodeHash,
  type Head,
  ok,
  type PoolMessage,
  type TxRecord,
  zeroHash,
} from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { median } from './measure.ts'
import { chainId } from './servers.ts'
import { signTransfers } from './transfers.ts'

const each = 500
const ownAccounts = 4
const runs = 5
const head: Head = {
  ...{ hash: zeroHash, parentHash: zeroHash, number: 0, timeMs: 0 },
  ...{ gasLimit: 30_000_000, gasUsed: 0, baseFee: 7n },
}
const config = { ...defaultPoolConfig, globalSlots: 20_000, accountSlots: each }

interface Measured {
  readonly ms: number
  readonly cpuMs: number
}

/**
 * What a restart costs the pool: 10,000 rows read from LevelDB, their senders recovered by real threads, checked and pooled, a fifth of them
 * followed as own. From the moment the actor is spawned to its word that the journal is loaded; what else a node does when it starts is not in it.
 */
export async function rows(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-bench-'))
  const crypto = await createCrypto({ workers: 2 })
  try {
    const txs = signed(crypto)
    await written(join(folder, 'db'), crypto, txs)
    const measured: Measured[] = []
    const bare: Measured[] = []
    for (let run = 0; run < runs; run++) {
      bare.push(await timed(() => createRecovery(crypto, BigInt(chainId)).recover(txs)))
      measured.push(await restarted(join(folder, 'db'), crypto, txs.length))
    }
    const ms = median(measured.map(each => each.ms))
    const alone = median(bare.map(each => each.ms))
    const cpuMs = median(measured.map(each => each.cpuMs))
    const aloneCpuMs = median(bare.map(each => each.cpuMs))
    return [
      {
        ...{ row: 'restart with 10,000 journaled, LevelDB, two recovery threads', unit: 'ms' },
        ours: ms,
        reference: { name: 'recovering them alone', value: alone },
        ratio: alone / ms,
        target: '≤ 1,500',
        met: ms <= 1_500,
        note: `CPU of all threads ${Math.round(cpuMs)} ms, recovering alone ${Math.round(aloneCpuMs)} ms`,
      },
    ]
  } finally {
    await crypto.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function signed(crypto: NodeCrypto): DecodedTx[] {
  return devAccounts.slice(0, 20).flatMap(({ privateKey }) =>
    signTransfers({ privateKey, chainId, from: 0, count: each }).map(raw => {
      const decoded = decodeTx(raw, crypto.keccak256)
      if (!decoded.ok) throw new Error(decoded.message)
      return decoded.value
    }),
  )
}

async function timed(work: () => Promise<unknown>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const from = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - from, cpuMs: (user + system) / 1_000 }
}

/** Fills a journal the way a node does: by adding to its pool. */
async function written(path: string, crypto: NodeCrypto, txs: readonly DecodedTx[]): Promise<void> {
  const answers = await createRecovery(crypto, BigInt(chainId)).recover(txs)
  const records = answers.flatMap(answer => (answer.ok ? [answer.value] : []))
  const own = new Set(devAccounts.slice(0, ownAccounts).map(({ address }) => address as string))
  const room = await opened(path, crypto)
  for (let at = 0; at < records.length; at += each) {
    const part = records.slice(at, at + each)
    await add(room.pool, part, own.has(part[0]?.sender ?? '') ? 'local' : 'gossip')
  }
  room.bus.stopAll('shutdown')
  await room.database.close()
}

function add(
  pool: ActorRef<PoolMessage>,
  txs: readonly TxRecord[],
  origin: 'local' | 'gossip',
): Promise<void> {
  return new Promise(resolve => {
    pool.tell({
      type: 'pool.add',
      txs,
      origin,
      reply: { tell: () => resolve() },
    })
  })
}

async function restarted(path: string, crypto: NodeCrypto, count: number): Promise<Measured> {
  let end = async () => {}
  const measured = await timed(async () => {
    const room = await opened(path, crypto)
    end = async () => {
      room.bus.stopAll('shutdown')
      await room.database.close()
    }
    const { rows: loaded } = await room.loaded
    if (loaded !== count) throw new Error(`${loaded} of ${count} loaded`)
  })
  await end()
  return measured
}

/** The pool's actor over the database, between a chain that knows every account and nobody else. */
async function opened(path: string, crypto: NodeCrypto) {
  const database = await openDatabase(path)
  let onLoaded: (fields: LogFields) => void = () => {}
  const loaded = new Promise<LogFields>(resolve => {
    onLoaded = resolve
  })
  const bus = new Bus({
    clock: new RealClock(),
    wiring: { 'pool.changed': [] },
    log: (_level, code, fields) => {
      if (code === 'pool/journal-loaded') onLoaded(fields)
    },
  })
  const chain = new Probe<ChainMessage>(bus, 'chain', message => {
    if (message.type !== 'chain.getAccounts') return
    const accounts = message.addresses.map(() => ({
      ...{ nonce: 0n, balance: devBalance, codeHash: emptyCodeHash, delegation: null },
    }))
    message.reply.tell(ok({ at: head, accounts }))
  })
  const pool: ActorRef<PoolMessage> = bus.declare<PoolMessage>('pool', poolMailbox)
  bus.spawn(
    pool,
    poolActor({
      ...{ config, chain: chain.ref, recovery: createRecovery(crypto, BigInt(chainId)) },
      ...{ keccak256: crypto.keccak256, forks: devForks, chainId: BigInt(chainId), start: head },
      journal: { store: database.room('pool'), genesis: zeroHash },
    }),
  )
  return { bus, pool, database, loaded }
}

if (process.argv[1]?.endsWith('restart.bench.ts') === true) console.log(await rows())
