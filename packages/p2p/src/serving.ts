import { limits, type PeerId, type PoolSyncRequest } from '@rockpool/protocol'
import { createIngress } from './ingress.ts'
import { createLately } from './lately.ts'

interface Bucket {
  left: number
  sinceMs: number
}

/** Not now. `charged`: more than a peer that keeps to the rules ever asks. */
export interface Busy {
  readonly retryAfterSeconds: number
  readonly charged: boolean
}

/**
 * How much of this node others may use to make their pools equal: requests and bytes of one peer, and requests of all, who are served one
 * IP group after the other. Times are monotonic.
 */
export function createServing<T>() {
  const { poolSyncWindowMs: windowMs, poolSyncPeersMax: peersMax } = limits
  const asked = {
    hello: createLately(windowMs, peersMax),
    get: createLately(windowMs, peersMax),
  }
  const most = { hello: limits.poolSyncHellosServed, get: limits.poolSyncGetsServed }
  const served = createLately(1_000, 1)
  const bytes = new Map<PeerId, Bucket>()
  const queue = createIngress<T>({
    total: limits.poolSyncWaitingMax,
    perPeer: limits.poolSyncWaitingPerGroup,
  })

  /** Puts a request in line, or tells when to come back. */
  function enter(
    request: { readonly kind: PoolSyncRequest['kind']; readonly peer: PeerId; readonly item: T },
    group: string,
    nowMs: number,
  ): Busy | undefined {
    const { kind, peer, item } = request
    const waitMs = asked[kind].waitMs(peer, most[kind], nowMs)
    if (waitMs > 0) return { retryAfterSeconds: Math.ceil(waitMs / 1_000), charged: true }
    // A burst of large transactions passes this without a fault of the asker: nothing is charged.
    const { left } = bucketOf(peer, nowMs)
    if (left <= 0) return { retryAfterSeconds: secondsFor(-left), charged: false }
    if (!queue.offer(group, item)) return { retryAfterSeconds: 1, charged: false }
    asked[kind].add(peer, nowMs)
    return undefined
  }

  /** The next in line, while this second has room. */
  function next(nowMs: number): T | undefined {
    if (queue.size === 0) return undefined
    return served.take('all', limits.poolSyncServedPerSecond, nowMs) ? queue.take() : undefined
  }

  /** How long until the next one may be taken; undefined while nobody waits. */
  function waitMs(nowMs: number): number | undefined {
    if (queue.size === 0) return undefined
    return served.waitMs('all', limits.poolSyncServedPerSecond, nowMs)
  }

  /** So much was sent. */
  function sent(peer: PeerId, count: number, nowMs: number): void {
    bucketOf(peer, nowMs).left -= count
  }

  function bucketOf(peer: PeerId, nowMs: number): Bucket {
    const bucket = bytes.get(peer) ?? { left: limits.poolSyncBytesBurst, sinceMs: nowMs }
    const earned = ((nowMs - bucket.sinceMs) * limits.poolSyncBytesPerSecond) / 1_000
    bucket.left = Math.min(limits.poolSyncBytesBurst, bucket.left + earned)
    bucket.sinceMs = nowMs
    bytes.delete(peer)
    bytes.set(peer, bucket)
    if (bytes.size > peersMax) {
      for (const oldest of bytes.keys()) {
        bytes.delete(oldest)
        break
      }
    }
    return bucket
  }

  return { enter, next, waitMs, sent }
}

const secondsFor = (bytes: number): number =>
  Math.max(1, Math.ceil(bytes / limits.poolSyncBytesPerSecond))
