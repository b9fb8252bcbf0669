import { limits } from '@rockpool/protocol'
import type { Rate } from './config.ts'

interface Bucket {
  tokens: number
  atMs: number
}

/** Token buckets by name. Full ones are as good as none; when there are too many, the one not used for longest is forgotten. */
export function createRates(rate: Rate, most: number = limits.towerBucketsMax) {
  const buckets = new Map<string, Bucket>()

  /** Takes one token; false when there is none. */
  function take(name: string, nowMs: number): boolean {
    const bucket = buckets.get(name) ?? { tokens: rate.burst, atMs: nowMs }
    buckets.delete(name)
    const refill = (Math.max(0, nowMs - bucket.atMs) / 1_000) * rate.perSecond
    bucket.tokens = Math.min(rate.burst, bucket.tokens + refill)
    bucket.atMs = nowMs
    const taken = bucket.tokens >= 1
    if (taken) bucket.tokens -= 1
    buckets.set(name, bucket)
    if (buckets.size > most) {
      const [oldest] = buckets.keys()
      if (oldest !== undefined) buckets.delete(oldest)
    }
    return taken
  }

  return { take, size: () => buckets.size }
}
