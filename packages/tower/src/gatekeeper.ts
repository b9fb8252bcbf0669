import {
  type Answer,
  type Code,
  type Failure,
  failed,
  limits,
  ok,
  type Write,
} from '@rockpool/protocol'
import type { TowerConfig } from './config.ts'
import { createRates } from './rate.ts'
import { encodeUser, keyIn, type UserRow } from './rows.ts'
import { plainHex, u32 } from './signing.ts'

const u32Max = 0xffff_ffff
const dayMs = 86_400_000
/** Tor users all come from this machine. */
const loopbackFactor = 50

type Settings = Pick<
  TowerConfig,
  | 'registration'
  | 'allowed'
  | 'maxUsers'
  | 'maxAppointments'
  | 'subscriptionSlots'
  | 'subscriptionDuration'
  | 'maxSubscriptionBlocks'
  | 'expiryDelta'
  | 'registerPerAddress'
  | 'addsPerUser'
  | 'readsPerUser'
>

export interface GatekeeperParts {
  readonly config: Settings
  readonly isPublicKey: (bytes: Uint8Array) => boolean
  readonly sha256: (bytes: Uint8Array) => Uint8Array
}

export interface Grant {
  readonly row: UserRow
  readonly writes: readonly Write[]
}

/** Slots that come back to a user. */
export interface Returning {
  readonly user: Uint8Array
  readonly until: number
  readonly slots: number
}

export type Gatekeeper = ReturnType<typeof createGatekeeper>

/**
 * Who may hold how much, and until when. Pure: it says what to write. Of every user: free + held by rows + returning = all slots granted. A
 * renewal raises slots and end both, or it is refused: clients never accept a receipt that does not extend what they have.
 */
