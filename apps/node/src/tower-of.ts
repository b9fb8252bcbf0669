import type { Node } from '@rockpool/node'
import {
  type Answer,
  type AppointmentReceipt,
  type AppointmentView,
  type BreachView,
  CodedError,
  type Reply,
  type ResponderMessage,
  type ResponderStats,
  type TowerExplanation,
  type TowerUser,
  type TrackerView,
  type WatcherMessage,
  type WatcherStats,
} from '@rockpool/protocol'

const askMs = 10_000
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What `tower_info` answers: the names of the tower this one is compatible with, and some of our own. */
export interface TowerInfo {
  readonly tower_id: string
  readonly n_registered_users: number
  readonly n_watcher_appointments: number
  readonly n_responder_trackers: number
  readonly addresses: readonly string[]
  readonly asleep: boolean
  readonly state: WatcherStats['state']
  readonly height: number
  readonly tip_age_seconds: number
  readonly blocks_behind: number
  readonly closed: number
  readonly deferred: number
  readonly slots_free: number
  readonly corrupt_rows: number
}

export interface TowerUserReport {
  readonly user_id: string
  readonly available_slots: number
  readonly subscription_start: number
  readonly subscription_expiry: number
  readonly appointments?: readonly string[]
}

export interface AppointmentReport {
  readonly uuid: string
  readonly user_id: string
  readonly locator: string
  readonly phase: AppointmentView['phase']
  readonly to_self_delay: number
  readonly start_block: number
  readonly end_block?: number
  readonly slots: number
  readonly encrypted_blob: string
  readonly closed?: AppointmentView['closed']
}

export type TrackerReport = Omit<TrackerView, 'uuid'> & { readonly uuid: string }

/** What `tower_explain` answers: each row the subject means, with what happened to it. */
export interface WhyReport {
  readonly appointment: AppointmentReport
  readonly tracker?: TrackerReport
}

