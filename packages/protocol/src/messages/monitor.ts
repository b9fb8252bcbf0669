import type { Answer } from '../errors.ts'
import type { PeerClosed, PeerOpened } from '../events.ts'
import type { Ban, Subject } from '../values/ban.ts'
import type { Addr, Direction, PeerId } from '../values/peer.ts'
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
  /** Ids of further ones of the same kind: reports that came while the mailbox was full. */
  also?: readonly string[]
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

/** How this node itself is: lag of its event loop, p99 of the last minute, in ms. */
export type MonitorHealth = { type: 'monitor.health'; lagP99Ms: number }

/** An operator connects to an address, or ends all connections of a peer, with a goodbye of this code. Neither changes a ban. */
export type MonitorConnect = { type: 'monitor.connect'; addr: Addr; reply: Reply<Answer<PeerId>> }
export type MonitorDisconnect = {
  type: 'monitor.disconnect'
  peer: PeerId
  code: number
  reply: Reply<Answer<void>>
}

/** An operator has a peer treated like one of the configuration, by its address with `/p2p/<id>`, or no longer, by its id. Until restart. */
export type MonitorPin = {
  type: 'monitor.pin'
  peer: PeerId
  addr: Addr | null
  reply: Reply<Answer<void>>
}

/** An operator copies the ban book, and takes in another's: of two bans of one subject the one that ends later counts. */
export type MonitorExport = { type: 'monitor.export'; reply: Reply<readonly Ban[]> }
export type MonitorImport = {
  type: 'monitor.import'
  bans: readonly Ban[]
  reply: Reply<Answer<ImportReport>>
}

/** An operator asks what other rules would have made of the charges since an instant. Changes nothing. */
export type MonitorDryRun = {
  type: 'monitor.dryRun'
  rules: DryRules
  sinceMs: number
  reply: Reply<DryReport>
}

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
  | MonitorHealth
  | MonitorConnect
  | MonitorDisconnect
  | MonitorPin
  | MonitorExport
  | MonitorImport
  | MonitorDryRun
  | PeerOpened
  | PeerClosed

/** `good`, `suspect` and mostly `quarantined` are connected; `known` has left; of `unknown` nothing is held. */
export type PeerState = 'good' | 'suspect' | 'quarantined' | 'banned' | 'known' | 'unknown'

/** The score of a peer and of what it is the sum. */
export interface PeerScore {
  readonly total: number
  readonly debit: number
  readonly credit: number
  /** The router's score, halved and bounded. */
  readonly gossip: number
  /** Of the debit, what is proved. */
  readonly proven: number
  /** The router's score as it is, without our own part. */
  readonly router?: number
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
  readonly event: 'charged' | 'refunded' | 'banned' | 'lifted' | 'quarantined' | 'released'
  readonly reason: string
  /** Points; 0 for a ban and its end. */
  readonly delta: number
  /** What is left of them now. */
  readonly left: number
  /** Written down and not counted, since this node was not well. */
  readonly suspended?: true
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
  /** The score as a sum: these add up to the total. */
  readonly lines: readonly PeerLine[]
  /** Charges by reason, all there ever were. */
  readonly charges: ReadonlyMap<string, number>
  readonly groups: readonly string[]
  /** Below it a peer is banned. */
  readonly threshold: number
}

/** One summand of a score. */
export interface PeerLine {
  readonly what: string
  readonly points: number
}

export interface ImportReport {
  readonly added: number
  /** Texts of the subjects that were not taken, and why. */
  readonly skipped: readonly { readonly subject: string; readonly why: string }[]
}

/** Rules of judgement tried on what was recorded. */
export interface DryRules {
  readonly threshold: number
  readonly banMs: number
  /** Points by reason, in the place of those of the registry. */
  readonly points: ReadonlyMap<string, number>
}

export interface DryReport {
  /** Charges looked at, and when the first of them was. */
  readonly charges: number
  readonly fromMs?: number
  /** Peers that would have been banned or were; with instants. */
  readonly peers: readonly DryRow[]
}

export interface DryRow {
  readonly peer: PeerId
  readonly would: readonly number[]
  readonly was: readonly number[]
  /** The lowest total under the tried rules. */
  readonly lowest: number
}

export interface MonitorStats {
  /** By reason, and `suspended` behind it for what was not counted. */
  readonly charges: ReadonlyMap<string, number>
  /** By `by kind` of the subject. */
  readonly bans: ReadonlyMap<string, number>
  readonly lifts: ReadonlyMap<string, number>
  /** In force now, by kind of the subject. */
  readonly active: ReadonlyMap<string, number>
  readonly states: ReadonlyMap<string, number>
  /** `bansEvicted`, `recordsEvicted`, `errors`, `budgetLeft`, `suspect` (0 or 1), `groups`. */
  readonly counts: ReadonlyMap<string, number>
  /** Bans that were not made, by why. */
  readonly withheld: ReadonlyMap<string, number>
  /** Why this node does not trust itself now. */
  readonly suspect?: string
  /** Totals of the connected peers. */
  readonly totals: readonly number[]
  /** From the charge that was enough to the end of the connection: sum in ms, and how many. */
  readonly banLatency: { readonly sumMs: number; readonly count: number }
  /** Reputation records held. */
  readonly records: number
}
