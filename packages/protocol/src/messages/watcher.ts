import type { Answer } from '../errors.ts'
import type { ChainHead } from '../events.ts'
import type {
  Appointment,
  AppointmentPhase,
  AppointmentReceipt,
  AppointmentState,
  ClosedReason,
  Subscription,
} from '../values/appointment.ts'
import type { Hash } from '../values/bytes.ts'
import type { Reply } from './reply.ts'
import type { TrackerView } from './responder.ts'

/** A client asks for a subscription, or for more of one. `address` is whom limits count: an address, a /64 or `loopback`. */
export type WatcherRegister = {
  type: 'watcher.register'
  user: Uint8Array
  address: string
  reply: Reply<Answer<Subscription>>
}

/** A client hands an appointment over, or a newer one in its place. Answered when it is on disk. `signature` is zbase32 as it came. */
export type WatcherAdd = {
  type: 'watcher.add'
  appointment: Appointment
  signature: string
  /** An end of its own, earlier than the subscription's. Height. */
  endBlock?: number
  reply: Reply<Answer<AppointmentReceipt>>
}

/** A client reads an appointment back. */
export type WatcherGet = {
  type: 'watcher.get'
  locator: Uint8Array
  signature: string
  reply: Reply<Answer<AppointmentState>>
}

export interface SubscriptionState {
  readonly slots: number
  readonly expiry: number
  /** Of watched and tracked appointments, in byte order. */
  readonly locators: readonly Uint8Array[]
}

/** A client asks how his subscription stands. */
export type WatcherSubscription = {
  type: 'watcher.subscription'
  signature: string
  reply: Reply<Answer<SubscriptionState>>
}

export interface DeletedAppointment {
  readonly locator: Uint8Array
  readonly slots: number
  /** From this height on the slots of what was deleted are free again. */
  readonly slotsReturnAt: number
}

/** A client takes an appointment back. `until`: the last height at which the request holds. */
export type WatcherDelete = {
  type: 'watcher.delete'
  locator: Uint8Array
  until: number
  signature: string
  reply: Reply<Answer<DeletedAppointment>>
}

/** The responder: penalties of these are final; they go, and their slots come back. */
export type WatcherResolved = { type: 'watcher.resolved'; uuids: readonly Uint8Array[] }
/** The responder: the disputes of these are gone from the chain for good measure; they are watched again. */
export type WatcherReopen = { type: 'watcher.reopen'; uuids: readonly Uint8Array[] }
/** The responder: these cannot be answered any more. */
export type WatcherClosed = {
  type: 'watcher.closed'
  uuids: readonly Uint8Array[]
  reason: Extract<ClosedReason, 'invalid' | 'lost'>
}

export interface WatcherStats {
  readonly towerId: Uint8Array
  readonly users: number
  readonly watched: number
  readonly tracked: number
  readonly closed: number
  readonly slotsFree: number
  readonly asleep: boolean
  readonly state: 'starting' | 'asleep' | 'catching-up' | 'following' | 'backend-lost' | 'failing'
  readonly height: number
  readonly blocksBehind: number
  readonly tipAgeMs: number
  /** Different locators in memory, and what they take. */
  readonly locators: number
  readonly indexBytes: number
  readonly corruptRows: number
  /** Requests by what became of them: `added`, or the code they were refused with. */
  readonly counts: ReadonlyMap<string, number>
}
export type WatcherInfo = { type: 'watcher.info'; reply: Reply<WatcherStats> }

export interface AppointmentView {
  readonly uuid: Uint8Array
  readonly user: Uint8Array
  readonly appointment: Appointment
  readonly phase: AppointmentPhase
  readonly startBlock: number
  readonly slots: number
  readonly endBlock?: number
  readonly closed?: {
    readonly reason: ClosedReason
    readonly height: number
    readonly disputeTxid?: string
  }
}

/** An operator asks for appointments, of one locator or a page of all. */
export type WatcherList = {
  type: 'watcher.list'
  locator?: Uint8Array
  /** Goes on behind this one. */
  after?: Uint8Array
  reply: Reply<Answer<readonly AppointmentView[]>>
}

export interface TowerUser {
  readonly user: Uint8Array
  readonly slots: number
  readonly expiry: number
  readonly start: number
  /** Of one user only: his appointments. */
  readonly appointments?: readonly Uint8Array[]
}
export type WatcherUsers = { type: 'watcher.users'; reply: Reply<readonly TowerUser[]> }
export type WatcherUser = {
  type: 'watcher.user'
  user: Uint8Array
  reply: Reply<Answer<TowerUser>>
}

export interface BreachView {
  readonly atMs: number
  readonly height: number
  readonly disputeTxid: string
  readonly locator: Uint8Array
  readonly tracked: number
  readonly closed: number
}
/** An operator asks for the breaches since this node started, newest first. */
export type WatcherBreaches = { type: 'watcher.breaches'; reply: Reply<readonly BreachView[]> }

export interface TowerExplanation {
  readonly appointment: AppointmentView
  readonly tracker?: TrackerView
}
/** An operator asks what became of an appointment: by uuid (20 bytes), locator (16) or the id of dispute or penalty (32, internal order). */
export type WatcherExplain = {
  type: 'watcher.explain'
  subject: Uint8Array
  reply: Reply<Answer<readonly TowerExplanation[]>>
}

/** Whoever follows the tower's own chain: its tip is this. */
export type WatcherHead = {
  type: 'watcher.head'
  head: { readonly hash: Hash; readonly height: number }
}

/** Whoever follows the tower's own chain: it cannot be followed for this reason, or, without one, it can again. */
export type WatcherBackend = { type: 'watcher.backend'; lost?: string }

export type WatcherMessage =
  | WatcherRegister
  | WatcherAdd
  | WatcherGet
  | WatcherSubscription
  | WatcherDelete
  | WatcherResolved
  | WatcherReopen
  | WatcherClosed
  | WatcherInfo
  | WatcherList
  | WatcherUsers
  | WatcherUser
  | WatcherBreaches
  | WatcherExplain
  | WatcherHead
  | WatcherBackend
  | ChainHead
