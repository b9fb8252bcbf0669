import { webcrypto } from 'node:crypto'
import { install } from '@sinonjs/fake-timers'

/** Time and chance of this process, from now on in our hands. */
export interface OwnTime {
  /** Virtual ms since it was taken. */
  now(): number
  /** Lets so much virtual time pass, then everything that waits for a real turn of the event loop. */
  pass(ms: number): Promise<void>
}

const epochMs = 1_700_000_000_000

/**
 * Replaces chance by a generator of this seed, and timers and clocks by virtual ones. What the event loop itself does (`setImmediate`,
 * microtasks) stays real. Modules that take hold of a timer must be loaded after this.
 */
export function takeTime(seed: string): OwnTime {
  const next = generator(seed)
  Math.random = () => next() / 2 ** 32
  const fill = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let at = 0; at < bytes.length; at++) bytes[at] = next() & 0xff
    return view
  }
  for (const crypto of new Set([globalThis.crypto, webcrypto]))
    Object.defineProperty(crypto, 'getRandomValues', { value: fill, configurable: true })
  const hop = globalThis.setImmediate
  const clock = install({
    now: epochMs,
    toFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
      ...(['Date', 'performance'] as const),
    ],
  })
  // No faked timer is behind the original: a deadline of the network would come in real time.
  AbortSignal.timeout = ms => {
    const controller = new AbortController()
    const late = () => controller.abort(new DOMException('timed out', 'TimeoutError'))
    globalThis.setTimeout(late, ms)
    return controller.signal
  }
  return {
    now: () => clock.now - epochMs,
    pass(ms) {
      if (ms > 0) clock.tick(ms)
      return new Promise(resolve => hop(resolve))
    },
  }
}

/** 32 bits at a time; the same for the same seed. */
function generator(seed: string): () => number {
  let state = 0x9e3779b9
  for (let at = 0; at < seed.length; at++)
    state = Math.imul(state ^ seed.charCodeAt(at), 0x85ebca6b) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return (word ^ (word >>> 14)) >>> 0
  }
}
