import { bytesToQuantity, quantityToBytes } from '../values/bytes.ts'

/** Answer of a layout for a value that is not of it. */
export const mismatch: unique symbol = Symbol('mismatch')
export type Mismatch = typeof mismatch

/**
 * What may stand in one slot of a frame. `read` turns what the unpacker gave into a value, or says that it does not fit; `write` turns a
 * value of ours into what the packer may see, and throws for one that does not fit, since that is our bug.
 */
export interface Layout<T> {
  readonly name: string
  read(raw: unknown): T | Mismatch
  write(value: T): unknown
}

export type ValueOf<L> = L extends Layout<infer T> ? T : never
export type ValuesOf<S extends readonly AnyLayout[]> = {
  -readonly [I in keyof S]: ValueOf<S[I]>
}
/** Any layout, where only its shape matters. */
export type AnyLayout = Layout<unknown>

/** An integer from 0 to 2^32-1. Anything that may grow beyond is a quantity. */
export const u32: Layout<number> = {
  name: 'u32',
  read: raw => (isU32(raw) ? raw : mismatch),
  write: value => fits(isU32(value), 'u32', value),
}

/** A u32 within bounds, both included. */
export function integer(min: number, max: number): Layout<number> {
  const name = `integer ${min} to ${max}`
  const inBounds = (value: unknown): value is number => isU32(value) && value >= min && value <= max
  return {
    name,
    read: raw => (inBounds(raw) ? raw : mismatch),
    write: value => fits(inBounds(value), name, value),
  }
}

/** A safe integer or a float: in records only, never between nodes. */
export const number: Layout<number> = {
  name: 'number',
  read: raw => (isNumber(raw) ? raw : mismatch),
  write: value => fits(isNumber(value), 'number', value),
}

/** An unsigned integer as minimal big-endian bytes; zero is no bytes. */
export function quantity(bytesMax: number): Layout<bigint> {
  const name = `quantity of ${bytesMax} bytes`
  return {
    name,
    read(raw) {
      if (!(raw instanceof Uint8Array) || raw.length > bytesMax || raw[0] === 0) return mismatch
      return bytesToQuantity(raw)
    },
    write(value) {
      const inBounds =
        typeof value === 'bigint' && value >= 0n && value >> BigInt(8 * bytesMax) === 0n
      return quantityToBytes(fits(inBounds, name, value))
    },
  }
}

/** Bytes of a length within bounds, both included. Read as a copy of their own, never as a view of the frame. */
export function bytes(min: number, max: number): Layout<Uint8Array> {
  const name = `bytes ${min} to ${max}`
  const inBounds = (value: unknown): value is Uint8Array =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
  return {
    name,
    read: raw => (inBounds(raw) ? plain(raw) : mismatch),
    write: value => plain(fits(inBounds(value), name, value)),
  }
}

/** Well-formed text of at most `bytesMax` UTF-8 bytes. */
export function text(bytesMax = 64): Layout<string> {
  const name = `text of ${bytesMax} bytes`
  const inBounds = (value: unknown): value is string =>
    typeof value === 'string' &&
    value.length <= bytesMax &&
    Buffer.byteLength(value) <= bytesMax &&
    !/\p{Surrogate}/u.test(value)
  return {
    name,
    read: raw => (inBounds(raw) ? raw : mismatch),
    write: value => fits(inBounds(value), name, value),
  }
}

/** A list of one layout with a bounded count. */
export function list<T>(entry: Layout<T>, max: number, min = 0): Layout<readonly T[]> {
  const name = `list of ${min} to ${max} ${entry.name}`
  return {
    name,
    read(raw) {
      if (!Array.isArray(raw) || raw.length < min || raw.length > max) return mismatch
      const values: T[] = []
      for (const item of raw) {
        const value = entry.read(item)
        if (value === mismatch) return mismatch
        values.push(value)
      }
      return values
    },
    write(values) {
      const inBounds = Array.isArray(values) && values.length >= min && values.length <= max
      return fits(inBounds, name, values).map(value => entry.write(value))
    },
  }
}

/** An array of fixed slots. */
export function tuple<const S extends readonly AnyLayout[]>(...slots: S): Layout<ValuesOf<S>> {
  return {
    name: `tuple of ${slots.length}`,
    read: raw => (Array.isArray(raw) ? readSlots(slots, raw, 0) : mismatch),
    write: values => writeSlots(slots, values),
  }
}

/** The values of `raw` from position `from` on, if they are exactly of these layouts. */
export function readSlots<const S extends readonly AnyLayout[]>(
  slots: S,
  raw: readonly unknown[],
  from: number,
): ValuesOf<S> | Mismatch {
  if (raw.length !== slots.length + from) return mismatch
  const values: unknown[] = []
  for (let index = 0; index < slots.length; index += 1) {
    const value = (slots[index] as AnyLayout).read(raw[index + from])
    if (value === mismatch) return mismatch
    values.push(value)
  }
  return values as ValuesOf<S>
}

/** What the packer may see of `values`, after what stands in `head` already. */
export function writeSlots<const S extends readonly AnyLayout[]>(
  slots: S,
  values: ValuesOf<S>,
  head: unknown[] = [],
): unknown[] {
  const given: readonly unknown[] = values
  const isWhole = Array.isArray(given) && given.length === slots.length
  fits(isWhole, 'tuple', given)
  for (let index = 0; index < slots.length; index += 1) {
    head.push((slots[index] as AnyLayout).write(given[index]))
  }
  return head
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}

function isNumber(value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  return !Number.isInteger(value) || Number.isSafeInteger(value)
}

/** A Buffer is unpacked and packed differently from plain bytes, and lives in a shared pool. */
function plain(value: Uint8Array): Uint8Array {
  return value.constructor === Uint8Array ? value : new Uint8Array(value)
}

function fits<T>(inBounds: boolean, name: string, value: T): T {
  if (!inBounds) throw new TypeError(`not a ${name}: ${describe(value)}`)
  return value
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `array of ${value.length}`
  return typeof value === 'string' ? `text of ${value.length}` : `${typeof value} ${String(value)}`
}
