import { Unpackr } from 'msgpackr/unpack'
import { CodedError, errors } from '../errors.ts'
import { limits } from '../limits.ts'

const {
  recordBlobBytesMin: blobBytesMin,
  recordRememberedMax: rememberedMax,
  recordDepthMax: depthMax,
} = limits

/** First slot of an array that stands for something MessagePack has no form for. From `shape` on: a record of the shape of that number. */
const tags = {
  nothing: 0,
  list: 1,
  quantity: 2,
  map: 3,
  set: 4,
  error: 5,
  newBlob: 6,
  blob: 7,
  newShape: 8,
  loose: 9,
  shape: 16,
} as const

/**
 * Values as they stand in a recording: MessagePack in which a record is a list of its values after the number of its shape, so that names are
 * written once. Takes plain data: numbers, text, bytes, bigint, lists, records, maps, sets, errors. What it remembers follows from what it
 * wrote, so a file that is cut can still be read up to the cut.
 */
export class RecordingEncoder {
  private readonly digest: (bytes: Uint8Array) => string
  private readonly shapes = new Map<string, number>()
  private readonly blobs = new Map<string, number>()
  private buffer = Buffer.allocUnsafe(65_536)
  private length = 0

  /** `digest` tells large byte strings apart. */
  constructor(digest: (bytes: Uint8Array) => string) {
    this.digest = digest
  }

  /** Bytes waiting to be taken. */
  get size(): number {
    return this.length
  }

  /** Appends one list. Throws for what is no plain data, and then nothing is appended. */
  add(list: readonly unknown[]): void {
    const before = this.length
    try {
      this.head(list.length)
      for (const item of list) this.write(item, 0)
    } catch (error) {
      this.length = before
      throw error
    }
  }

  /** All that was appended since the last call, a copy. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.buffer.subarray(0, this.length))
    this.length = 0
    return bytes
  }

  private write(value: unknown, depth: number): void {
    if (depth > depthMax) throw new TypeError('too deep to be recorded')
    switch (typeof value) {
      case 'number':
        return this.number(value)
      case 'string':
        return this.text(value)
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2)
      case 'undefined':
        this.head(1)
        return this.byte(tags.nothing)
      case 'bigint':
        return this.quantity(value)
      case 'object':
        if (value === null) return this.byte(0xc0)
        return this.object(value, depth + 1)
      default:
        throw new TypeError(`a ${typeof value} cannot be recorded`)
    }
  }

  private object(value: object, depth: number): void {
    if (value instanceof Uint8Array) return this.bytes(value)
    if (Array.isArray(value)) return this.tagged(tags.list, value, depth)
    if (value instanceof Map) return this.tagged(tags.map, [...value].flat(1), depth)
    if (value instanceof Set) return this.tagged(tags.set, [...value], depth)
    if (value instanceof Error) {
      const { name, message, code } = value as Error & { code?: unknown }
      return this.tagged(tags.error, [name, message, typeof code === 'string' ? code : null], depth)
    }
    const keys = Object.keys(value)
    const record = value as Record<string, unknown>
    const name = keys.join(',')
    const known = this.shapes.get(name)
    if (known !== undefined) {
      this.head(keys.length + 1)
      this.number(tags.shape + known)
    } else if (this.shapes.size < rememberedMax) {
      this.shapes.set(name, this.shapes.size)
      this.head(keys.length + 2)
      this.byte(tags.newShape)
      this.head(keys.length)
      for (const key of keys) this.text(key)
    } else {
      const parts = keys.flatMap(key => [key, record[key]])
      return this.tagged(tags.loose, parts, depth)
    }
    for (const key of keys) this.write(record[key], depth)
  }

  private tagged(tag: number, items: readonly unknown[], depth: number): void {
    this.head(items.length + 1)
    this.byte(tag)
    for (const item of items) this.write(item, depth)
  }

  private quantity(value: bigint): void {
    const negative = value < 0n
    const hex = (negative ? -value : value).toString(16)
    this.head(3)
    this.byte(tags.quantity)
    this.byte(negative ? 0xc3 : 0xc2)
    this.raw(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
  }

  private bytes(value: Uint8Array): void {
    if (value.length <= blobBytesMin) return this.raw(value)
    const digest = this.digest(value)
    const known = this.blobs.get(digest)
    this.head(2)
    if (known !== undefined) {
      this.byte(tags.blob)
      return this.number(known)
    }
    this.byte(tags.newBlob)
    if (this.blobs.size < rememberedMax) this.blobs.set(digest, this.blobs.size)
    this.raw(value)
  }

  private raw(value: Uint8Array): void {
    this.room(value.length + 5)
    this.sized(value.length, 0xc4)
    this.buffer.set(value, this.length)
    this.length += value.length
  }

  private text(value: string): void {
    const length = Buffer.byteLength(value)
    this.room(length + 5)
    if (length < 32) this.byte(0xa0 + length)
    else this.sized(length, 0xd9)
    this.length += this.buffer.write(value, this.length, 'utf8')
  }

  private number(value: number): void {
    this.room(9)
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32 && !Object.is(value, -0)) {
      if (value < 0x80) return this.byte(value)
      return this.sized(value, 0xcc)
    }
    this.buffer[this.length] = 0xcb
    this.length = this.buffer.writeDoubleBE(value, this.length + 1)
  }

  /** A marker, or the one or two after it, and a number of 1, 2 or 4 bytes. */
  private sized(number: number, marker: number): void {
    const { buffer } = this
    if (number < 0x100) {
      buffer[this.length] = marker
      this.length = buffer.writeUInt8(number, this.length + 1)
    } else if (number < 0x10000) {
      buffer[this.length] = marker + 1
      this.length = buffer.writeUInt16BE(number, this.length + 1)
    } else {
      buffer[this.length] = marker + 2
      this.length = buffer.writeUInt32BE(number, this.length + 1)
    }
  }

