import type { DryReport, DryRow, DryRules, PeerId } from '@rockpool/protocol'
import type { LoggedCharge } from './charge-log.ts'
import type { GuardOptions } from './guard.ts'
import { isMark } from './history.ts'
import { charges } from './reasons.ts'
import { createReputation } from './reputation.ts'

/** How peers are judged. */
export interface MonitorPolicy {
  /** False: charges are counted and nobody is banned but by an operator. */
  readonly bans: boolean
  /** Below it a peer is banned; the score itself is kept. */
  readonly threshold: number
  /** A first ban. Later ones within thirty days are longer. */
  readonly banMs: number
  /** Peers looked at in one tick; `auto` bounds a round to thirty ticks. */
  readonly perTick: number | 'auto'
  /** Distinct ids of one IP group, banned within a day, that have the group banned; 0: none. */
  readonly ipThreshold: number
  /** Private addresses are of many machines. Loopback is in any case. */
  readonly sparesPrivate: boolean
  /** Part of the connected peers that the monitor may ban in a minute; one at least. */
  readonly budget: number
  /** Peers that no ban of the monitor takes away. */
  readonly minPeers: number
  readonly guard: GuardOptions
}

/** What other rules would have made of what was recorded: each peer judged at each charge, as if it were its turn then. Changes nothing. */
export function dryRun(log: readonly LoggedCharge[], rules: DryRules, sinceMs: number): DryReport {
  const lines = log.filter(({ atMs }) => atMs >= sinceMs)
  const byPeer = new Map<PeerId, LoggedCharge[]>()
  for (const line of lines) {
    const mine = byPeer.get(line.peer) ?? []
    byPeer.set(line.peer, mine)
    mine.push(line)
  }
  const fromMs = lines[0]?.atMs
  return {
    charges: lines.filter(({ reason }) => !isMark(reason)).length,
    ...(fromMs !== undefined && { fromMs }),
    peers: [...byPeer]
      .map(([peer, mine]) => tried(peer, mine, rules))
      .filter(({ would, was }) => would.length > 0 || was.length > 0),
  }
}

/** One peer's charges under these rules. While it would be banned it could not have been charged. */
function tried(peer: PeerId, lines: readonly LoggedCharge[], rules: DryRules): DryRow {
  const held = createReputation([], { points: rules.points })
  const would: number[] = []
  const was: number[] = []
  let outUntilMs = Number.NEGATIVE_INFINITY
  let lowest = 0
  for (const { atMs, reason, detail, evidence, gossip, suspended } of lines) {
    if (reason === 'banned' && detail !== 'operator') was.push(atMs)
    if (atMs < outUntilMs) continue
    if (reason === 'refunded') {
      const entry = held.get(peer)?.history.entries.findLast(known => known.reason === detail)
      if (entry) held.refund(peer, entry, atMs)
    }
    // A reason that this version no longer knows costs nothing.
    if (!Object.hasOwn(charges, reason)) continue
    held.charge(peer, { reason, detail, evidence, suspended: suspended === true }, atMs)
    const total = held.own(peer, atMs) + gossip
    lowest = Math.min(lowest, total)
    if (total >= rules.threshold) continue
    would.push(atMs)
    outUntilMs = atMs + rules.banMs
    held.freeze(peer, outUntilMs, reason, atMs)
  }
  return { peer, would, was, lowest }
}
