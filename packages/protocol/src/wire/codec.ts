import { Packr } from 'msgpackr/pack'
import { type Answer, failed, ok } from '../errors.ts'
import { type Decoded, okay, refused } from './decoded.ts'
import { type AnyLayout, mismatch, readSlots, type ValuesOf, writeSlots } from './layout.ts'
import { packed } from './pack.ts'

/** Layouts of the slots after version and kind, by kind. */
export type Kinds = Readonly<Record<number, readonly AnyLayout[]>>

/** A decoded frame: its kind and the values of that kind's slots. */
export type Frame<K extends Kinds> = {
  [N in keyof K & number]: { readonly kind: N; readonly slots: ValuesOf<K[N]> }
}[keyof K & number]

export interface Codec<K extends Kinds> {
  /** Bytes of a frame, a copy of their own. Throws when a value is not of its layout: that is a bug. */
  encode<N extends keyof K & number>(kind: N, slots: ValuesOf<K[N]>): Uint8Array
  /** A frame of at most `cap` bytes, or what is wrong with it. Never throws, whatever the bytes. */
  decode(frame: Uint8Array, cap: number): Decoded<Frame<K>>
}

/**
 * Messages between nodes: MessagePack arrays `[version, kind, ...slots]`, one encoding for each. A frame is read by the layout of its
 * kind and packed again; bytes that differ from those that came are refused, so no two frames say the same.
 */
export function createCodec<const K extends Kinds>(options: {
  readonly version: number
  readonly kinds: K
}): Codec<K> {
  const { version } = options
  const kinds = new Map<number, readonly AnyLayout[]>()
  for (const [kind, slots] of Object.entries(options.kinds)) kinds.set(Number(kind), slots)

  return {
    encode(kind, values) {
      const slots = kinds.get(kind)
      if (slots === undefined) throw new TypeError(`no frame of kind ${kind}`)
      return packed(writeSlots(slots, values, [version, kind]))
    },
    decode(frame, cap) {
      const raw = opened(frame, cap, version, 2)
      if (!raw.ok) return raw
      const kind = raw.value[1] as number
      const slots = kinds.get(kind)
      if (slots === undefined) return refused('unknown-kind')
      const values = readSlots(slots, raw.value, 2)
      if (values === mismatch) return refused('bad-shape')
      if (!isSame(frame, raw.value)) return refused('not-canonical')
      return okay({ kind, slots: values } as unknown as Frame<K>)
    },
  }
}

/** Layout of `[version, ...slots]`: of a record on disk, or of the one frame of a protocol. */
export interface RecordLayout<S extends readonly AnyLayout[]> {
  readonly version: number
  readonly slots: S
}

/** Bytes of a frame without kinds. Throws when a value is not of its layout: that is a bug. */
export function encodeRecord<const S extends readonly AnyLayout[]>(
  layout: RecordLayout<S>,
  values: ValuesOf<S>,
): Uint8Array {
  return copied(packer.pack(writeSlots(layout.slots, values, [layout.version])))
}

/** The values of a record this node wrote itself; `store/corrupt` for anything else. Not packed again to compare. */
export function decodeRecord<const S extends readonly AnyLayout[]>(
  layout: RecordLayout<S>,
  bytes: Uint8Array,
): Answer<ValuesOf<S>> {
  const raw = opened(bytes, bytes.length, layout.version, 1)
  if (!raw.ok) return failed('store/corrupt')
  const values = readSlots(layout.slots, raw.value, 1)
  return values === mismatch ? failed('store/corrupt') : ok(values)
}

/** The values of a frame without kinds from another node, with every check of `createCodec` but that of the kind. */
export function decodeSoleFrame<const S extends readonly AnyLayout[]>(
  layout: RecordLayout<S>,
  frame: Uint8Array,
  cap: number,
): Decoded<ValuesOf<S>> {
  const raw = opened(frame, cap, layout.version, 1)
  if (!raw.ok) return raw
  const values = readSlots(layout.slots, raw.value, 1)
  if (values === mismatch) return refused('bad-shape')
  return isSame(frame, raw.value) ? okay(values) : refused('not-canonical')
}

/** The safe profile: arrays, integers, bytes, text. Every option is given, none left to the library. */
const packing = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  copyBuffers: true,
} as const

const packer = new Packr(packing)
const unpacker = new Packr(packing)

/** The array in `frame`, which must begin with the version and `integers` integers in all. */
function opened(
  frame: Uint8Array,
  cap: number,
  version: number,
  integers: 1 | 2,
): Decoded<readonly unknown[]> {
  if (frame.length > cap) return refused('too-big')
  let raw: unknown
  try {
    raw = unpacker.unpack(withoutClass(frame))
  } catch {
    // Hostile bytes make the library throw Error, RangeError or TypeError; all say one thing about the frame.
    return refused('undecodable')
  }
  if (!Array.isArray(raw) || !Number.isInteger(raw[0])) return refused('bad-shape')
  if (integers === 2 && !Number.isInteger(raw[1])) return refused('bad-shape')
  return raw[0] === version ? okay(raw) : refused('bad-version')
}

/** What was unpacked is packed as it is: having matched its layout it holds only what a layout writes. */
function isSame(frame: Uint8Array, raw: readonly unknown[]): boolean {
  return Buffer.compare(packed(raw), frame) === 0
}

/** From a Buffer the library would cut Buffers. */
function withoutClass(frame: Uint8Array): Uint8Array {
  if (frame.constructor === Uint8Array) return frame
  return new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength)
}

/** What the library packs is a view into a buffer that it uses again. */
function copied(view: Uint8Array): Uint8Array {
  return new Uint8Array(view)
}
