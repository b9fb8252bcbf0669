import {
  type AppointmentPhase,
  type ClosedReason,
  concatBytes,
  fromHex,
  hashOf,
  type TrackerState,
} from '@rockpool/protocol'
import type { Place } from './home.ts'

/** One letter before the fields of every key. */
const letters = {
  user: 0x75,
  row: 0x61,
  locator: 0x6c,
  owned: 0x68,
  ending: 0x66,
  closed: 0x63,
  returning: 0x6e,
  tracker: 0x74,
  raws: 0x64,
  mark: 0x6d,
  aside: 0x7a,
} as const
export type Table = keyof typeof letters

/** Key of a table; of parts in byte order, integers big-endian. */
export function keyIn(table: Table, ...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(letters[table]), ...parts)
}

/** All keys of a table that begin with these parts. */
export function rangeOf(table: Table, ...parts: readonly Uint8Array[]) {
  const gte = keyIn(table, ...parts)
  return { gte, lt: after(gte) }
}

/** The first key behind all that begin with `prefix`. */
function after(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice()
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] as number
    if (byte === 0xff) continue
    end[at] = byte + 1
    return end.subarray(0, at + 1)
  }
  return concatBytes(prefix, new Uint8Array(64).fill(0xff))
}

export const phases: readonly AppointmentPhase[] = ['watched', 'tracked', 'closed']
const reasons: readonly ClosedReason[] = [
  'cannot-decrypt',
  'not-a-transaction',
  'does-not-spend',
  'cannot-apply',
  'invalid',
  'lost',
]
const states: readonly TrackerState[] = [
  'seen',
  'broadcasting',
  'mempool',
  'confirmed',
  'deferred',
  'losing',
  'dormant',
]

export interface UserRow {
  readonly user: Uint8Array
  /** All slots ever granted, and those that hold nothing. */
  readonly total: number
  readonly free: number
  /** Rows of his, whatever their phase. */
  readonly held: number
  /** Heights. */
  readonly start: number
  readonly expiry: number
  /** Whose new users are counted together, and when this one came. Epoch ms. */
  readonly address: Uint8Array
  readonly createdMs: number
  /** Heights of the last renewals, oldest first. */
  readonly renewals: readonly number[]
}

export interface AppointmentRow {
  readonly uuid: Uint8Array
  readonly user: Uint8Array
  readonly locator: Uint8Array
  readonly phase: AppointmentPhase
  readonly start: number
  /** An end of its own; 0: that of the subscription. */
  readonly end: number
  readonly delay: number
  readonly slots: number
  readonly signature: Uint8Array
  readonly blob: Uint8Array
}

export interface ClosedRow {
  readonly reason: ClosedReason
  readonly height: number
  /** Zeros: not known. Internal order. */
  readonly disputeTxid: Uint8Array
  readonly disputeBlock: Place | undefined
}

export interface TrackerRow {
  readonly uuid: Uint8Array
  readonly state: TrackerState
  readonly disputeTxid: Uint8Array
  readonly disputeBlock: Place | undefined
  readonly penaltyTxid: Uint8Array
  readonly penaltyBlock: Place | undefined
  /** Height at which this state began. */
  readonly since: number
  readonly reason: string
  readonly tries: number
}

export function encodeUser(row: UserRow): Uint8Array {
  const out = new Writer()
  out.u8(1).u32(row.total).u32(row.free).u32(row.held).u32(row.start).u32(row.expiry)
  out.raw(row.address).number(row.createdMs).u8(row.renewals.length)
  for (const height of row.renewals) out.u32(height)
  return out.bytes()
}

export function decodeUser(user: Uint8Array, bytes: Uint8Array): UserRow | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const [total, free, held] = [from.u32(), from.u32(), from.u32()]
  const [start, expiry] = [from.u32(), from.u32()]
  const address = from.raw(8)
  const createdMs = from.number()
  const renewals = Array.from({ length: from.u8() }, () => from.u32())
  return from.whole({ user, total, free, held, start, expiry, address, createdMs, renewals })
}

export function encodeRow(row: AppointmentRow): Uint8Array {
  const out = new Writer()
  out.u8(1).u8(phases.indexOf(row.phase)).raw(row.user).raw(row.locator)
  out.u32(row.start).u32(row.end).u32(row.delay).u32(row.slots)
  return out.raw(row.signature).raw(row.blob).bytes()
}

