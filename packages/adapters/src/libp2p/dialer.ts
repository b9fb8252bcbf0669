import { type Addr, CodedError, type Goodbye, type PeerId } from '@rockpool/protocol'
import type { Target } from './addresses.ts'
import type { NetworkClock } from './clock.ts'
import type { NetworkLog } from './options.ts'

interface Parts {
  readonly targets: readonly Target[]
  readonly self: PeerId
  readonly clock: NetworkClock
  readonly log: NetworkLog
  /** See the profile: wait of the higher of two ids, wait before the second dial, longest wait after a goodbye. */
  readonly yieldMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  readonly coolDownMaxMs: number
  random(): number
  dial(addr: Addr, deadlineMs: number): Promise<PeerId>
  isConnected(id: PeerId): boolean
  /** False while there are enough peers: static ones are dialled all the same, bootnodes are not. */
  needsPeers(): boolean
}

const DIAL_MS = 30_000
const STEADY_MS = 60_000
const WARN_EVERY_MS = 3_600_000

/** Shortest and longest wait between two dials of a peer. Milliseconds. */
export interface Backoff {
  readonly minMs: number
  readonly maxMs: number
}

/** Wait before dial number `failures` + 2 of one peer: the least doubled with each failure up to the longest, times 0.5 to 1. */
export function backoffMs({ minMs, maxMs }: Backoff, failures: number, random: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(failures, 16)) * (0.5 + random / 2)
}

/** Keeps static peers and bootnodes connected, for ever and all at once. libp2p's own keep-alive gives up after five dials. */
export function createDialer(parts: Parts) {
  const { targets, self, clock, log, random, dial, isConnected, needsPeers } = parts
  const { yieldMs, coolDownMaxMs } = parts
  const backoff = { minMs: parts.backoffMinMs, maxMs: parts.backoffMaxMs }
  const loops = new Map(targets.map(target => [target.id, createLoop(target)]))
  let running = false

  function createLoop({ id, addr, kind }: Target) {
    const text = addr.toString()
    let failures = 0
    let dialling = false
    let over = false
    let timer: unknown
    let warnedMs = Number.NEGATIVE_INFINITY

    function wait(ms: number): void {
      clear()
      timer = clock.at(clock.now() + ms, attempt)
    }

    function clear(): void {
      if (timer !== undefined) clock.clear(timer)
      timer = undefined
    }

    function attempt(): void {
      clear()
      if (!running || over || dialling || isConnected(id)) return
      if (kind === 'bootnode' && !needsPeers()) return wait(backoffMs(backoff, 16, random()))
      dialling = true
      dial(text, DIAL_MS).then(
        () => ended(),
        error => {
          const cause = error instanceof CodedError ? error.code : 'p2p/dial-failed'
          failed(cause)
          ended()
        },
      )
    }

    function ended(): void {
      dialling = false
      if (running && !over && !isConnected(id)) wait(backoffMs(backoff, failures++, random()))
    }

    function failed(cause: string): void {
      const now = clock.now()
      if (!running || now - warnedMs < WARN_EVERY_MS) return
      warnedMs = now
      log.warn('p2p/static-unreachable', { peer: id, kind, cause })
    }

    function closed(heldMs: number, bye: Goodbye | undefined): void {
      if (!running || over || dialling) return
      if (heldMs >= STEADY_MS) failures = 0
      const waitMs = backoffMs(backoff, failures++, random())
      wait(bye === undefined ? waitMs : Math.max(waitMs, coolDownMaxMs))
    }

    // Two nodes that list each other would make two connections; the higher id lets the other go first.
    const begin = (): void => (self > id && yieldMs > 0 ? wait(yieldMs) : attempt())

    function again(): void {
      if (isConnected(id)) return
      failures = 0
      attempt()
    }

    function end(): void {
      over = true
      clear()
    }

    return { begin, clear, closed, again, end }
  }

  return {
    start(): void {
      running = true
      for (const loop of loops.values()) loop.begin()
    },
    stop(): void {
      running = false
      for (const loop of loops.values()) loop.clear()
    },
    /** Forgets past failures and dials whoever is missing: what stood in the way has gone. */
    again(): void {
      for (const loop of loops.values()) loop.again()
    },
    /** From now on this one too; what was kept under its id before is not any more. */
    keep(target: Target): void {
      loops.get(target.id)?.end()
      const loop = createLoop(target)
      loops.set(target.id, loop)
      if (running) loop.begin()
    },
    unkeep(id: PeerId): void {
      loops.get(id)?.end()
      loops.delete(id)
    },
    opened: (id: PeerId): void => loops.get(id)?.clear(),
    closed: (id: PeerId, heldMs: number, bye: Goodbye | undefined): void =>
      loops.get(id)?.closed(heldMs, bye),
  }
}
