import { limits, type PeerId } from '@rockpool/protocol'

/** Tokens that come back each second, and how many there can be. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

interface Purse<K extends string> {
  readonly left: Record<K, number>
  sinceMs: number
}

/**
 * Token buckets of peers, one for each of `rates`. What is taken is taken from all of them or from none. Of more than `limits.ratePeersMax`
 * peers the one that came longest ago is forgotten. Times are monotonic.
 */
export function createBuckets<K extends string>(rates: Readonly<Record<K, Rate>>) {
  const names = Object.keys(rates) as readonly string[] as readonly K[]
  const purses = new Map<PeerId, Purse<K>>()

  /** `share`: of rate and burst alike, for who is trusted less. */
  function take(
    peer: PeerId,
    wish: Readonly<Partial<Record<K, number>>>,
    nowMs: number,
    share = 1,
  ) {
    const { left } = refilled(peer, nowMs, share)
    const wanted = names.map(name => ({ name, count: wish[name] ?? 0 }))
    if (wanted.some(({ name, count }) => left[name] < count)) return false
    for (const { name, count } of wanted) left[name] -= count
    return true
  }

  function refilled(peer: PeerId, nowMs: number, share: number): Purse<K> {
    const purse = purses.get(peer) ?? full(nowMs)
    const seconds = Math.max(0, nowMs - purse.sinceMs) / 1_000
    purse.sinceMs = nowMs
    for (const name of names) {
      const { perSecond, burst } = rates[name]
      purse.left[name] = Math.min(burst * share, purse.left[name] + seconds * perSecond * share)
    }
    purses.delete(peer)
    purses.set(peer, purse)
    if (purses.size > limits.ratePeersMax) {
      for (const oldest of purses.keys()) {
        purses.delete(oldest)
        break
      }
    }
    return purse
  }

  function full(nowMs: number): Purse<K> {
    const left = Object.fromEntries(names.map(name => [name, rates[name].burst]))
    return { left: left as Record<K, number>, sinceMs: nowMs }
  }

  return {
    take,
    get size() {
      return purses.size
    },
  }
}
