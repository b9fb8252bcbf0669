import type { Answer } from '../errors.ts'
import type { ChainHead } from '../events.ts'
import type { TrackerState } from '../values/appointment.ts'
import type { Hash } from '../values/bytes.ts'
import type { Reply } from './reply.ts'

/** A breach to be answered. It is on disk already. Ids in internal order. */
export interface Breach {
  readonly uuid: Uint8Array
  readonly disputeTxid: Uint8Array
  readonly disputeBlock: { readonly hash: Hash; readonly height: number }
  readonly penaltyTxid: Uint8Array
}

/** The watcher has seen these in a block. */
export type ResponderRespond = { type: 'responder.respond'; breaches: readonly Breach[] }

export interface TrackerView {
  readonly uuid: Uint8Array
  readonly state: TrackerState
  readonly disputeTxid: string
  readonly penaltyTxid: string
  /** Where they are on the chain; absent: nowhere. */
  readonly disputeHeight?: number
  readonly penaltyHeight?: number
  readonly since: number
  readonly reason?: string
  readonly tries: number
  /** What happened to it, oldest first. */
  readonly story: readonly { readonly height: number; readonly what: string }[]
}

/** The watcher or an operator asks for trackers: of these rows, or all there are. */
export type ResponderExplain = {
  type: 'responder.explain'
  uuids?: readonly Uint8Array[]
  reply: Reply<Answer<readonly TrackerView[]>>
}

export interface ResponderStats {
  readonly states: ReadonlyMap<TrackerState, number>
  /** Deferred ones by reason. */
  readonly deferred: ReadonlyMap<string, number>
  /** Broadcasts by what became of them. */
  readonly broadcasts: ReadonlyMap<string, number>
  readonly height: number
}
export type ResponderGetStats = { type: 'responder.getStats'; reply: Reply<ResponderStats> }

/** Whoever follows the tower's own chain: its tip is this. */
export type ResponderHead = {
  type: 'responder.head'
  head: { readonly hash: Hash; readonly height: number }
}

/** Whoever follows the tower's own chain: what was refused for now may be taken now. */
export type ResponderAgain = { type: 'responder.again' }

export type ResponderMessage =
  | ResponderRespond
  | ResponderExplain
  | ResponderGetStats
  | ResponderHead
  | ResponderAgain
  | ChainHead