export function decodeRow(uuid: Uint8Array, bytes: Uint8Array): AppointmentRow | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const phase = phases[from.u8()]
  const [user, locator] = [from.raw(33), from.raw(16)]
  const [start, end, delay, slots] = [from.u32(), from.u32(), from.u32(), from.u32()]
  const signature = from.raw(65)
  const blob = from.rest()
  if (phase === undefined) return undefined
  return from.whole({ uuid, user, locator, phase, start, end, delay, slots, signature, blob })
}

export function encodeClosed(row: ClosedRow): Uint8Array {
  const out = new Writer().u8(1).u8(reasons.indexOf(row.reason)).u32(row.height)
  return out.raw(row.disputeTxid).place(row.disputeBlock).bytes()
}

export function decodeClosed(bytes: Uint8Array): ClosedRow | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const reason = reasons[from.u8()]
  const height = from.u32()
  const disputeTxid = from.raw(32)
  const disputeBlock = from.place()
  return reason && from.whole({ reason, height, disputeTxid, disputeBlock })
}

export function encodeTracker(row: TrackerRow): Uint8Array {
  const out = new Writer().u8(1).u8(states.indexOf(row.state))
  out.raw(row.disputeTxid).place(row.disputeBlock).raw(row.penaltyTxid).place(row.penaltyBlock)
  return out.u32(row.since).u32(row.tries).raw(new TextEncoder().encode(row.reason)).bytes()
}

export function decodeTracker(uuid: Uint8Array, bytes: Uint8Array): TrackerRow | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const state = states[from.u8()]
  const disputeTxid = from.raw(32)
  const disputeBlock = from.place()
  const penaltyTxid = from.raw(32)
  const penaltyBlock = from.place()
  const [since, tries] = [from.u32(), from.u32()]
  const reason = new TextDecoder().decode(from.rest())
  if (state === undefined) return undefined
  return from.whole({
    ...{ uuid, state, disputeTxid, disputeBlock, penaltyTxid, penaltyBlock },
    ...{ since, tries, reason },
  })
}

/** A dispute and its penalty, as they are sent. */
export function encodeRaws(dispute: Uint8Array, penalty: Uint8Array): Uint8Array {
  return new Writer().u8(1).u32(dispute.length).raw(dispute).raw(penalty).bytes()
}

export function decodeRaws(
  bytes: Uint8Array,
): { readonly dispute: Uint8Array; readonly penalty: Uint8Array } | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const dispute = from.raw(from.u32())
  const penalty = from.rest()
  return from.whole({ dispute, penalty })
}

/** The own branch as far as it is remembered, oldest first. */
export function encodeBranch(places: readonly Place[]): Uint8Array {
  const out = new Writer().u8(1)
  for (const each of places) out.place(each)
  return out.bytes()
}

export function decodeBranch(bytes: Uint8Array): readonly Place[] | undefined {
  const from = new Rows(bytes)
  if (from.u8() !== 1) return undefined
  const places: Place[] = []
  while (from.more) {
    const each = from.place()
    if (each === undefined) return undefined
    places.push(each)
  }
  return from.whole(places)
}

class Writer {
  private readonly parts: Uint8Array[] = []

  u8(value: number): this {
    return this.raw(Uint8Array.of(value))
  }

  u32(value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value)
    return this.raw(bytes)
  }

  number(value: number): this {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value)
    return this.raw(bytes)
  }

  place(place: Place | undefined): this {
    if (place === undefined) return this.u8(0)
    return this.u8(1).raw(fromHex(place.hash)).u32(place.height)
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes)
    return this
  }

  bytes(): Uint8Array {
    return concatBytes(...this.parts)
  }
}

/** Reads forward; what is missing makes `whole` undefined. */
class Rows {
  private readonly bytes: Uint8Array
  private at = 0
  private failed = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get more(): boolean {
    return !this.failed && this.at < this.bytes.length
  }

  u8(): number {
    return this.raw(1)[0] ?? 0
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.raw(4)
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  }

  number(): number {
    const bytes = this.raw(8)
    return this.failed ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0)
  }

  place(): Place | undefined {
    if (this.u8() === 0) return undefined
    const hash = this.raw(32)
    const height = this.u32()
    return this.failed ? undefined : { hash: hashOf(hash), height }
  }

  raw(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) this.failed = true
    if (this.failed) return new Uint8Array(0)
    this.at += count
    return this.bytes.slice(this.at - count, this.at)
  }

  rest(): Uint8Array {
    return this.raw(this.bytes.length - this.at)
  }

  whole<T>(value: T): T | undefined {
    return this.failed || this.at !== this.bytes.length ? undefined : value
  }
}
