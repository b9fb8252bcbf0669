/**
 * MessagePack of what may stand in a frame, each value in its one shortest form: integers to 2^32-1, bytes, text, arrays. The library
 * unpacks; packing is done here because a frame is packed twice by every receiver (once more to compare) and the library looks through
 * eight classes for every byte string, which made it three times as dear. Same bytes as the library, checked by a property.
 */
export function packed(values: readonly unknown[]): Uint8Array {
  const out = new Uint8Array(sizeOf(values))
  write(out, 0, values)
  return out
}

const encoder = new TextEncoder()

function sizeOf(value: unknown): number {
  if (typeof value === 'number') {
    return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : 5
  }
  if (value instanceof Uint8Array) return value.length + lengthBytes(value.length, 0)
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value)
    return length + lengthBytes(length, 32)
  }
  const items = value as readonly unknown[]
  let size = items.length < 16 ? 1 : items.length < 0x10000 ? 3 : 5
  for (const item of items) size += sizeOf(item)
  return size
}

/** Bytes of a string's header; `shortBelow` lengths need none of their own. */
function lengthBytes(length: number, shortBelow: number): number {
  return length < shortBelow ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
}

function write(out: Uint8Array, at: number, value: unknown): number {
  if (typeof value === 'number') {
    if (value >= 0x80) return head(out, at, 0xcc, value)
    out[at] = value
    return at + 1
  }
  if (value instanceof Uint8Array) {
    const from = head(out, at, 0xc4, value.length)
    if (value.length > 40) out.set(value, from)
    else
      for (let index = 0; index < value.length; index += 1)
        out[from + index] = value[index] as number
    return from + value.length
  }
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value)
    const from = length < 32 ? short(out, at, 0xa0 + length) : head(out, at, 0xd9, length)
    encoder.encodeInto(value, out.subarray(from))
    return from + length
  }
  const items = value as readonly unknown[]
  const { length } = items
  // An array has no form with one byte for its count: 0xdc takes two, so the marker before it stands for none.
  let next = length < 16 ? short(out, at, 0x90 + length) : wide(out, at, 0xdb, length)
  for (const item of items) next = write(out, next, item)
  return next
}

function short(out: Uint8Array, at: number, byte: number): number {
  out[at] = byte
  return at + 1
}

/** A marker, or the one or two after it, and a number of 1, 2 or 4 bytes. */
function head(out: Uint8Array, at: number, marker: number, number: number): number {
  if (number >= 0x100) return wide(out, at, marker, number)
  out[at] = marker
  out[at + 1] = number
  return at + 2
}

function wide(out: Uint8Array, at: number, marker: number, number: number): number {
  if (number < 0x10000) {
    out[at] = marker + 1
    out[at + 1] = number >> 8
    out[at + 2] = number & 0xff
    return at + 3
  }
  out[at] = marker + 2
  out[at + 1] = number >>> 24
  out[at + 2] = (number >>> 16) & 0xff
  out[at + 3] = (number >>> 8) & 0xff
  out[at + 4] = number & 0xff
  return at + 5
}
