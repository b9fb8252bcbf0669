import { type Hex, shortHex } from '../values/bytes.ts'

/** A value of RLP: bytes, or a list of values. */
export type RlpItem = Uint8Array | readonly RlpItem[]

/** RLP bytes of a value of our own making; integers are given as minimal big-endian bytes (`quantityToBytes`). */
export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedLength(item))
  writeItem(out, 0, item)
  return out
}

/** Bytes of a list header, or of a string header longer than one byte, for `length` bytes of content. */
export function headerLength(length: number): number {
  return length < 56 ? 1 : 1 + widthOf(length)
}

/** Writes a list header at `at`; returns where the content begins. */
export function writeListHeader(out: Uint8Array, at: number, length: number): number {
  return writeHeader(out, at, length, 0xc0)
}

function encodedLength(item: RlpItem): number {
  if (item instanceof Uint8Array) {
    return item.length === 1 && (item[0] as number) < 0x80
      ? 1
      : headerLength(item.length) + item.length
  }
  const content = contentLength(item)
  return headerLength(content) + content
}

function contentLength(items: readonly RlpItem[]): number {
  let length = 0
  for (const item of items) length += encodedLength(item)
  return length
}

function writeItem(out: Uint8Array, at: number, item: RlpItem): number {
  if (item instanceof Uint8Array) {
    const bare = item.length === 1 && (item[0] as number) < 0x80
    const from = bare ? at : writeHeader(out, at, item.length, 0x80)
    out.set(item, from)
    return from + item.length
  }
  let next = writeHeader(out, at, contentLength(item), 0xc0)
  for (const entry of item) next = writeItem(out, next, entry)
  return next
}

function writeHeader(out: Uint8Array, at: number, length: number, base: number): number {
  if (length < 56) {
    out[at] = base + length
    return at + 1
  }
  const width = widthOf(length)
  out[at] = base + 55 + width
  let rest = length
  for (let index = at + width; index > at; index -= 1) {
    out[index] = rest & 0xff
    rest = Math.floor(rest / 256)
  }
  return at + 1 + width
}

function widthOf(length: number): number {
  let width = 1
  for (let rest = Math.floor(length / 256); rest > 0; rest = Math.floor(rest / 256)) width += 1
  return width
}

const noBytes = new Uint8Array(0)

/**
 * Reads RLP strictly, once, from front to back, by a layout the caller knows; nesting deeper than that layout is refused where it stands,
 * so nothing recurses on input. Minimal lengths only, no leading zero in an integer. The first problem sticks in `problem`; every later
 * read answers an empty value without moving, so a caller reads all its fields and looks once at the end.
 */
