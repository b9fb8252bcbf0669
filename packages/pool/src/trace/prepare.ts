import {
  type Answer,
  type DecodedTx,
  decodeTx,
  type Failure,
  failed,
  fromHex,
  type Hash,
  type Recovery,
  type TxRecord,
} from '@rockpool/protocol'
import type { Trace } from './format.ts'

/** What reading a trace takes from outside. */
export interface TraceTools {
  keccak256(bytes: Uint8Array): Uint8Array
  /** SHA-256 of the UTF-8 bytes, in hex. */
  sha256(text: string): string
  /** Recovery for a chain; the same one for the same chain, so that what two traces share is recovered once. */
  recovery(chainId: bigint): Recovery
}

type Prepared = Failure | { readonly decoded: DecodedTx; readonly record: Answer<TxRecord> }

/** Every transaction of a trace, decoded and recovered, by its bytes in hex. */
export type PreparedTxs = ReadonlyMap<string, Prepared>

/** Decodes and recovers everything in a trace, `batch` transactions at a time; the size of a batch changes nothing but the time it takes. */
export async function prepareTrace(
  trace: Trace,
  tools: TraceTools,
  batch = 256,
): Promise<PreparedTxs> {
  const prepared = new Map<string, Prepared>()
  const recovery = tools.recovery(BigInt(trace.header.chain.chainId))
  let waiting: { raw: string; decoded: DecodedTx }[] = []
  async function flush(): Promise<void> {
    const answers = await recovery.recover(waiting.map(({ decoded }) => decoded))
    for (const [index, { raw, decoded }] of waiting.entries()) {
      const record = answers[index] ?? failed('load/internal')
      prepared.set(raw, { decoded, record })
    }
    waiting = []
  }
  for (const raw of rawsOf(trace)) {
    if (prepared.has(raw)) continue
    const decoded = decodeTx(fromHex(raw), tools.keccak256)
    if (!decoded.ok) {
      prepared.set(raw, decoded)
      continue
    }
    waiting.push({ raw, decoded: decoded.value })
    if (waiting.length >= batch) await flush()
  }
  await flush()
  return prepared
}

function* rawsOf({ header, lines }: Trace): Generator<string> {
  yield* header.genesis.raws ?? []
  for (const line of lines) {
    if (line.k === 'block' || line.k === 'add' || line.k === 'merge') yield* line.raws ?? []
  }
}

/** The transactions of a block, of those that decode and whose sender is known. */
export function recordsOf(raws: readonly string[] | undefined, txs: PreparedTxs): TxRecord[] {
  const records: TxRecord[] = []
  for (const raw of raws ?? []) {
    const prepared = txs.get(raw)
    if (prepared !== undefined && 'record' in prepared && prepared.record.ok) {
      records.push(prepared.record.value)
    }
  }
  return records
}

/** Sender of each transaction that has one. */
export function sendersOf(txs: PreparedTxs): Map<Hash, TxRecord> {
  const senders = new Map<Hash, TxRecord>()
  for (const prepared of txs.values()) {
    if ('record' in prepared && prepared.record.ok) {
      senders.set(prepared.record.value.hash, prepared.record.value)
    }
  }
  return senders
}
