import { limits } from '@rockpool/protocol'
import type { NetworkClock } from './clock.ts'

/** What is done to the bytes of one direction of one connection. */
export interface LinkShape {
  readonly latencyMs?: number | undefined
  readonly jitterMs?: number | undefined
  readonly bytesPerSecond?: number | undefined
  readonly stall?: boolean | undefined
}

interface Parts {
  readonly clock: NetworkClock
  /** Between 0 and 1. */
  readonly random: () => number
  /** Writes to the socket; false when that wants to be left alone until `socketDrained`. */
  readonly write: (bytes: Uint8Array) => boolean
  /** There is room again after `push` has answered false. */
  readonly roomAgain: () => void
}

export type FaultLink = ReturnType<typeof createFaultLink>

/**
 * The queue in which bytes wait before a socket. They leave in the order they came, none is ever dropped (TCP has no silent loss inside a
 * stream), each at the latest of its latency, the one before it and the bandwidth.
 */
export function createFaultLink({ clock, random, write, roomAgain }: Parts) {
  const waiting: { bytes: Uint8Array; dueMs: number }[] = []
  const bucket = createBucket(clock)
  let shape: LinkShape = {}
  let waitingBytes = 0
  let lastDueMs = 0
  let timer: unknown
  let socketFull = false
  let heldBack = false
  let whenEmpty: (() => void)[] = []

  /** True when bytes may go straight to the socket. */
  function isOpen(): boolean {
    return waiting.length === 0 && isWhole(shape)
  }

  /** Takes bytes; false when the writer should wait for `roomAgain`. */
  function push(bytes: Uint8Array): boolean {
    const { latencyMs = 0, jitterMs = 0 } = shape
    const delayMs = Math.max(0, latencyMs + (2 * random() - 1) * jitterMs)
    lastDueMs = Math.max(clock.now() + delayMs, lastDueMs)
    waiting.push({ bytes, dueMs: lastDueMs })
    waitingBytes += bytes.length
    if (timer === undefined) release()
    heldBack ||= waitingBytes > limits.linkWaitingBytes
    return !heldBack
  }

  function release(): void {
    if (timer !== undefined) clock.clear(timer)
    timer = undefined
    for (let next = waiting[0]; next !== undefined && !socketFull; next = waiting[0]) {
      if (shape.stall === true) break
      const waitMs = Math.max(next.dueMs - clock.now(), bucket.waitMs(shape.bytesPerSecond))
      if (waitMs > 0) {
        timer = clock.at(clock.now() + waitMs, release)
        break
      }
      waiting.shift()
      waitingBytes -= next.bytes.length
      bucket.take(next.bytes.length)
      socketFull = !write(next.bytes)
    }
    if (heldBack && waitingBytes <= limits.linkWaitingBytes && !socketFull) {
      heldBack = false
      roomAgain()
    }
    if (waiting.length === 0) emptied()
  }

  function emptied(): void {
    const told = whenEmpty
    whenEmpty = []
    for (const tell of told) tell()
  }

  return {
    isOpen,
    push,
    /** Counts from now on. What waits keeps its latency, and is freed from a stall or a bandwidth that has ended. */
    reshape(next: LinkShape): void {
      shape = next
      release()
    },
    socketDrained(): void {
      socketFull = false
      release()
    },
    /** Resolves when nothing waits any more, sent or destroyed. */
    untilEmpty(): Promise<void> {
      if (waiting.length === 0) return Promise.resolve()
      return new Promise(resolve => whenEmpty.push(resolve))
    },
    /** The connection is gone and what waited with it. */
    destroy(): void {
      if (timer !== undefined) clock.clear(timer)
      timer = undefined
      waiting.length = 0
      waitingBytes = 0
      emptied()
    },
  }
}

function isWhole({ latencyMs = 0, jitterMs = 0, bytesPerSecond, stall }: LinkShape): boolean {
  return latencyMs === 0 && jitterMs === 0 && bytesPerSecond === undefined && stall !== true
}

/** What may leave at once at a given rate. */
const burstMs = 50

/** A token bucket that may go into debt by one chunk, so that a chunk larger than the bucket passes whole and is paid for afterwards. */
function createBucket(clock: NetworkClock) {
  let rate: number | undefined
  let tokens = 0
  let filledMs = 0

  return {
    /** Time until the next chunk may leave. */
    waitMs(bytesPerSecond: number | undefined): number {
      const now = clock.now()
      if (bytesPerSecond === undefined) rate = undefined
      else {
        const fullBytes = Math.max(1, (bytesPerSecond * burstMs) / 1_000)
        if (rate !== bytesPerSecond) tokens = fullBytes
        else tokens = Math.min(fullBytes, tokens + ((now - filledMs) * rate) / 1_000)
        rate = bytesPerSecond
        filledMs = now
        if (tokens <= 0) return ((1 - tokens) * 1_000) / bytesPerSecond
      }
      return 0
    },
    take(bytes: number): void {
      if (rate !== undefined) tokens -= bytes
    },
  }
}
