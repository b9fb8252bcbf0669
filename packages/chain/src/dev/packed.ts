import type { Address, Hash, TxReceipt } from '@rockpool/protocol'
import { addressOf } from '@rockpool/protocol'
import type { Account, Changes } from './state.ts'

/**
 * The records of which a full block writes thousands, in fixed binary forms: packed as MessagePack they took a third of the time of an
 * import. The first byte is the version. Reading checks every length; what does not fit is undefined.
 */
const version = 1
const accountBytesMax = 1 + 8 + 20 + 1 + 32
const receiptBytesMax = 1 + 8 + 1 + 32 + 20
const gone = 0
const here = 1
const delegated = 2

export function packAccount(account: Account): Uint8Array {
  const out = Buffer.allocUnsafe(1 + accountBytesMax)
  out[0] = version
  return trimmed(out, writeAccount(out, 1, account))
}

export function unpackAccount(bytes: Uint8Array): Account | undefined {
  const reader = new Reader(bytes)
  const account = reader.account()
  return reader.isDone && account !== null ? account : undefined
}

/** Accounts as they were before a block, in the order they were changed. */
export function packUndo(undo: Changes): Uint8Array {
  const out = Buffer.allocUnsafe(1 + undo.size * (20 + accountBytesMax))
  out[0] = version
  let at = 1
  for (const [address, account] of undo) {
    at = writeHex(out, at, address)
    if (account === null) out[at++] = gone
    else at = writeAccount(out, at, account)
  }
  return trimmed(out, at)
}

export function unpackUndo(bytes: Uint8Array): Changes | undefined {
  const reader = new Reader(bytes)
  const undo = new Map<Address, Account | null>()
  while (reader.isFit && !reader.isDone) undo.set(reader.address(), reader.account())
  return reader.isDone ? undo : undefined
}

/** What cannot be told from the block itself: transaction hashes and running sums are left out. */
export type PaidReceipt = Pick<
  TxReceipt,
  'status' | 'gasUsed' | 'effectiveGasPrice' | 'contractAddress'
>

export function packReceipts(receipts: readonly PaidReceipt[]): Uint8Array {
  const out = Buffer.allocUnsafe(1 + receipts.length * receiptBytesMax)
  out[0] = version
  let at = 1
  for (const { status, gasUsed, effectiveGasPrice, contractAddress } of receipts) {
    out[at++] = status + (contractAddress === null ? 0 : delegated)
    at = writeNumber(out, at, gasUsed)
    at = writeQuantity(out, at, effectiveGasPrice)
    if (contractAddress !== null) at = writeHex(out, at, contractAddress)
  }
  return trimmed(out, at)
}

export function unpackReceipts(bytes: Uint8Array): readonly PaidReceipt[] | undefined {
  const reader = new Reader(bytes)
  const receipts: PaidReceipt[] = []
  while (reader.isFit && !reader.isDone) {
    const flags = reader.byte(3)
    const gasUsed = reader.number()
    const effectiveGasPrice = reader.quantity()
    const contractAddress = (flags & delegated) === 0 ? null : reader.address()
    receipts.push({
      status: (flags & 1) === 1 ? 1 : 0,
      gasUsed,
      effectiveGasPrice,
      contractAddress,
    })
  }
  return reader.isDone ? receipts : undefined
}

/** Where a transaction stands on the canonical branch. */
export function packPlace(block: Hash, index: number): Uint8Array {
  const out = Buffer.allocUnsafe(37)
  out[0] = version
  out.writeUInt32BE(index, writeHex(out, 1, block))
  return out
}

export function unpackPlace(bytes: Uint8Array): { block: Hash; index: number } | undefined {
  if (bytes.length !== 37 || bytes[0] !== version) return undefined
  const buffer = viewOf(bytes)
  return { block: `0x${buffer.toString('hex', 1, 33)}` as Hash, index: buffer.readUInt32BE(33) }
}

/** A key of one letter and hex text. */
export function keyOf(letter: string, hex: string): Uint8Array {
  const key = Buffer.allocUnsafe(hex.length / 2)
  key[0] = letter.charCodeAt(0)
  writeHex(key, 1, hex)
  return key
}

/** Exists, nonce, balance and, when there is one, the delegation. */
function writeAccount(out: Buffer, at: number, { nonce, balance, delegation }: Account): number {
  out[at] = delegation === null ? here : here + delegated
  const end = writeQuantity(out, writeNumber(out, at + 1, nonce), balance)
  return delegation === null ? end : writeHex(out, end, delegation)
}

/** A safe integer in eight bytes. */
function writeNumber(out: Buffer, at: number, value: number): number {
  out.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  return out.writeUInt32BE(value % 2 ** 32, at + 4)
}

/** A length and that many bytes, big-endian. */
function writeQuantity(out: Buffer, at: number, value: bigint): number {
  const text = value.toString(16)
  const hex = text.length % 2 === 0 ? text : `0${text}`
  const length = hex.length / 2
  if (length > 32) throw new RangeError('a quantity has at most 32 bytes')
  out[at] = length
  out.write(hex, at + 1, length, 'hex')
  return at + 1 + length
}

/** Bytes of hex text with its prefix. */
function writeHex(out: Buffer, at: number, hex: string): number {
  const length = hex.length / 2 - 1
  out.write(hex.slice(2), at, length, 'hex')
  return at + length
}

function trimmed(out: Buffer, end: number): Uint8Array {
  return out.subarray(0, end)
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

class Reader {
  readonly #bytes: Buffer
  #at = 1
  isFit: boolean

  constructor(bytes: Uint8Array) {
    this.#bytes = viewOf(bytes)
    this.isFit = bytes[0] === version
  }

  get isDone(): boolean {
    return this.isFit && this.#at === this.#bytes.length
  }

  byte(max: number): number {
    const at = this.#take(1)
    const value = this.#bytes[at] ?? max + 1
    if (value > max) this.isFit = false
    return value
  }

  number(): number {
    const at = this.#take(8)
    if (!this.isFit) return 0
    return this.#bytes.readUInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
  }

  quantity(): bigint {
    const length = this.byte(32)
    const at = this.#take(length)
    if (!this.isFit || length === 0) return 0n
    return BigInt(`0x${this.#bytes.toString('hex', at, at + length)}`)
  }

  address(): Address {
    const at = this.#take(20)
    return addressOf(this.isFit ? this.#bytes.subarray(at, at + 20) : new Uint8Array(20))
  }

  account(): Account | null {
    const flags = this.byte(3)
    if (flags === gone) return null
    const nonce = this.number()
    const balance = this.quantity()
    return { nonce, balance, delegation: (flags & delegated) === 0 ? null : this.address() }
  }

  #take(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) this.isFit = false
    return at
  }
}
