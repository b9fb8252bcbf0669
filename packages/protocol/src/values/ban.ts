import { type Answer, failed, ok } from '../errors.ts'
import { ipText, parseIp, parseIpRange } from './ip.ts'
import type { PeerId } from './peer.ts'

/** Who is kept out: a peer id, the IP group of an address, or a range of addresses. */
export interface Subject {
  readonly kind: 'peer' | 'ip' | 'subnet'
  readonly value: string
}

/** Who decided: the monitor at the peer's turn or at once for a provable offence, or an operator. */
export type BannedBy = 'monitor' | 'urgent' | 'operator'

/** Why a peer that deserves a ban was not banned. */
export type Withheld = 'budget' | 'floor' | 'minority-view' | 'self-suspect'

/** Why a ban is over. */
export type LiftCause = 'expired' | 'operator'

/** One subject's ban, in force or remembered. Times are epoch ms. */
export interface Ban {
  readonly subject: Subject
  readonly fromMs: number
  /** In force while now < until; null has no end. */
  readonly untilMs: number | null
  /** The charge that led to it, or `operator`. */
  readonly reason: string
  /** Ids of messages or requests, at most four. */
  readonly evidence: readonly string[]
  /** Bans of this subject by the monitor within the 30 days before. */
  readonly count: number
  readonly by: BannedBy
  readonly note?: string
  readonly ended?: { readonly atMs: number; readonly cause: LiftCause }
  /** Ends of the monitor's bans before this one, as far as they count. */
  readonly earlier: readonly number[]
}

const peerIdForm =
  /^(?:12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|16Uiu2HA[1-9A-HJ-NP-Za-km-z]{45}|Qm[1-9A-HJ-NP-Za-km-z]{44})$/

/** Whether `text` looks like a peer id in its text form. */
export function isPeerId(text: string): text is PeerId {
  return peerIdForm.test(text)
}

/** A peer id, an IP or a range as an operator writes it; `p2p/bad-subject` for anything else and for a range of everything. */
export function parseSubject(text: string): Answer<Subject> {
  if (isPeerId(text)) return ok({ kind: 'peer', value: text })
  const ip = parseIp(text)
  if (ip !== undefined) return ok({ kind: 'ip', value: ipText(ip) })
  const range = parseIpRange(text)
  if (range === undefined || range.length === 0) {
    return failed('p2p/bad-subject', `p2p/bad-subject: ${text}`)
  }
  return ok({ kind: 'subnet', value: `${ipText(range.ip)}/${range.length}` })
}
