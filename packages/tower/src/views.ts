import type { Outcome } from '@rockpool/actor'
import {
  type AppointmentView,
  failed,
  limits,
  ok,
  type Store,
  type TowerExplanation,
  type TowerUser,
  type TrackerView,
  type WatcherExplain,
  type WatcherList,
  type WatcherUser,
} from '@rockpool/protocol'
import type { Stored } from './appointments.ts'
import type { Floor } from './floor.ts'
import type { Home } from './home.ts'
import { readStored } from './reading.ts'
import { keyIn, rangeOf, type UserRow } from './rows.ts'
import { locatorOf, plainHex } from './signing.ts'

export interface ViewsParts {
  readonly store: Store
  readonly home: Home
  readonly floor: Floor
  readonly later: <T>(work: () => Promise<T>, then: (outcome: Outcome<T, unknown>) => void) => void
}

const unread = failed('tower/busy')

/** What an operator may see: more than a client, who sees his own. */
export function createViews({ store, home, floor, later }: ViewsParts) {
  const { gate } = floor

  function viewOf({ row, closed }: Stored): AppointmentView {
    const { uuid, user, locator, blob, delay, phase, start, slots, end } = row
    return {
      ...{ uuid, user, appointment: { locator, blob, delay }, phase, startBlock: start, slots },
      ...(end !== 0 && { endBlock: end }),
      ...(closed && {
        closed: {
          ...{ reason: closed.reason, height: closed.height },
          ...(closed.disputeTxid.some(byte => byte !== 0) && {
            disputeTxid: home.shown(closed.disputeTxid),
          }),
        },
      }),
    }
  }

  async function read(uuids: readonly Uint8Array[]): Promise<AppointmentView[]> {
    const found = await Promise.all(uuids.map(uuid => readStored(store, uuid)))
    return found.flatMap(stored => (stored === undefined ? [] : [viewOf(stored)]))
  }

  async function uuidsOf(locator: Uint8Array): Promise<Uint8Array[]> {
    const rows = await store.scan({ ...rangeOf('locator', locator), limit: limits.towerListMax })
    return rows.map(({ key }) => key.slice(17))
  }

  function list({ locator, after, reply }: WatcherList): void {
    later(
      async () => {
        if (locator !== undefined) return read(await uuidsOf(locator))
        const { gte, lt } = rangeOf('row')
        const from = after === undefined ? gte : Uint8Array.of(...keyIn('row', after), 0)
        const rows = await store.scan({ gte: from, lt, limit: limits.towerListMax })
        return read(rows.map(({ key }) => key.slice(1)))
      },
      outcome => reply.tell(outcome.ok ? ok(outcome.value) : unread),
    )
  }

  const userView = ({ user, free, expiry, start }: UserRow): TowerUser => ({
    ...{ user, slots: free, expiry, start },
  })

  function user(message: WatcherUser): void {
    const row = gate.get(message.user)
    if (row === undefined) return message.reply.tell(failed('tower/user-not-found'))
    later(
      () => store.scan({ ...rangeOf('owned', row.user), limit: limits.towerListMax }),
      outcome => {
        if (!outcome.ok) return message.reply.tell(unread)
        const appointments = outcome.value.map(({ key }) => key.slice(34))
        message.reply.tell(ok({ ...userView(row), appointments }))
      },
    )
  }

  function explain(
    subject: Uint8Array,
    trackers: readonly TrackerView[],
    reply: WatcherExplain['reply'],
  ): void {
    later(
      async (): Promise<TowerExplanation[]> => {
        const views = await read(await subjects(subject, trackers))
        return views.map(appointment => {
          const tracker = trackers.find(({ uuid }) => plainHex(uuid) === plainHex(appointment.uuid))
          return { appointment, ...(tracker && { tracker }) }
        })
      },
      outcome => {
        if (!outcome.ok) return reply.tell(unread)
        reply.tell(outcome.value.length === 0 ? failed('tower/not-found') : ok(outcome.value))
      },
    )
  }

  /** Rows meant by a uuid, a locator, or the id of a dispute or penalty. */
  async function subjects(
    subject: Uint8Array,
    trackers: readonly TrackerView[],
  ): Promise<readonly Uint8Array[]> {
    if (subject.length === 20) return [subject]
    if (subject.length === limits.towerLocatorBytes) return uuidsOf(subject)
    const shown = home.shown(subject)
    const answered = trackers.filter(({ penaltyTxid }) => penaltyTxid === shown)
    return [...(await uuidsOf(locatorOf(subject))), ...answered.map(({ uuid }) => uuid)]
  }

  return {
    list,
    user,
    explain,
    users: () => gate.all().slice(0, limits.towerListMax).map(userView),
  }
}
