import { limits } from '@rockpool/protocol'
import { ipGroup } from './ip-group.ts'

/** A refusal is remembered for so long. */
const rememberedMs = 60_000
/** Meanwhile one connection of that address in this time is looked at. */
const everyMs = 500

interface Refused {
  untilMs: number
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
      const { lookedMs } = refused.get(group) ?? { lookedMs: nowMs }
      refused.delete(group)
      refused.set(group, { untilMs: nowMs + rememberedMs, lookedMs })
      if (refused.size <= limits.refusedGroupsMax) return
      for (const oldest of refused.keys()) {
        refused.delete(oldest)
        return
      }
    },
    /** May a connection from this address get as far as saying who it is? */
    admits(ip: string, nowMs: number): boolean {
      const group = ipGroup(ip)
      const known = refused.get(group)
      // A clock that went back forgives.
      if (known === undefined || nowMs >= known.untilMs || nowMs < known.lookedMs) {
        refused.delete(group)
        return true
      }
      if (nowMs - known.lookedMs < everyMs) return false
      known.lookedMs = nowMs
      return true
    },
  }
}