export class RlpReader {
  readonly bytes: Uint8Array
  /** What is wrong with the input, in the words a user sees; undefined while nothing is. */
  problem: string | undefined
  /** Where the next item begins. */
  at: number
  /** Content of the item read last: [from, to). */
  from: number
  to: number
  private end: number
  private inList: boolean
  /** Of the item read last: whether it is a list, and whether a header byte stands before its content. */
  private list: boolean
  private prefixed: boolean

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.problem = undefined
    this.at = at
    this.from = at
    this.to = at
    this.end = bytes.length
    this.inList = false
    this.list = false
    this.prefixed = false
  }

  /** Enters a list. Give what it returns to `closeList`. */
  openList(field: string): number {
    const outer = this.inList ? this.end : -1
    if (this.item(field) && this.wants(field, true)) {
      this.at = this.from
      this.end = this.to
      this.inList = true
    }
    return outer
  }

  /** Leaves a list, which must have been read to its end. */
  closeList(outer: number, field: string): void {
    if (this.problem !== undefined) return
    if (this.at !== this.end) {
      this.problem = `rlp: ${field} has too many elements`
      return
    }
    this.inList = outer !== -1
    this.end = this.inList ? outer : this.bytes.length
  }

  /** True while the open list has another element and nothing is wrong. */
  more(): boolean {
    return this.problem === undefined && this.at < this.end
  }

  /** True if the next element is a list. */
  atList(): boolean {
    return this.more() && (this.bytes[this.at] as number) >= 0xc0
  }

  /** Passes over one element whatever it is, without looking inside a list. */
  skip(field: string): void {
    this.item(field)
  }

  /** An unsigned integer of at most `widthMax` bytes. */
  uint(field: string, widthMax = Number.POSITIVE_INFINITY): bigint {
    if (!this.string(field)) return 0n
    const { from, to } = this
    if (from < to && this.bytes[from] === 0) {
      this.problem = `rlp: ${field} has a leading zero byte`
      return 0n
    }
    if (to - from > widthMax) {
      this.problem = `rlp: ${field} is wider than ${8 * widthMax} bits`
      return 0n
    }
    return bigOf(this.bytes, from, to)
  }

  /** Bytes of any length, as a view into the input. */
  view(field: string): Uint8Array {
    if (!this.string(field) || this.from === this.to) return noBytes
    const { buffer, byteOffset } = this.bytes
    return new Uint8Array(buffer, byteOffset + this.from, this.to - this.from)
  }

  /** Bytes of one length, 32 at most, as hex; empty bytes, where allowed, are null. */
  fixed(field: string, length: number, emptyToo = false): Hex | null {
    if (!this.string(field)) return null
    const { from, to } = this
    if (to - from === length) return shortHex(this.bytes, from, to)
    if (!(emptyToo && from === to)) {
      this.problem = `rlp: ${field} has ${to - from} bytes, not ${emptyToo ? '0 or ' : ''}${length}`
    }
    return null
  }

  /** The input must end here. */
  finish(): void {
    if (this.problem === undefined && this.at !== this.bytes.length) {
      this.problem = 'rlp: input contains more than one value'
    }
  }

  private string(field: string): boolean {
    if (!(this.item(field) && this.wants(field, false))) return false
    const single = this.prefixed && this.to - this.from === 1
    if (single && (this.bytes[this.from] as number) < 0x80) {
      return this.fail(`rlp: ${field} has a non-minimal length`)
    }
    return true
  }

  private wants(field: string, list: boolean): boolean {
    if (this.list === list) return true
    return this.fail(
      list ? `rlp: ${field} is bytes, expected a list` : `rlp: ${field} is a list, expected bytes`,
    )
  }

  /** Reads one item's header, sets `from`, `to`, `list`, and moves behind it. */
  private item(field: string): boolean {
    if (this.problem !== undefined) return false
    const { bytes, at, end } = this
    if (at >= end) {
      return this.fail(this.inList ? `rlp: ${field} is missing` : this.tooLarge())
    }
    const first = bytes[at] as number
    this.list = first >= 0xc0
    if (first < 0x80) {
      this.prefixed = false
      this.from = at
      this.to = at + 1
      this.at = at + 1
      return true
    }
    this.prefixed = true
    const short = first - (this.list ? 0xc0 : 0x80)
    let from = at + 1
    let length = short
    if (short > 55) {
      from += short - 55
      if (from > end) return this.fail(this.tooLarge())
      length = 0
      for (let index = at + 1; index < from; index += 1) {
        length = length * 256 + (bytes[index] as number)
      }
      if (bytes[at + 1] === 0 || length < 56) {
        return this.fail(`rlp: ${field} has a non-minimal length`)
      }
    }
    if (length > end - from) return this.fail(this.tooLarge())
    this.from = from
    this.to = from + length
    this.at = from + length
    return true
  }

  /** geth's two sentences: inside a list, and at the top. */
  private tooLarge(): string {
    return this.inList
      ? 'rlp: element is larger than containing list'
      : 'rlp: value size exceeds available input length'
  }

  private fail(problem: string): false {
    this.problem = problem
    return false
  }
}

const scratch = new Uint8Array(32)
const words = new DataView(scratch.buffer)

/**
 * An integer from its big-endian bytes. Joining words takes a third of the time of parsing hexadecimal text, but is quadratic in the
 * length; from 33 bytes on, where only a hostile transaction gets, the text it is.
 */
function bigOf(bytes: Uint8Array, from: number, to: number): bigint {
  const length = to - from
  if (length <= 6) {
    let value = 0
    for (let index = from; index < to; index += 1) value = value * 256 + (bytes[index] as number)
    return BigInt(value)
  }
  if (length > 32) {
    return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString('hex')}`)
  }
  const start = (32 - length) & ~7
  for (let at = start; at < 32 - length; at += 1) scratch[at] = 0
  for (let at = 32 - length, index = from; index < to; at += 1, index += 1) {
    scratch[at] = bytes[index] as number
  }
  let value = words.getBigUint64(start)
  for (let at = start + 8; at < 32; at += 8) value = (value << 64n) | words.getBigUint64(at)
  return value
}
