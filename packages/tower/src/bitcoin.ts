import { concatBytes } from '@rockpool/protocol'

type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Most inputs or outputs of a transaction, bytes of a script, bytes of all witnesses together. */
const itemsMax = 100_000
const scriptBytesMax = 10_000
const witnessBytesMax = 4_000_000

interface Outpoint {
  /** Internal order. */
  readonly txid: Uint8Array
  readonly index: number
}

export interface BitcoinTx {
  /** Internal order: what hashing gives; explorers show it reversed. */
  readonly txid: Uint8Array
  readonly inputs: readonly Outpoint[]
  readonly outputs: readonly { readonly value: bigint; readonly script: Uint8Array }[]
  readonly lockTime: number
  /** Four per byte without witness, one per byte of witness. */
  readonly weight: number
}

export interface BitcoinBlock {
  /** Internal order. */
  readonly hash: Uint8Array
  readonly parent: Uint8Array
  readonly timeSeconds: number
  /** In the order of the block: where each lies in `bytes`, so that a block is kept once and nothing of it is copied. */
  readonly txs: readonly {
    readonly txid: Uint8Array
    readonly from: number
    readonly to: number
    readonly inputs: readonly Outpoint[]
  }[]
  readonly bytes: Uint8Array
}

/** A consensus-serialised transaction, strictly: nothing behind it, nothing missing. Undefined for anything else; never throws. */
export function parseTransaction(bytes: Uint8Array, sha256: Sha256): BitcoinTx | undefined {
  const reader = new Reader(bytes)
  const tx = readTransaction(reader, sha256)
  return tx === undefined || reader.at !== bytes.length ? undefined : tx
}

/** A block with all its transactions; undefined for what is none. */
export function parseBlock(bytes: Uint8Array, sha256: Sha256): BitcoinBlock | undefined {
  const reader = new Reader(bytes)
  reader.skip(4)
  const parent = reader.take(32)
  reader.skip(32)
  const timeSeconds = reader.u32()
  reader.skip(8)
  const count = reader.varint()
  if (reader.failed || count === 0 || count > itemsMax) return undefined
  const txs: BitcoinBlock['txs'][number][] = []
  for (let index = 0; index < count; index += 1) {
    const from = reader.at
    const tx = readTransaction(reader, sha256)
    if (tx === undefined) return undefined
    txs.push({ txid: tx.txid, from, to: reader.at, inputs: tx.inputs })
  }
  if (reader.at !== bytes.length) return undefined
  const hash = sha256(sha256(bytes.subarray(0, 80)))
  return { hash, parent: parent.slice(), timeSeconds, txs, bytes }
}

/** Whether one of its inputs spends an output of that transaction. */
export function spends(tx: BitcoinTx, txid: Uint8Array): boolean {
  return tx.inputs.some(input => Buffer.compare(input.txid, txid) === 0)
}

/** The other byte order of an id. */
export function reversed(id: Uint8Array): Uint8Array {
  return id.slice().reverse()
}

function readTransaction(reader: Reader, sha256: Sha256): BitcoinTx | undefined {
  const start = reader.at
  reader.skip(4)
  const isSegwit = reader.peek(0) === 0 && reader.peek(1) === 1
  if (isSegwit) reader.skip(2)
  const bodyStart = reader.at
  const inputs = readInputs(reader)
  if (inputs === undefined) return undefined
  const outputs = readOutputs(reader)
  if (outputs === undefined) return undefined
  const bodyEnd = reader.at
  if (isSegwit && !skipWitnesses(reader, inputs.length)) return undefined
  const lockAt = reader.at
  const lockTime = reader.u32()
  if (reader.failed) return undefined
  const { bytes } = reader
  const stripped = concatBytes(
    bytes.subarray(start, start + 4),
    bytes.subarray(bodyStart, bodyEnd),
    bytes.subarray(lockAt, lockAt + 4),
  )
  const weight = stripped.length * 3 + (reader.at - start)
  return { txid: sha256(sha256(stripped)), inputs, outputs, lockTime, weight }
}

function readInputs(reader: Reader): Outpoint[] | undefined {
  const count = reader.varint()
  if (reader.failed || count === 0 || count > itemsMax) return undefined
  const inputs: Outpoint[] = []
  for (let index = 0; index < count; index += 1) {
    const txid = reader.take(32).slice()
    const output = reader.u32()
    reader.skip(reader.length(scriptBytesMax))
    reader.skip(4)
    if (reader.failed) return undefined
    inputs.push({ txid, index: output })
  }
  return inputs
}

function readOutputs(reader: Reader): BitcoinTx['outputs'] | undefined {
  const count = reader.varint()
  if (reader.failed || count === 0 || count > itemsMax) return undefined
  const outputs: BitcoinTx['outputs'][number][] = []
  for (let index = 0; index < count; index += 1) {
    const value = reader.u64()
    const script = reader.take(reader.length(scriptBytesMax))
    if (reader.failed) return undefined
    outputs.push({ value, script: script.slice() })
  }
  return outputs
}

function skipWitnesses(reader: Reader, count: number): boolean {
  const start = reader.at
  let any = false
  for (let input = 0; input < count; input += 1) {
    const items = reader.varint()
    if (reader.failed || items > itemsMax) return false
    any ||= items > 0
    for (let item = 0; item < items; item += 1) {
      reader.skip(reader.length(witnessBytesMax))
      if (reader.failed || reader.at - start > witnessBytesMax) return false
    }
  }
  // A marker without any witness would be a second encoding of the same transaction.
  return any
}

/** Reads forward; once something is missing it stays failed and gives zeros. */
class Reader {
  readonly bytes: Uint8Array
  at = 0
  failed = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  peek(ahead: number): number | undefined {
    return this.bytes[this.at + ahead]
  }

  take(count: number): Uint8Array {
    if (this.failed || count > this.bytes.length - this.at) {
      this.failed = true
      return new Uint8Array(0)
    }
    const taken = this.bytes.subarray(this.at, this.at + count)
    this.at += count
    return taken
  }

  skip(count: number): void {
    this.take(count)
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4)
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
  }

  u64(): bigint {
    const low = this.u32()
    return (BigInt(this.u32()) << 32n) | BigInt(low)
  }

  /** In its shortest form only. */
  varint(): number {
    const [first = 0] = this.take(1)
    if (first < 0xfd) return first
    if (first === 0xfd) {
      const [low = 0, high = 0] = this.take(2)
      return this.atLeast(low | (high << 8), 0xfd)
    }
    if (first === 0xfe) return this.atLeast(this.u32(), 0x1_0000)
    const value = this.u64()
    if (value < 0x1_0000_0000n || value > BigInt(Number.MAX_SAFE_INTEGER)) this.failed = true
    return this.failed ? 0 : Number(value)
  }

  /** A varint that says how many bytes follow. */
  length(max: number): number {
    const length = this.varint()
    if (length > max) this.failed = true
    return this.failed ? 0 : length
  }

  private atLeast(value: number, least: number): number {
    if (value < least) this.failed = true
    return value
  }
}
