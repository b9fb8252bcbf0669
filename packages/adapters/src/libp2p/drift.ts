import type { PeerId } from '@rockpool/protocol'

/** How long a connected peer may be unknown to the router before it is introduced again. */
export const DRIFT_MS = 2_000
const WINDOW_MS = 600_000
const REPAIRS_MAX = 2

interface Drifting {
  missingSinceMs: number | undefined
  repairs: number[]
}

export type DriftAction = { readonly id: PeerId; readonly act: 'repair' | 'close' }

/**
 * Finds peers that are connected and speak gossip while the router has forgotten them: after a stream reset, an oversize frame, or when one
 * of two connections closed, it hears no event that would bring them back. Pure; the caller says what is the case and acts.
 * Two repairs within ten minutes, then the connection is closed.
 */
export function createDriftWatch() {
  const drifting = new Map<PeerId, Drifting>()

  /** `known`: the router has the peer and a stream to it. Peers that are not listed are forgotten. */
  function check(
    nowMs: number,
    peers: readonly { readonly id: PeerId; readonly known: boolean }[],
  ): readonly DriftAction[] {
    const actions: DriftAction[] = []
    const listed = new Set<PeerId>()
    for (const { id, known } of peers) {
      listed.add(id)
      const state = drifting.get(id)
      if (known) {
        if (state !== undefined) settle(id, state, nowMs)
        continue
      }
      const missing = state ?? { missingSinceMs: undefined, repairs: [] }
      drifting.set(id, missing)
      missing.missingSinceMs ??= nowMs
      if (nowMs - missing.missingSinceMs < DRIFT_MS) continue
      missing.missingSinceMs = undefined
      missing.repairs = [...recent(missing, nowMs), nowMs]
      actions.push({ id, act: missing.repairs.length > REPAIRS_MAX ? 'close' : 'repair' })
    }
    for (const id of drifting.keys()) if (!listed.has(id)) drifting.delete(id)
    return actions
  }

  function settle(id: PeerId, state: Drifting, nowMs: number): void {
    state.missingSinceMs = undefined
    state.repairs = recent(state, nowMs)
    if (state.repairs.length === 0) drifting.delete(id)
  }

  const recent = ({ repairs }: Drifting, nowMs: number): number[] =>
    repairs.filter(at => nowMs - at < WINDOW_MS)

  return { check }
}