  private head(length: number): void {
    this.room(5)
    if (length < 16) return this.byte(0x90 + length)
    this.buffer[this.length] = length < 0x10000 ? 0xdc : 0xdd
    this.length =
      length < 0x10000
        ? this.buffer.writeUInt16BE(length, this.length + 1)
        : this.buffer.writeUInt32BE(length, this.length + 1)
  }

  private byte(value: number): void {
    this.room(1)
    this.buffer[this.length++] = value
  }

  private room(more: number): void {
    if (this.length + more <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more))
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
  }
}

const unpacker = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: 'number' })

/** Reads what the encoder wrote, in the same order. */
export class RecordingDecoder {
  private readonly shapes: (readonly string[])[] = []
  private readonly blobs: Uint8Array[] = []

  /** The lists of one piece. Throws when it is not whole. */
  read(piece: Uint8Array): unknown[][] {
    const lists: unknown[][] = []
    if (piece.length === 0) return lists
    unpacker.unpackMultiple(piece, (raw: unknown) => {
      if (!Array.isArray(raw)) throw new TypeError('not a recording')
      lists.push(raw.map(item => this.value(item)))
    })
    return lists
  }

  private value(raw: unknown): unknown {
    if (raw instanceof Uint8Array) return new Uint8Array(raw)
    if (!Array.isArray(raw)) return raw
    const [tag, ...items] = raw as [number, ...unknown[]]
    switch (tag) {
      case tags.nothing:
        return undefined
      case tags.list:
        return items.map(item => this.value(item))
      case tags.quantity: {
        const size = BigInt(`0x${Buffer.from(items[1] as Uint8Array).toString('hex') || '0'}`)
        return items[0] === true ? -size : size
      }
      case tags.map: {
        const map = new Map<unknown, unknown>()
        for (let at = 0; at < items.length; at += 2) {
          map.set(this.value(items[at]), this.value(items[at + 1]))
        }
        return map
      }
      case tags.set:
        return new Set(items.map(item => this.value(item)))
      case tags.error:
        return errorOf(items as [string, string, string | null])
      case tags.newBlob: {
        const bytes = this.value(items[0]) as Uint8Array
        if (this.blobs.length < rememberedMax) this.blobs.push(bytes)
        return bytes
      }
      case tags.blob:
        return this.blobs[items[0] as number]
      case tags.newShape: {
        const keys = items[0] as readonly string[]
        this.shapes.push(keys)
        return this.record(keys, items, 1)
      }
      case tags.loose: {
        const keys = items.filter((_, at) => at % 2 === 0) as string[]
        return this.record(
          keys,
          items.filter((_, at) => at % 2 === 1),
          0,
        )
      }
      default: {
        const keys = this.shapes[tag - tags.shape]
        if (keys === undefined) throw new TypeError(`no shape ${tag}`)
        return this.record(keys, items, 0)
      }
    }
  }

  private record(keys: readonly string[], items: readonly unknown[], from: number): object {
    const record: Record<string, unknown> = {}
    for (const [at, key] of keys.entries()) {
      const value = this.value(items[from + at])
      // A key of this name would set the prototype instead.
      if (key === '__proto__') continue
      record[key] = value
    }
    return record
  }
}

function errorOf([name, message, code]: readonly [string, string, string | null]): Error {
  if (name === 'CodedError' && code !== null && code in errors) {
    return new CodedError(code as keyof typeof errors, message)
  }
  const error = new Error(message)
  error.name = name
  return code === null ? error : Object.assign(error, { code })
}
