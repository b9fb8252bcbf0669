import type { ActorRef } from '@rockpool/actor'
import { type Hash, limits, type MonitorCredit, type PeerId } from '@rockpool/protocol'
import type { CreditReason } from './reasons.ts'
import { createSeen } from './seen.ts'

/** Tells the monitor who brought transactions that the pool took and, later, that were mined. */
export function createCredits(monitor: Pick<ActorRef<MonitorCredit>, 'tell'>) {
  const first = createSeen<PeerId>(limits.creditedTxsMax)

  function tell(peer: PeerId, reason: CreditReason, times: number): void {
    monitor.tell({ type: 'monitor.credit', peer, reason, times })
  }

  function delivered(peer: PeerId, hashes: readonly Hash[]): void {
    for (const hash of hashes) first.set(hash, peer)
    if (hashes.length > 0) tell(peer, 'credit/first-delivery', hashes.length)
  }

  function mined(hashes: Iterable<Hash>): void {
    const times = new Map<PeerId, number>()
    for (const hash of hashes) {
      const peer = first.get(hash)
      if (peer === undefined) continue
      first.forget(hash)
      times.set(peer, (times.get(peer) ?? 0) + 1)
    }
    for (const [peer, count] of times) tell(peer, 'credit/mined', count)
  }

  return { delivered, mined }
}
