import type { Answer } from '../errors.ts'
import type { PeerClosed, PeerOpened } from '../events.ts'
import type { Ban, Subject } from '../values/ban.ts'
import type { Direction, PeerId } from '../values/peer.ts'
import type { Reply } from './reply.ts'

/** Somebody saw a peer do wrong. What it costs stands in the monitor's registry of reasons; the one who tells cannot choose it. */
export type MonitorReport = {
  type: 'monitor.report'
  peer: PeerId
  /** A code of the registry. */
  reason: string
  /** What exactly, as a code or a few words. */
  detail?: string
  /** Id of the message or request: one charge for each. */
  evidence?: string
}

/** A peer was of use, so many times at once. */
export type MonitorCredit = { type: 'monitor.credit'; peer: PeerId; reason: string; times: number }

/** An operator keeps somebody out, until an instant (epoch ms) or for good. Answered when it is on disk. */
export type MonitorBan = {
  type: 'monitor.ban'
  subject: Subject
  untilMs: number | null
  note?: string
  reply: Reply<Answer<Ban>>
}

/** An operator lets somebody in again; with `forget` also its earlier bans and charges no longer count. */
export type MonitorUnban = {
  type: 'monitor.unban'
  subject: Subject
  forget: boolean
  reply: Reply<Answer<void>>
}

/** An operator spares a peer from bans, or no longer. Until restart. */
export type MonitorProtect = {
  type: 'monitor.protect'
  peer: PeerId
  on: boolean
  reply: Reply<Answer<void>>
}

/** An operator asks what is held for and against a peer. */
export type MonitorWhy = {
  type: 'monitor.why'
  peer: PeerId
  sinceMs: number
  reply: Reply<PeerWhy>
}

/** An operator asks who is connected, known or banned. */
export type MonitorList = { type: 'monitor.list'; reply: Reply<PeerList> }

/** The node is stopping: judge nobody any more, write what is not on disk. Answered when that is done. */
export type MonitorDrain = { type: 'monitor.drain'; reply: Reply<void> }

export type MonitorGetStats = { type: 'monitor.getStats'; reply: Reply<MonitorStats> }

export type MonitorMessage =
  | MonitorReport
  | MonitorCredit
  | MonitorBan
  | MonitorUnban
  | MonitorProtect
  | MonitorWhy
  | MonitorList
  | MonitorDrain
  | MonitorGetStats
  | PeerOpened
  | PeerClosed

/** `good` and `suspect` are connected; `known` has left; of `unknown` nothing is held. */
export type PeerState = 'good' | 'suspect' | 'banned' | 'known' | 'unknown'

/** The score of a peer and of what it is the sum. */
export interface PeerScore {
  readonly total: number
  readonly debit: number
  readonly credit: number
  /** The router's score, halved and bounded. */
  readonly gossip: number
}

export interface PeerRow {
  readonly id: PeerId
  readonly state: PeerState
  readonly connected: boolean
  readonly direction?: Direction
  readonly ip?: string
  readonly agent?: string
  readonly rttMs?: number
  readonly isStatic: boolean
  readonly isProtected: boolean
  readonly score: PeerScore
  readonly ban?: Ban
}

export interface PeerList {
  readonly peers: readonly PeerRow[]
  /** In force, of all kinds of subjects. */
  readonly bans: readonly Ban[]
}

export interface PeerStory {
  readonly atMs: number
  readonly event: 'charged' | 'banned' | 'lifted'
  readonly reason: string
  /** Points; 0 for a ban and its end. */
  readonly delta: number
  readonly detail?: string
  readonly evidence?: string
}

/** Everything held for and against one peer. */
export interface PeerWhy extends PeerRow {
  /** The code that says most about the state. */
  readonly reason: string
  /** One sentence. */
  readonly why: string
  readonly sinceMs?: number
  readonly untilMs?: number
  readonly unblock: readonly { readonly do: string; readonly untilMs?: number }[]
  /** Oldest first. */
  readonly story: readonly PeerStory[]
  /** Below it a peer is banned. */
  readonly threshold: number
}

export interface MonitorStats {
  /** By reason. */
  readonly charges: ReadonlyMap<string, number>
  /** By `by kind` of the subject. */
  readonly bans: ReadonlyMap<string, number>
  readonly lifts: ReadonlyMap<string, number>
  /** In force now, by kind of the subject. */
  readonly active: ReadonlyMap<string, number>
  readonly states: ReadonlyMap<string, number>
  /** `bansEvicted`, `recordsEvicted`, `errors`. */
  readonly counts: ReadonlyMap<string, number>
  /** Reputation records held. */
  readonly records: number
}
