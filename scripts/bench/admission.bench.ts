import { createCrypto, type NodeCrypto } from '@rockpool/adapters/crypto'
import { devAccounts, devBalance } from '@rockpool/chain'
import { type Accounts, defaultPoolConfig, Pool } from '@rockpool/pool'
import {
  type Address,
  checkForm,
  checkStatic,
  createRecovery,
  type DecodedTx,
  decodeTx,
  devForks,
  emptyCodeHash,
  type Head,
  type Recovery,
  rulesAt,
  type StaticContext,
  type TxRecord,
  toHex,
  zeroHash,
} from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { chainId } from './servers.ts'
import { signTransfers } from './transfers.ts'

const batchSize = 64
/** Batches whose signatures are being recovered: two workers hold four each. */
const ahead = 8
const accountsUsed = 16
const each = 3_072
const ms = 10_000
const sampleMs = 2_000

const head: Head = {
  ...{ hash: zeroHash, parentHash: zeroHash, number: 0, timeMs: 0 },
  ...{ gasLimit: 30_000_000, gasUsed: 0, baseFee: 7n },
}
const context: StaticContext = {
  rules: rulesAt(devForks, { number: 1, timeSeconds: 1, merged: true }),
  chainId: BigInt(chainId),
  gasLimit: head.gasLimit,
  minTip: 1n,
}

/** Signed bytes to a pooled transaction in one process: decoding, hashes, checks, recovery in real threads, the pool's core. */
export async function rows(): Promise<BenchRow[]> {
  const batches = signedBatches()
  const one = await admissionRate(1, batches)
  const two = await admissionRate(2, batches)
  const viem = await viemRate(batches)
  const ratio = two.perCpuSecond / viem
  return [
    {
      ...{ row: 'admission: decode + hash + recover + pool add', unit: 'tx per CPU s' },
      ours: two.perCpuSecond,
      reference: { name: 'viem parse + recover', value: viem },
      ratio,
      target: '≥ 20 ×, ≥ 12,000',
      met: ratio >= 20 && two.perCpuSecond >= 12_000,
      note: 'CPU of all threads, two workers, batches of 64',
    },
    {
      ...{ row: 'admission, two recovery workers', unit: 'tx/s wall' },
      ours: two.perSecond,
      reference: { name: 'one worker', value: one.perSecond },
      ratio: two.perSecond / one.perSecond,
      target: '≥ 15,000',
      met: two.perSecond >= 15_000,
      note: `on ${two.cores.toFixed(2)} cores, one worker on ${one.cores.toFixed(2)}: the main thread shares them`,
    },
  ]
}

function signedBatches(): Uint8Array[][] {
  const lines = devAccounts
    .slice(0, accountsUsed)
    .map(({ privateKey }) => signTransfers({ privateKey, chainId, from: 0, count: each }))
  const raws = Array.from({ length: each }, (_, nonce) => lines.map(line => line[nonce])).flat()
  const batches: Uint8Array[][] = []
  for (let at = 0; at < raws.length; at += batchSize)
    batches.push(raws.slice(at, at + batchSize).filter(raw => raw !== undefined))
  return batches
}

interface Rate {
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly cores: number
}

/** Whole passes into a fresh pool, with nothing remembered, until the time is over; the first is not counted. */
async function admissionRate(
  workers: number,
  batches: readonly (readonly Uint8Array[])[],
): Promise<Rate> {
  const crypto = await createCrypto({ workers })
  try {
    await admitAll(crypto, batches)
    const before = process.cpuUsage()
    const since = performance.now()
    let accepted = 0
    while (performance.now() - since < ms) accepted += await admitAll(crypto, batches)
    const seconds = (performance.now() - since) / 1_000
    const { user, system } = process.cpuUsage(before)
    const cpu = (user + system) / 1e6
    return { perSecond: accepted / seconds, perCpuSecond: accepted / cpu, cores: cpu / seconds }
  } finally {
    await crypto.close()
  }
}

async function admitAll(
  crypto: NodeCrypto,
  batches: readonly (readonly Uint8Array[])[],
): Promise<number> {
  const recovery = createRecovery(crypto, BigInt(chainId))
  const pool = new Pool({
    config: { ...defaultPoolConfig, globalSlots: 1_000_000 },
    forks: devForks,
    head,
  })
  const accounts: Accounts = new Map(
    devAccounts.map(({ address }) => [
      address as Address,
      { nonce: 0n, balance: devBalance, codeHash: emptyCodeHash },
    ]),
  )
  const underWay: Promise<TxRecord[]>[] = []
  let accepted = 0
  const enter = async () => {
    const txs = (await underWay.shift()) ?? []
    const { results } = pool.apply({ op: 'add', now: 0, origin: 'local', txs, accounts })
    for (const { ok } of results) if (ok) accepted++
  }
  for (const batch of batches) {
    underWay.push(recovered(batch, crypto, recovery))
    if (underWay.length === ahead) await enter()
  }
  while (underWay.length > 0) await enter()
  return accepted
}

/** What stands in front of the pool: cheap checks first, then the sender, then the checks that need it. */
async function recovered(
  raws: readonly Uint8Array[],
  crypto: NodeCrypto,
  recovery: Recovery,
): Promise<TxRecord[]> {
  const txs: DecodedTx[] = []
  for (const raw of raws) {
    const decoded = decodeTx(raw, crypto.keccak256)
    if (decoded.ok && checkForm(decoded.value, context) === undefined) txs.push(decoded.value)
  }
  const answers = await recovery.recover(txs)
  return answers.flatMap((answer, index) => {
    const tx = txs[index]
    const fits = tx !== undefined && checkStatic(tx, context, answer) === undefined
    return fits && answer.ok ? [answer.value] : []
  })
}

async function viemRate(batches: readonly (readonly Uint8Array[])[]): Promise<number> {
  const sample = batches.slice(0, 40).flat().map(toHex)
  const admit = async (raw: string) => {
    const serializedTransaction = raw as `0x02${string}`
    parseTransaction(serializedTransaction)
    await recoverTransactionAddress({ serializedTransaction })
  }
  for (const raw of sample.slice(0, 200)) await admit(raw)
  const before = process.cpuUsage()
  const since = performance.now()
  let count = 0
  while (performance.now() - since < sampleMs) await admit(sample[count++ % sample.length] ?? '')
  const { user, system } = process.cpuUsage(before)
  return (count * 1e6) / (user + system)
}