export function createGatekeeper(parts: GatekeeperParts) {
  const { config, isPublicKey, sha256 } = parts
  const users = new Map<string, UserRow>()
  const newcomers = new Map<string, number[]>()
  const returns = new Map<string, Map<number, number>>()
  const adds = createRates(config.addsPerUser)
  const reads = createRates(config.readsPerUser)
  const allowed = new Set(config.allowed)
  let free = 0

  function set(row: UserRow): void {
    const id = plainHex(row.user)
    free += row.free - (users.get(id)?.free ?? 0)
    users.set(id, row)
  }

  const put = (row: UserRow): Write => ({
    type: 'put',
    key: keyIn('user', row.user),
    value: encodeUser(row),
  })

  /** A user as the disk has him. */
  function load(row: UserRow): void {
    set(row)
    const address = plainHex(row.address)
    newcomers.set(address, [...(newcomers.get(address) ?? []), row.createdMs])
  }

  function loadReturning({ user, until, slots }: Returning): void {
    const id = plainHex(user)
    const due = returns.get(id) ?? new Map<number, number>()
    due.set(until, slots)
    returns.set(id, due)
  }

  /** A subscription, or more of one. The order of the checks is the order of what a client is told. */
  function register(wish: {
    readonly user: Uint8Array
    readonly address: string
    readonly nowMs: number
    readonly height: number
    readonly rows: number
  }): Answer<Grant> {
    const { user, address, nowMs, height, rows } = wish
    if (!isPublicKey(user)) return failed('tower/bad-key')
    const id = plainHex(user)
    const known = users.get(id)
    const refusal = known ? refuseRenewal(known, height, rows) : refuseNew(id, address, nowMs, rows)
    if (refusal !== undefined) return failed(refusal)
    const row = known ? renewed(known, height) : newRow(user, address, nowMs, height)
    if (known === undefined) {
      const name = addressName(address)
      newcomers.set(name, [...recentOf(name, nowMs), nowMs])
    }
    set(row)
    return ok({ row, writes: [put(row)] })
  }

  function refuseNew(id: string, address: string, nowMs: number, rows: number): Code | undefined {
    const { registration, maxAppointments, maxUsers, registerPerAddress } = config
    if (registration === 'closed') return 'tower/registration-closed'
    if (registration === 'allowlist' && !allowed.has(id)) return 'tower/registration-closed'
    if (rows * 5 >= maxAppointments * 4 || users.size >= maxUsers) return 'tower/registration-full'
    const most = registerPerAddress * (address === 'loopback' ? loopbackFactor : 1)
    return recentOf(addressName(address), nowMs).length >= most ? 'tower/address-limit' : undefined
  }

  function refuseRenewal(row: UserRow, height: number, rows: number): Code | undefined {
    const { registration, maxAppointments, subscriptionSlots, subscriptionDuration } = config
    if (registration === 'allowlist' && !allowed.has(plainHex(row.user)))
      return 'tower/registration-closed'
    if (rows >= maxAppointments) return 'tower/registration-full'
    if (renewalsOf(row, height).length >= limits.towerRenewalsMax) return 'tower/renewals'
    if (row.total + subscriptionSlots > u32Max) return 'tower/slots-max'
    if (row.expiry + subscriptionDuration > height + config.maxSubscriptionBlocks)
      return 'tower/expiry-max'
    return undefined
  }

  function newRow(user: Uint8Array, address: string, nowMs: number, height: number): UserRow {
    const slots = config.subscriptionSlots
    return {
      ...{ user, total: slots, free: slots, held: 0, start: height, renewals: [] },
      expiry: height + config.subscriptionDuration,
      address: addressBytes(address),
      createdMs: nowMs,
    }
  }

  function renewed(row: UserRow, height: number): UserRow {
    return {
      ...row,
      total: row.total + config.subscriptionSlots,
      free: row.free + config.subscriptionSlots,
      expiry: row.expiry + config.subscriptionDuration,
      renewals: [...renewalsOf(row, height), height],
    }
  }

  const renewalsOf = (row: UserRow, height: number) =>
    row.renewals.filter(at => height - at < limits.towerRenewalBlocks)

  const addressBytes = (address: string) => sha256(new TextEncoder().encode(address)).slice(0, 8)
  const addressName = (address: string) => plainHex(addressBytes(address))

  function recentOf(name: string, nowMs: number): number[] {
    return (newcomers.get(name) ?? []).filter(at => nowMs - at < dayMs)
  }

  /** Who signed, if he may ask now. `unknown`: what somebody is told who is nobody here. */
  function admit(
    key: Uint8Array | undefined,
    asks: {
      readonly unknown: Code
      readonly height: number
      readonly nowMs: number
      readonly kind: 'add' | 'read'
    },
  ): Answer<UserRow> {
    const id = key && plainHex(key)
    const user = id === undefined ? undefined : users.get(id)
    if (id === undefined || user === undefined) return failed(asks.unknown)
    if (asks.height >= user.expiry) return expiredAt(user.expiry)
    const rates = asks.kind === 'add' ? adds : reads
    if (!rates.take(id, asks.nowMs)) return failed('tower/rate')
    return ok(user)
  }

  /** Slots that are free for a row of `used` slots to become one of `wanted`; `isNew` counts against the rows of one user. */
  function canHold(
    user: Uint8Array,
    change: { readonly used: number; readonly wanted: number; readonly isNew: boolean },
    most: number,
  ): boolean {
    const found = users.get(plainHex(user))
    if (found === undefined) return false
    if (change.isNew && found.held >= most) return false
    return found.free + change.used >= change.wanted
  }

  /** Takes slots, or with a negative number gives them back; `rows` is how many rows more there are. */
  function charge(user: Uint8Array, slots: number, rows: number): Write[] {
    const found = users.get(plainHex(user))
    if (found === undefined) return []
    const row = { ...found, free: found.free - slots, held: found.held + rows }
    set(row)
    return [put(row)]
  }

  /** The row is gone; its slots come back at `until`. */
  function giveBackLater({ user, until, slots }: Returning): Write[] {
    const id = plainHex(user)
    const found = users.get(id)
    if (found === undefined) return []
    const row = { ...found, held: found.held - 1 }
    set(row)
    const due = returns.get(id) ?? new Map<number, number>()
    const sum = (due.get(until) ?? 0) + slots
    due.set(until, sum)
    returns.set(id, due)
    return [put(row), { type: 'put', key: keyIn('returning', user, u32(until)), value: u32(sum) }]
  }

  /** Slots whose time has come. */
  function takeReturns(height: number): Write[] {
    const writes: Write[] = []
    for (const [id, due] of returns) {
      const user = users.get(id)
      for (const [until, slots] of due) {
        if (height < until) continue
        due.delete(until)
        if (user === undefined) continue
        writes.push({ type: 'del', key: keyIn('returning', user.user, u32(until)) })
        writes.push(...charge(user.user, -slots, 0))
      }
      if (due.size === 0) returns.delete(id)
    }
    return writes
  }

  /** Users whose subscription ended so long ago that what they left is deleted. */
  function outdated(height: number): UserRow[] {
    const found: UserRow[] = []
    for (const row of users.values()) if (height >= row.expiry + config.expiryDelta) found.push(row)
    return found
  }

  /** The user goes, with the slots that were to come back. */
  function remove(user: Uint8Array): Write[] {
    const id = plainHex(user)
    free -= users.get(id)?.free ?? 0
    users.delete(id)
    const due = [...(returns.get(id)?.keys() ?? [])]
    returns.delete(id)
    return [
      { type: 'del', key: keyIn('user', user) },
      ...due.map((until): Write => ({ type: 'del', key: keyIn('returning', user, u32(until)) })),
    ]
  }

  return {
    ...{ load, loadReturning, register, admit, canHold, charge },
    ...{ giveBackLater, takeReturns, outdated, remove },
    get: (user: Uint8Array): UserRow | undefined => users.get(plainHex(user)),
    returning: (user: Uint8Array): number =>
      [...(returns.get(plainHex(user))?.values() ?? [])].reduce((sum, slots) => sum + slots, 0),
    all: (): readonly UserRow[] => [...users.values()],
    get size() {
      return users.size
    },
    /** Slots of all users that hold nothing. */
    get free() {
      return free
    },
  }
}

/** The end is named, so that a client can show it. */
function expiredAt(expiry: number): Failure {
  return failed('tower/expired', `Your subscription expired at ${expiry}`)
}
