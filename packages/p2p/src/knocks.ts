import { limits } from '@rockpool/protocol'
import { ipGroup } from './ip-group.ts'

/** So many refusals of one address within this time, and it is braked. */
const refusalsMax = 5
const windowMs = 10_000
/** One connection of a braked address in this time is looked at. */
const everyMs = 500

interface Refused {
  /** The last few, oldest first. */
  times: readonly number[]
  lookedMs: number
}

/**
 * Addresses from which somebody who is kept out dials again and again. Who dials is only known after a handshake, which costs more than all that
 * follows: of such an address two connections a second are let come so far, so that its honest neighbours still find a way in.
 */
export function createKnocks() {
  const refused = new Map<string, Refused>()

  return {
    /** Somebody from this address was known and refused. */
    refuse(ip: string, nowMs: number): void {
      const group = ipGroup(ip)
      const { times } = refused.get(group) ?? { times: [] }
      refused.delete(group)
      refused.set(group, { times: [...times, nowMs].slice(-refusalsMax), lookedMs: nowMs })
      if (refused.size <= limits.refusedGroupsMax) return
      for (const oldest of refused.keys()) {
        refused.delete(oldest)
        return
      }
    },
    /** May a connection from this address get as far as saying who it is? */
    admits(ip: string, nowMs: number): boolean {
      const known = refused.get(ipGroup(ip))
      const [first, ...others] = known?.times ?? []
      if (known === undefined || first === undefined || others.length + 1 < refusalsMax) return true
      const sinceMs = nowMs - known.lookedMs
      // A clock that went back forgives.
      if (nowMs - first >= windowMs || sinceMs < 0) return true
      if (sinceMs < everyMs) return false
      known.lookedMs = nowMs
      return true
    },
  }
}
