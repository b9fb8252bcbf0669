import {
  type Answer,
  type Appointment,
  type Breach,
  failed,
  limits,
  ok,
  type Write,
} from '@rockpool/protocol'
import { slotsOf } from './blob.ts'
import { deleteRow, type Floor, putRow, rowsOf } from './floor.ts'
import type { Sighting } from './locator-cache.ts'
import type { AppointmentRow, ClosedRow, UserRow } from './rows.ts'
import { trigger } from './trigger.ts'

/** What the disk has of a row, and why it is closed if it is. */
export interface Stored {
  readonly row: AppointmentRow
  readonly closed?: ClosedRow
}

export interface Wish {
  readonly uuid: Uint8Array
  readonly user: UserRow
  readonly appointment: Appointment
  readonly signature: Uint8Array
  readonly endBlock?: number
}

export interface Accepted {
  readonly writes: readonly Write[]
  readonly breach?: Breach
}

/**
 * An appointment is taken: a new row, or a newer version in the place of the one this user had for the locator. If its transaction was seen
 * already it is opened now. Memory changes at once; nobody hears of it before the writes are on disk.
 */
export function accept(floor: Floor, wish: Wish, stored: Stored | undefined): Answer<Accepted> {
  const refusal = refuse(floor, wish, stored)
  if (refusal !== undefined) return refusal
  const { gate, height, cache } = floor
  const { uuid, user, appointment, signature, endBlock = 0 } = wish
  const slots = slotsOf(appointment.blob.length)
  const before = stored?.row
  const { locator, blob, delay } = appointment
  const row: AppointmentRow = {
    ...{ uuid, user: user.user, locator, phase: 'watched', start: height },
    ...{ end: endBlock, delay, slots, signature, blob },
  }
  const charge = gate.charge(user.user, slots - (before?.slots ?? 0), before === undefined ? 1 : 0)
  const seen = cache.find(locator) ?? sightingOf(stored?.closed)
  if (seen === undefined) return ok({ writes: [...charge, ...putRow(floor, row, before)] })
  const opened = floor.parts.home.open(blob, seen.tx.txid)
  const { writes, breach } = trigger(floor, row, seen, opened, before)
  return ok({ writes: [...charge, ...writes], ...(breach && { breach }) })
}

function refuse(floor: Floor, wish: Wish, stored: Stored | undefined) {
  const { parts, gate } = floor
  const { config } = parts
  const { user, appointment, endBlock } = wish
  if (stored?.row.phase === 'tracked') return failed('tower/triggered')
  if (endBlock !== undefined && (endBlock <= floor.height || endBlock > user.expiry))
    return failed('tower/bad-end')
  const isNew = stored === undefined
  if (isNew && rowsOf(floor) >= config.maxAppointments) return failed('tower/not-accepted')
  const change = {
    used: stored?.row.slots ?? 0,
    wanted: slotsOf(appointment.blob.length),
    isNew,
  }
  return gate.canHold(user.user, change, config.maxAppointmentsPerUser)
    ? undefined
    : failed('tower/not-accepted')
}

/** A closed row remembers which transaction it failed on; by its id, which is enough to open a better blob. */
function sightingOf(closed: ClosedRow | undefined): Sighting | undefined {
  if (closed?.disputeBlock === undefined) return undefined
  const tx = { txid: closed.disputeTxid, raw: new Uint8Array(0) }
  return { tx, block: closed.disputeBlock }
}

/** The owner takes a row back; its slots return later, or deleting and adding again would be free. */
export function takeBack(
  floor: Floor,
  stored: Stored | undefined,
  until: number,
): Answer<{ readonly writes: readonly Write[]; readonly slotsReturnAt: number }> {
  const { height } = floor
  if (until < height || until > height + limits.towerReturnBlocks) return failed('tower/bad-until')
  if (stored === undefined) return failed('tower/not-found')
  const { row } = stored
  if (row.phase === 'tracked') return failed('tower/triggered')
  const slotsReturnAt = height + limits.towerReturnBlocks
  const returning = { user: row.user, until: slotsReturnAt, slots: row.slots }
  return ok({
    writes: [...deleteRow(floor, row), ...floor.gate.giveBackLater(returning)],
    slotsReturnAt,
  })
}

/** What lets a row go whose end is reached or whose penalty is final: its slots come back at once. */
export function release(floor: Floor, row: AppointmentRow): Write[] {
  return [...deleteRow(floor, row), ...floor.gate.charge(row.user, -row.slots, -1)]
}
