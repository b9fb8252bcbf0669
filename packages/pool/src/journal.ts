import {
  type Address,
  type Answer,
  addressOf,
  CodedError,
  decodeRecord,
  encodeRecord,
  failed,
  fromHex,
  type Hash,
  hashOf,
  layout,
  limits,
  ok,
  type Store,
  type TxOrigin,
  type TxRecord,
  toHex,
  type Write,
} from '@rockpool/protocol'

/** Whose transactions a journal holds. Those of another chain would be worthless here, and their removal a loss there. */
export interface JournalIdentity {
  readonly chainId: bigint
  readonly genesis: Hash
}

/** An own transaction as it lies on disk. Its sender is part of the key and not believed: it is recovered again. */
export interface JournalRow {
  readonly sender: Address
  readonly nonce: bigint
  readonly origin: TxOrigin
  /** Rank among all that were ever followed here; the order of reloading. */
  readonly seq: number
  readonly firstSeenMs: number
  readonly trackedAtMs: number
  /** The pool holds it for others: it is followed by nobody. */
  readonly isRemote?: boolean
  /** `seq` is its rank of arrival in the pool, not only among those that are followed. */
  readonly isRanked?: boolean
  /** Last sign of life of its sender's queue, where this row is the one that keeps it. Milliseconds. */
  readonly beatMs?: number
  readonly raw: Uint8Array
}

const { bytes, quantity } = layout
const schema = 1
const metaRecord = { version: schema, slots: [quantity(8), bytes(32, 32)] } as const
/** Version of a row. Its slots: origin, flags, rank, first seen, followed since, last sign of life of the queue (0: another row says it), signed bytes. */
const rowVersion = 1
const flagOf = { remote: 1, ranked: 2 } as const
/** First bytes of what a row is made of: the array of eight, a float, bytes with a length of four. */
const [rowArray, float64, bytes32] = [0x98, 0xcb, 0xc6] as const
/** Where its numbers stand: rank, first seen, followed since, and the sign of life if there is one. */
const [seqAt, firstSeenAt, trackedAtAt, beatAt] = [4, 13, 22, 31] as const
const origins: readonly TxOrigin[] = ['local', 'gossip', 'sync', 'journal', 'reorg', 'private']

const metaKey = new TextEncoder().encode('m/meta')
const rowPrefix = new TextEncoder().encode('t/')
const addressAt = rowPrefix.length
const nonceAt = addressAt + 20
const keyLength = nonceAt + 8
const rowRange = { gte: rowPrefix, lt: new TextEncoder().encode('t0') }

/** One key for each sender and nonce: a replacement takes the place of what it replaces in the same write, so that never comes back. */
export function journalKey(sender: Address, nonce: bigint): Uint8Array {
  const key = Buffer.allocUnsafe(keyLength)
  key.set(rowPrefix)
  key.write(sender.slice(2), addressAt, 'hex')
  key.writeBigUInt64BE(nonce, nonceAt)
  return key
}

export interface Entered {
  readonly tx: TxRecord
  readonly origin: TxOrigin
  readonly seq: number
  readonly firstSeenMs: number
  readonly trackedAtMs: number
  readonly isRemote?: boolean
  readonly isRanked?: boolean
  readonly beatMs?: number
}

export function putRow(entered: Entered): Write {
  const { sender, nonce } = entered.tx
  return { type: 'put', key: journalKey(sender, nonce), value: encodeRow(entered) }
}

export function deleteRow(sender: Address, nonce: bigint): Write {
  return { type: 'del', key: journalKey(sender, nonce) }
}

/**
 * A row is MessagePack, written and read by hand: every submission waits for the one and a restart for the other, and a general packer
 * takes ten times as long. Numbers that grow are floats, so that all stand where they stand, and a row has one form only.
 */
function encodeRow(entered: Entered): Uint8Array {
  const { tx, origin, seq, firstSeenMs, trackedAtMs, isRemote, isRanked, beatMs = 0 } = entered
  const { raw } = tx
  const beatBytes = beatMs > 0 ? 9 : 1
  const out = Buffer.allocUnsafe(36 + beatBytes + raw.length)
  const flags = (isRemote === true ? flagOf.remote : 0) | (isRanked === true ? flagOf.ranked : 0)
  out.set([rowArray, rowVersion, origins.indexOf(origin), flags])
  let at = 4
  for (const value of [seq, firstSeenMs, trackedAtMs]) {
    out[at] = float64
    at = out.writeDoubleBE(value, at + 1)
  }
  out[at] = 0
  if (beatMs > 0) {
    out[at] = float64
    out.writeDoubleBE(beatMs, at + 1)
  }
  at += beatBytes
  out[at] = bytes32
  out.writeUInt32BE(raw.length, at + 1)
  out.set(raw, at + 5)
  return out
}

/**
 * Everything in the journal in the order it was entered; an empty store is claimed for this chain first (synced). Refused with
 * `store/other-chain`, `store/newer-schema`, and `store/corrupt` with the key of a record that does not decode: nothing is repaired or
 * removed here. Of more than `rowsMax` rows the last ones; the others are removed by the next sweep. Rejects as the store does.
 */
