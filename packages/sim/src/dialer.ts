import type { Rng } from '@rockpool/actor'
import type { Addr, Goodbye, PeerId } from '@rockpool/protocol'

/** As the adapter's profile for small networks. */
const DIAL_MS = 30_000
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 60_000
const STEADY_MS = 60_000
const YIELD_MS = 500
const COOL_DOWN_MS = 2_000

interface Target {
  readonly id: PeerId
  readonly addr: Addr
  failures: number
  dialling: boolean
  /** Number of the wait that counts; an older one does nothing. */
  wait: number
}

export interface DialerParts {
  readonly self: PeerId
  readonly targets: readonly { readonly id: PeerId; readonly addr: Addr }[]
  readonly rng: Rng
  after(ms: number, act: () => void): void
  dial(addr: Addr, deadlineMs: number): Promise<PeerId>
  isConnected(id: PeerId): boolean
}

/** Keeps static peers connected, for ever, as the one over libp2p does. */
export function createDialer(parts: DialerParts) {
  const { self, rng, after, dial, isConnected } = parts
  const targets = new Map<PeerId, Target>(
    parts.targets.map(({ id, addr }) => [id, { id, addr, failures: 0, dialling: false, wait: 0 }]),
  )
  let running = false

  function wait(target: Target, ms: number): void {
    const number = ++target.wait
    after(ms, () => {
      if (number === target.wait) attempt(target)
    })
  }

  function attempt(target: Target): void {
    target.wait++
    if (!running || target.dialling || isConnected(target.id)) return
    target.dialling = true
    const ended = (): void => {
      target.dialling = false
      if (running && !isConnected(target.id)) wait(target, backoff(target))
    }
    dial(target.addr, DIAL_MS).then(ended, ended)
  }

  function backoff(target: Target): number {
    const ms = BACKOFF_MIN_MS * 2 ** Math.min(target.failures++, 16)
    return Math.min(BACKOFF_MAX_MS, ms) * (0.5 + rng.f() / 2)
  }

  return {
    start(): void {
      running = true
      for (const target of targets.values())
        if (self > target.id) wait(target, YIELD_MS)
        else attempt(target)
    },
    stop(): void {
      running = false
    },
    opened(id: PeerId): void {
      const target = targets.get(id)
      if (target !== undefined) target.wait++
    },
    closed(id: PeerId, heldMs: number, bye: Goodbye | undefined): void {
      const target = targets.get(id)
      if (target === undefined || !running || target.dialling) return
      if (heldMs >= STEADY_MS) target.failures = 0
      const ms = backoff(target)
      wait(target, bye === undefined ? ms : Math.max(ms, COOL_DOWN_MS))
    },
  }
}
