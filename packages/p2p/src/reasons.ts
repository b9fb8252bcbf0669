import { assert } from '@rockpool/actor'
import type { Code } from '@rockpool/protocol'

/** What of a charge may be limited. Provable: the bytes an authenticated peer sent are wrong for everyone. */
export type ChargeClass = 'provable' | 'behaviour' | 'liveness'

export interface ChargeRow {
  readonly class: ChargeClass
  /** Added to the debit. */
  readonly points: number
}

const fatal = -200
const severe = -40
const moderate = -10
const minor = -2

const provable = (points: number): ChargeRow => ({ class: 'provable', points })
const behaviour = (points: number): ChargeRow => ({ class: 'behaviour', points })
const liveness: ChargeRow = { class: 'liveness', points: minor }

/** What a peer can be charged with, and what it costs. A reason that is not here does not exist. */
export const charges = {
  'wire/malformed-rpc': provable(severe),
  'wire/oversize-frame': provable(severe),
  'wire/invalid-envelope': provable(severe),
  'gossip/bad-frame': provable(severe),
  'gossip/invalid-tx': provable(severe),
  'gossip/invalid-block': provable(severe),
  'sync/bad-reply': provable(severe),
  'sync/unrequested': provable(moderate),
  'identify/bad-key': provable(fatal),
  'rate/wire': behaviour(moderate),
  'rate/request': behaviour(moderate),
  'wire/stream-churn': behaviour(moderate),
  'gossip/graft-flood': behaviour(minor),
  'gossip/broken-promise': behaviour(minor),
  'gossip/soft-flood': behaviour(minor),
  'liveness/sync-timeout': liveness,
  'liveness/request-timeout': liveness,
} as const satisfies Partial<Record<Code, ChargeRow>>

export type ChargeReason = keyof typeof charges

/** Points of what a peer is credited with, each time. */
const credits = {
  /** A transaction it brought first, executable and taken. */
  'credit/first-delivery': 0.05,
  /** That transaction was mined. */
  'credit/mined': 0.2,
  /** An exchange of pool sync that brought something. */
  'credit/sync': 0.5,
} as const

export type CreditReason = keyof typeof credits

export function chargeOf(reason: string): ChargeRow {
  assert(Object.hasOwn(charges, reason), `no charge is called ${reason}`)
  return charges[reason as ChargeReason]
}

export function creditOf(reason: string): number {
  assert(Object.hasOwn(credits, reason), `no credit is called ${reason}`)
  return credits[reason as CreditReason]
}

/** At least severe and provable: good conduct does not pay for it. */
export function voidsCredit({ class: of, points }: ChargeRow): boolean {
  return of === 'provable' && points <= severe
}
