import type {
  Answer,
  Block,
  BlockFrame,
  DecodedTx,
  Hash,
  Header,
  Recovery,
  Store,
  TxReceipt,
} from '@rockpool/protocol'
import { CodedError, decodeBlockFrame, decodeTx, failed, hashOf, ok } from '@rockpool/protocol'
import type { FeeRow } from './fees.ts'
import { feeRowOf } from './fees.ts'
import { decodeHeader } from './header.ts'
import type { Keccak } from './keccak.ts'
import { decodeNode, decodePaid, decodePlace, decodeReceipts, decodeUndo, keys } from './records.ts'
import type { Undo } from './state.ts'

export type Archive = ReturnType<typeof createArchive>

/** A block read back with what was stored beside it; receipts lie there only while it is canonical. */
export interface Archived {
  readonly block: Block
  readonly receipts: readonly TxReceipt[]
  readonly canonical: boolean
  readonly totalWeight: number
}

/**
 * What no longer is in memory, read back from the store: bodies, undo records, receipts. Every call is I/O and belongs in a pipe. A
 * missing record is null; one that does not decode rejects with `store/corrupt`.
 */
export function createArchive(parts: { store: Store; keccak256: Keccak; recovery: Recovery }) {
  const { store, keccak256, recovery } = parts

  async function block(hash: Hash): Promise<Archived | null> {
    const [encoded, node, paid] = await store.getMany([
      keys.block(hash),
      keys.node(hash),
      keys.receipts(hash),
    ])
    if (encoded === undefined || node === undefined) return null
    const frame = decodeBlockFrame(encoded)
    if (!frame.ok) throw torn(`b ${hash}`)
    const opened = await openBody(frame.value, { keccak256, recovery })
    const header = decodeHeader(frame.value.header, keccak256)
    if (!opened.ok || !header.ok) throw torn(`b ${hash}`)
    const { seal } = frame.value
    const txs = opened.value
    const receipts = paid === undefined ? [] : sound(decodeReceipts(paid, txs), `r ${hash}`)
    const { totalWeight } = sound(decodeNode(node), `w ${hash}`)
    const block = { header: header.value, txs, seal, size: encoded.length }
    return { block, receipts, canonical: paid !== undefined, totalWeight }
  }

  async function undo(hash: Hash): Promise<Undo | null> {
    const value = await store.get(keys.undo(hash))
    return value === undefined ? null : sound(decodeUndo(value), `u ${hash}`)
  }

  /** Encoded bodies in the order asked; holes for those that are not there. */
  function bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | undefined)[]> {
    return store.getMany(hashes.map(keys.block))
  }

  /** Canonical hashes; null above the head. */
  async function hashesAt(heights: readonly number[]): Promise<readonly (Hash | null)[]> {
    const values = await store.getMany(heights.map(keys.canonical))
    return values.map(value => (value === undefined ? null : hashOf(value)))
  }

  async function header(hash: Hash): Promise<Header | null> {
    const value = await store.get(keys.node(hash))
    if (value === undefined) return null
    const { encodedHeader } = sound(decodeNode(value), `w ${hash}`)
    return sound(decodeHeader(encodedHeader, keccak256), `w ${hash}`)
  }

  async function placeOf(txHash: Hash): Promise<{ block: Hash; index: number } | null> {
    const value = await store.get(keys.place(txHash))
    return value === undefined ? null : sound(decodePlace(value), `t ${txHash}`)
  }

  /** Fee rows of canonical blocks, in the order asked. */
  async function feeRows(hashes: readonly Hash[]): Promise<readonly FeeRow[]> {
    const nodes = await store.getMany(hashes.map(keys.node))
    const paid = await store.getMany(hashes.map(keys.receipts))
    const rows: FeeRow[] = []
    for (const [index, hash] of hashes.entries()) {
      const node = nodes[index]
      if (node === undefined) throw torn(`w ${hash}`)
      const { encodedHeader } = sound(decodeNode(node), `w ${hash}`)
      const value = paid[index]
      const entries = value === undefined ? [] : sound(decodePaid(value), `r ${hash}`)
      rows.push(feeRowOf(sound(decodeHeader(encodedHeader, keccak256), `w ${hash}`), entries))
    }
    return rows
  }

  return { block, undo, bodies, hashesAt, header, placeOf, feeRows }
}

/**
 * The transactions of a frame, decoded and with their senders. `chain/block-undecodable` for what is no transaction of this chain;
 * `load/internal` when recovery failed, which says nothing about the block.
 */
export async function openBody(
  frame: BlockFrame,
  { keccak256, recovery }: { keccak256: Keccak; recovery: Recovery },
): Promise<Answer<Block['txs']>> {
  const decoded: DecodedTx[] = []
  for (const raw of frame.txs) {
    const tx = decodeTx(raw, keccak256)
    if (!tx.ok) return failed('chain/block-undecodable', tx.message)
    decoded.push(tx.value)
  }
  const records = []
  for (const answer of await recovery.recover(decoded)) {
    if (answer.ok) records.push(answer.value)
    else if (answer.code === 'load/internal') return answer
    else return failed('chain/block-undecodable', answer.message)
  }
  return ok(records)
}

function sound<T>(answer: Answer<T>, name: string): T {
  if (!answer.ok) throw torn(name)
  return answer.value
}

function torn(name: string): CodedError {
  return new CodedError('store/corrupt', `the chain's record ${name} does not decode`)
}
