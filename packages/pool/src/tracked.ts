import {
  type Added,
  type Address,
  type Answer,
  type Code,
  limits,
  type TxOrigin,
  type TxRecord,
  type Write,
} from '@rockpool/protocol'
import type { DropReason } from './op.ts'

/** One own transaction. */
export interface Entry {
  readonly tx: TxRecord
  readonly origin: TxOrigin
  seq: number
  /** `seq` is its rank in the pool. */
  isRanked: boolean
  readonly firstSeenMs: number
  readonly trackedAtMs: number
  /** Why it is not in the pool; undefined while it is. */
  waitsFor: string | undefined
  isJournaled: boolean
  tries: number
  lastTryMs: number | undefined
  /** When it is due to be published again, if it is pending then. */
  publishAtMs: number
}

export type Since = Pick<Entry, 'origin' | 'seq' | 'firstSeenMs' | 'trackedAtMs'>

/** What a turn means for own transactions. */
export interface Decision {
  /** What those who added are told, in order. */
  readonly answers: readonly Answer<Added>[]
  readonly writes: readonly Write[]
  /** Entered by this turn and not yet promised to anybody; for `undo`, should the write fail. */
  readonly entered: readonly Entered[]
}

/** A change of what is followed. */
export interface Entered {
  readonly entry: Entry
  readonly instead: Entry | undefined
}

/** Refusals that pass by themselves. A submission refused so is followed, and its sender is told that it was taken (geth's contract). */
export const temporary: ReadonlySet<Code> = new Set<Code>([
  'pool/delegated-gap',
  'pool/delegated-in-flight',
  'pool/authority-reserved',
  'pool/underpriced',
  'pool/full',
  'pool/future-replaces-pending',
])

/** Refusals that may pass: what is followed already goes on being followed. */
export const mayPass: ReadonlySet<Code> = new Set<Code>([
  ...temporary,
  'pool/tip-below-minimum',
  'pool/insufficient-funds',
  'pool/replacement-underpriced',
  'pool/address-reserved',
  'pool/gas-over-block',
  'pool/state-missing',
])

/** Ways to leave the pool after which nothing is left to follow. */
export const final: ReadonlySet<string> = new Set<DropReason>([
  'mined',
  'nonce-used',
  'removed-by-operator',
  'cleared',
])

/** What a turn gathers while it is being decided. */
export interface Change {
  readonly now: number
  readonly writes: Write[]
  readonly entered: Entered[]
}

export const triedAt = (entry: Entry): number => entry.lastTryMs ?? Number.NEGATIVE_INFINITY
/** One that waits is submitted again at the next look, then after 2, 4, 8 s and so on up to a minute. */
export function isDue({ tries, lastTryMs }: Entry, now: number): boolean {
  if (lastTryMs === undefined) return true
  const waitMs = limits.trackerFirstMs * 2 ** Math.min(tries - 1, 16)
  return now - lastTryMs >= Math.min(waitMs, limits.trackerRecheckMs)
}

export const keyOf = (sender: Address, nonce: bigint): string => `${sender} ${nonce}`
export const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
/** What was read from disk keeps its bytes on the way through the intake, so most are one and the same. */
export const isSame = (left: Uint8Array, right: Uint8Array): boolean =>
  left === right || Buffer.compare(left, right) === 0

export function bySenderAndNonce(left: TxRecord, right: TxRecord): number {
  if (left.sender !== right.sender) return left.sender < right.sender ? -1 : 1
  return left.nonce < right.nonce ? -1 : 1
}