export async function openJournal(
  store: Store,
  identity: JournalIdentity,
  rowsMax: number = limits.trackedMax,
): Promise<Answer<readonly JournalRow[]>> {
  const meta = await store.get(metaKey)
  if (meta === undefined) {
    await store.batch([claim(identity)], { sync: true })
  } else {
    const refusal = checkMeta(meta, identity)
    if (refusal !== undefined) return refusal
  }
  const rows: JournalRow[] = []
  for await (const page of pages(store)) {
    for (const { key, value } of page) {
      const row = rowOf(key, value)
      if (row === undefined) {
        return failed('store/corrupt', `the transaction journal does not decode at ${toHex(key)}`)
      }
      rows.push(row)
    }
    if (rows.length > 2 * rowsMax) keepLast(rows, rowsMax)
  }
  keepLast(rows, rowsMax)
  return ok(rows)
}

/** Looks at a journal before anything starts. Throws what `openJournal` refuses. */
export async function requireJournal(store: Store, identity: JournalIdentity): Promise<void> {
  const opened = await openJournal(store, identity)
  if (!opened.ok) throw new CodedError(opened.code, opened.message)
}

/** Every key of a transaction on disk. */
export async function journalKeys(store: Store): Promise<readonly Uint8Array[]> {
  const keys: Uint8Array[] = []
  for await (const page of pages(store)) for (const { key } of page) keys.push(key)
  return keys
}

function keepLast(rows: JournalRow[], rowsMax: number): void {
  rows.sort((left, right) => left.seq - right.seq)
  rows.splice(0, Math.max(0, rows.length - rowsMax))
}

async function* pages(store: Store) {
  for (let from = rowRange.gte; ; ) {
    const page = await store.scan({ gte: from, lt: rowRange.lt, limit: limits.storeScanDefault })
    yield page
    const last = page[page.length - 1]
    if (last === undefined || page.length < limits.storeScanDefault) return
    from = new Uint8Array([...last.key, 0])
  }
}

function claim({ chainId, genesis }: JournalIdentity): Write {
  const value = encodeRecord(metaRecord, [chainId, fromHex(genesis)])
  return { type: 'put', key: metaKey, value }
}

function checkMeta(meta: Uint8Array, { chainId, genesis }: JournalIdentity) {
  // The first two bytes say: an array of up to fifteen slots, and its schema.
  const written = meta[1] ?? 0
  const isArray = ((meta[0] ?? 0) & 0xf0) === 0x90
  if (isArray && written > schema && written < 0x80) {
    return failed(
      'store/newer-schema',
      `the transaction journal was written by a newer Rockpool (schema ${written}, this build knows ${schema})`,
    )
  }
  const decoded = decodeRecord(metaRecord, meta)
  if (!decoded.ok) return failed('store/corrupt', 'the transaction journal does not say its chain')
  const [writtenChain, writtenGenesis] = decoded.value
  if (writtenChain === chainId && hashOf(writtenGenesis) === genesis) return undefined
  return failed(
    'store/other-chain',
    `the transaction journal belongs to chain ${writtenChain} (genesis ${hashOf(writtenGenesis)}), this node is of chain ${chainId} (genesis ${genesis})`,
  )
}

/** Undefined for bytes that `encodeRow` does not write. */
function rowOf(key: Uint8Array, value: Uint8Array): JournalRow | undefined {
  if (key.length !== keyLength || value.length < beatAt + 2) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const hasBeat = value[beatAt] === float64
  const rawAt = beatAt + (hasBeat ? 9 : 1)
  const origin = origins[value[2] ?? origins.length]
  const isOfOurForm =
    value[0] === rowArray &&
    value[1] === rowVersion &&
    value[seqAt] === float64 &&
    value[firstSeenAt] === float64 &&
    value[trackedAtAt] === float64 &&
    (hasBeat || value[beatAt] === 0) &&
    value[rawAt] === bytes32 &&
    value.length > rawAt + 5 &&
    value.length <= rawAt + 5 + limits.txBytesMax &&
    view.getUint32(rawAt + 1) === value.length - rawAt - 5
  if (!isOfOurForm || origin === undefined) return undefined
  const flags = value[3] ?? 0
  const seq = view.getFloat64(seqAt + 1)
  const firstSeenMs = view.getFloat64(firstSeenAt + 1)
  const trackedAtMs = view.getFloat64(trackedAtAt + 1)
  const beatMs = hasBeat ? view.getFloat64(beatAt + 1) : 0
  if (!Number.isFinite(seq + firstSeenMs + trackedAtMs + beatMs)) return undefined
  return {
    sender: addressOf(key.subarray(addressAt, nonceAt)),
    nonce: new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(nonceAt),
    origin,
    seq,
    firstSeenMs,
    trackedAtMs,
    // A copy: what was read is a view of a whole page.
    raw: new Uint8Array(value.subarray(rawAt + 5)),
    ...((flags & flagOf.remote) !== 0 && { isRemote: true }),
    ...((flags & flagOf.ranked) !== 0 && { isRanked: true }),
    ...(beatMs > 0 && { beatMs }),
  }
}