/** The watchtower's answers for an operator. */
export function towerOf({ bus, refs }: Pick<Node, 'bus' | 'refs'>, address: string | undefined) {
  async function ask<R>(make: (reply: Reply<R>) => WatcherMessage): Promise<R> {
    if (refs.tower === undefined) throw new CodedError('tower/absent')
    const outcome = await bus.ask<WatcherMessage, R>(refs.tower.watcher, make, askMs)
    if (!outcome.ok) throw new CodedError('tower/busy')
    return outcome.value
  }

  async function answer<R>(make: (reply: Reply<Answer<R>>) => WatcherMessage): Promise<R> {
    const found = await ask(make)
    if (!found.ok) throw new CodedError(found.code, found.message)
    return found.value
  }

  async function responder<R>(make: (reply: Reply<R>) => ResponderMessage): Promise<R> {
    if (refs.tower === undefined) throw new CodedError('tower/absent')
    const outcome = await bus.ask<ResponderMessage, R>(refs.tower.responder, make, askMs)
    if (!outcome.ok) throw new CodedError('tower/busy')
    return outcome.value
  }

  async function info(): Promise<TowerInfo> {
    const stats = await ask<WatcherStats>(reply => ({ type: 'watcher.info', reply }))
    const { deferred } = await responder<ResponderStats>(reply => ({
      ...{ type: 'responder.getStats', reply },
    }))
    return {
      tower_id: hexOf(stats.towerId),
      n_registered_users: stats.users,
      n_watcher_appointments: stats.watched,
      n_responder_trackers: stats.tracked,
      addresses: address === undefined ? [] : [address],
      asleep: stats.asleep,
      state: stats.state,
      height: stats.height,
      tip_age_seconds: Math.round(stats.tipAgeMs / 1_000),
      blocks_behind: stats.blocksBehind,
      closed: stats.closed,
      deferred: [...deferred.values()].reduce((sum, count) => sum + count, 0),
      slots_free: stats.slotsFree,
      corrupt_rows: stats.corruptRows,
    }
  }

  async function users(): Promise<readonly TowerUserReport[]> {
    const found = await ask<readonly TowerUser[]>(reply => ({ type: 'watcher.users', reply }))
    return found.map(userReport)
  }

  async function user(id: unknown): Promise<TowerUserReport> {
    const key = bytesOf(id, 'the id of a user', 33)
    return userReport(await answer(reply => ({ type: 'watcher.user', user: key, reply })))
  }

  async function appointments(locator: unknown): Promise<readonly AppointmentReport[]> {
    const wanted =
      locator === undefined || locator === null ? undefined : bytesOf(locator, 'a locator', 16)
    const found = await answer<readonly AppointmentView[]>(reply => ({
      ...{ type: 'watcher.list', reply },
      ...(wanted && { locator: wanted }),
    }))
    return found.map(appointmentReport)
  }

  /** The same as over HTTP, but with an end of its own. */
  async function add(given: unknown, signature: unknown, endBlock: unknown) {
    const { locator, encrypted_blob, to_self_delay } = (given ?? {}) as Record<string, unknown>
    const delay = u32Of(to_self_delay, 'to_self_delay')
    const end = u32Of(endBlock, 'endBlock')
    const blob = bytesOf(encrypted_blob, 'an encrypted_blob')
    const appointment = { locator: bytesOf(locator, 'a locator', 16), blob, delay }
    const receipt = await answer<AppointmentReceipt>(reply => ({
      ...{ type: 'watcher.add', appointment, signature: String(signature), endBlock: end, reply },
    }))
    return {
      locator: hexOf(receipt.locator),
      start_block: receipt.startBlock,
      signature: receipt.signature,
      available_slots: receipt.slots,
      subscription_expiry: receipt.expiry,
    }
  }

  async function explain(subject: unknown): Promise<readonly WhyReport[]> {
    const given = bytesOf(subject, 'a uuid, a locator or the id of a transaction', 20, 16, 32)
    const found = await answer<readonly TowerExplanation[]>(reply => ({
      ...{ type: 'watcher.explain', subject: given, reply },
    }))
    return found.map(({ appointment, tracker }) => ({
      appointment: appointmentReport(appointment),
      ...(tracker && { tracker: trackerReport(tracker) }),
    }))
  }

  async function trackers(state?: TrackerView['state']): Promise<readonly TrackerReport[]> {
    const found = await responder<Answer<readonly TrackerView[]>>(reply => ({
      ...{ type: 'responder.explain', reply },
    }))
    if (!found.ok) throw new CodedError(found.code)
    return found.value
      .filter(tracker => state === undefined || tracker.state === state)
      .map(trackerReport)
  }

  async function breaches() {
    const found = await ask<readonly BreachView[]>(reply => ({ type: 'watcher.breaches', reply }))
    return found.map(breach => ({ ...breach, locator: hexOf(breach.locator) }))
  }

  return {
    ...{ info, users, user, appointments, add, explain, breaches, trackers },
    deferred: () => trackers('deferred'),
  }
}

function userReport({ user, slots, start, expiry, appointments }: TowerUser): TowerUserReport {
  return {
    user_id: hexOf(user),
    available_slots: slots,
    subscription_start: start,
    subscription_expiry: expiry,
    ...(appointments && { appointments: appointments.map(hexOf) }),
  }
}

function appointmentReport(view: AppointmentView): AppointmentReport {
  const { uuid, user, appointment, phase, startBlock, slots, endBlock, closed } = view
  return {
    uuid: hexOf(uuid),
    user_id: hexOf(user),
    locator: hexOf(appointment.locator),
    phase,
    to_self_delay: appointment.delay,
    start_block: startBlock,
    ...(endBlock !== undefined && { end_block: endBlock }),
    slots,
    encrypted_blob: hexOf(appointment.blob),
    ...(closed && { closed }),
  }
}

const trackerReport = (tracker: TrackerView): TrackerReport => ({
  ...tracker,
  uuid: hexOf(tracker.uuid),
})

function u32Of(value: unknown, what: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff)
    throw new Error(`not a ${what}: ${String(value).slice(0, 40)}`)
  return number
}

/** Hexadecimal digits of one of these lengths, or of any, with or without `0x`. */
function bytesOf(value: unknown, what: string, ...lengths: readonly number[]): Uint8Array {
  const digits = String(value).replace(/^0x/, '')
  const isHex = /^(?:[0-9a-fA-F]{2})+$/.test(digits)
  if (!isHex || (lengths.length > 0 && !lengths.includes(digits.length / 2)))
    throw new Error(`not ${what}: ${digits.slice(0, 80)}`)
  return new Uint8Array(Buffer.from(digits, 'hex'))
}
