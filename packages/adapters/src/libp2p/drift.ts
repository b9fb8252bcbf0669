import type { Goodbye, PeerId } from '@rockpool/protocol'

/** How long a connected peer may be unknown to the router before it is introduced again. */
export const DRIFT_MS = 2_000
const WINDOW_MS = 600_000
const REPAIRS_MAX = 2
/** How long a peer below the graylist threshold stays connected. */
export const GRAYLISTED_MS = 60_000

interface Watched {
  missingSinceMs: number | undefined
  graylistedSinceMs: number | undefined
  repairs: readonly number[]
  /** Told to close: the connection takes a moment to end. */
  closing: boolean
}

/** What the router makes of a connected peer that speaks gossip. */
export interface Sighting {
  readonly id: PeerId
  /** The router has the peer and a stream to it. */
  readonly known: boolean
  /** Our stream to it was aborted because more waited in it than we keep. */
  readonly overflowed?: boolean
  /** Its score is so low that the router drops all it sends. */
  readonly graylisted?: boolean
}

export type DriftAction =
  | { readonly id: PeerId; readonly act: 'repair' }
  | { readonly id: PeerId; readonly act: 'close'; readonly bye: Goodbye }

const bye = (code: number, text: string, retryAfterSeconds = 0): Goodbye => ({
  code,
  retryAfterSeconds,
  text,
})

/**
 * Finds peers that are connected while the router and they cannot hear each other. Pure; the caller says what is the case and acts.
 *
 * - The router has forgotten the peer, after a stream reset, an oversize frame, or when one of two connections closed: it hears no event that
 *   would bring it back, so it is introduced again. Two repairs within ten minutes, then the connection is closed.
 * - Our stream overflowed: what it held is lost and the peer keeps a seat in the mesh that carries nothing. Closed at once.
 * - The peer is graylisted: the router drops all it sends but never closes. Closed after a minute. One that has left the graylist is closed
 *   too, to come back at once: subscriptions it sent meanwhile were dropped and are never sent again.
 */
export function createDriftWatch() {
  const watched = new Map<PeerId, Watched>()

  /** Peers that are not listed are forgotten. */
  function check(nowMs: number, peers: readonly Sighting[]): readonly DriftAction[] {
    const actions: DriftAction[] = []
    const listed = new Set<PeerId>()
    for (const sighting of peers) {
      listed.add(sighting.id)
      const state = watched.get(sighting.id) ?? fresh()
      const action = state.closing ? undefined : look(sighting, state, nowMs)
      if (action) actions.push(action)
      state.closing ||= action?.act === 'close'
      if (isWorthKeeping(state)) watched.set(sighting.id, state)
      else watched.delete(sighting.id)
    }
    for (const id of watched.keys()) if (!listed.has(id)) watched.delete(id)
    return actions
  }

  function look(sighting: Sighting, state: Watched, nowMs: number): DriftAction | undefined {
    const { id, known, overflowed = false, graylisted = false } = sighting
    if (overflowed) return { id, act: 'close', bye: bye(3, 'wire/overflow') }
    // The score of a peer the router has forgotten says nothing: it has neither entered nor left the graylist.
    if (!known) return repair(id, state, nowMs)
    if (graylisted) {
      state.graylistedSinceMs ??= nowMs
      if (nowMs - state.graylistedSinceMs >= GRAYLISTED_MS) {
        return { id, act: 'close', bye: bye(250, 'score/graylisted') }
      }
    } else if (state.graylistedSinceMs !== undefined) {
      return { id, act: 'close', bye: bye(250, 'score/deaf', 1) }
    }
    return settle(state, nowMs)
  }

  function repair(id: PeerId, state: Watched, nowMs: number): DriftAction | undefined {
    state.missingSinceMs ??= nowMs
    if (nowMs - state.missingSinceMs < DRIFT_MS) return undefined
    state.missingSinceMs = undefined
    state.repairs = [...recent(state, nowMs), nowMs]
    if (state.repairs.length <= REPAIRS_MAX) return { id, act: 'repair' }
    return { id, act: 'close', bye: bye(3, 'wire/router-drift') }
  }

  function settle(state: Watched, nowMs: number): undefined {
    state.missingSinceMs = undefined
    state.repairs = recent(state, nowMs)
  }

  const recent = ({ repairs }: Watched, nowMs: number): readonly number[] =>
    repairs.filter(at => nowMs - at < WINDOW_MS)

  return { check }
}

const fresh = (): Watched => ({
  missingSinceMs: undefined,
  graylistedSinceMs: undefined,
  repairs: [],
  closing: false,
})

function isWorthKeeping({ missingSinceMs, graylistedSinceMs, repairs, closing }: Watched): boolean {
  const isOff = missingSinceMs !== undefined || graylistedSinceMs !== undefined
  return isOff || closing || repairs.length > 0
}
