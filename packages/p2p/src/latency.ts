import { limits, type PeerId } from '@rockpool/protocol'

/** How long it takes from the charge that was enough for a ban to the end of the connection. Times are on the monotonic clock. */
export function createLatency() {
  const since = new Map<PeerId, number>()
  let sumMs = 0
  let count = 0

  return {
    condemned(peer: PeerId, nowMs: number): void {
      if (!since.has(peer) && since.size < limits.reputationPeersMax) since.set(peer, nowMs)
    },
    closed(peer: PeerId, nowMs: number, isBanned: boolean): void {
      const fromMs = since.get(peer)
      since.delete(peer)
      if (fromMs === undefined || !isBanned) return
      sumMs += nowMs - fromMs
      count += 1
    },
    get total() {
      return { sumMs, count }
    },
  }
}
