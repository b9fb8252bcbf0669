import { limits, type PeerId } from '@rockpool/protocol'

const windowMs = 10_000
/** From so many soft outcomes on, and more than this share of all, a window is one of a flood. */
const softMin = 16
const softShare = 0.25
/** So many windows of a flood in a row are charged. */
const rowMax = 6

interface Watched {
  startMs: number
  txs: number
  soft: number
  isFlood: boolean
  /** Windows of a flood in a row, this one included. */
  row: number
  slowedUntilMs: number
}

/**
 * Counts transactions that are nobody's fault alone and a flood in numbers: nonces that are used, accounts that cannot pay. Whoever sends many
 * of them gets half the tokens for a while, and is charged when it goes on. Times are monotonic.
 */
export function createSoftWatch(charge: (peer: PeerId, detail: string) => void) {
  const watched = new Map<PeerId, Watched>()

  /** So many transactions of a peer were judged, `soft` of them with such an outcome. */
  function note(peer: PeerId, txs: number, soft: number, nowMs: number): void {
    if (soft === 0 && !watched.has(peer)) return
    const state = windowOf(peer, nowMs)
    state.txs += txs
    state.soft += soft
    if (state.isFlood || state.soft < softMin || state.soft <= softShare * state.txs) return
    state.isFlood = true
    state.row += 1
    state.slowedUntilMs = nowMs + windowMs
    if (state.row < rowMax) return
    state.row = 0
    charge(peer, `${state.soft} of ${state.txs}`)
  }

  function windowOf(peer: PeerId, nowMs: number): Watched {
    const state = watched.get(peer) ?? fresh(nowMs)
    const passed = Math.floor((nowMs - state.startMs) / windowMs)
    if (passed > 0) {
      if (!state.isFlood || passed > 1) state.row = 0
      Object.assign(state, { txs: 0, soft: 0, isFlood: false })
      state.startMs += passed * windowMs
    }
    watched.delete(peer)
    watched.set(peer, state)
    if (watched.size > limits.ratePeersMax) {
      for (const oldest of watched.keys()) {
        watched.delete(oldest)
        break
      }
    }
    return state
  }

  return {
    note,
    isSlowed: (peer: PeerId, nowMs: number): boolean =>
      nowMs < (watched.get(peer)?.slowedUntilMs ?? Number.NEGATIVE_INFINITY),
  }
}

const fresh = (startMs: number): Watched => ({
  ...{ startMs, txs: 0, soft: 0, isFlood: false, row: 0 },
  slowedUntilMs: Number.NEGATIVE_INFINITY,
})
