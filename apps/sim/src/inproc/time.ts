import { webcrypto } from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { VirtualTimers } from './timers.ts'

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
  const timers = new VirtualTimers()
  takeTimers(timers)
  takeClocks(timers)
  // No virtual timer is behind the original: a deadline of the network would come in real time.
  AbortSignal.timeout = ms => {
    const controller = new AbortController()
    timers.set(() => controller.abort(late), ms, false, [])
    return controller.signal
  }
  return {
    now: () => timers.nowMs,
    pass(ms) {
      if (ms > 0) timers.pass(ms)
      return new Promise(resolve => hop(resolve))
    },
  }
}

/** One for all: thousands come due, most of them for requests that were answered long ago, and each would take a stack. */
const late = new DOMException('timed out', 'TimeoutError')

/** In the global scope and in the modules that have them too. */
function takeTimers(timers: VirtualTimers): void {
  type Act = (...args: never[]) => void
  const clear = (timer: unknown) => timers.clear(timer)
  const virtual = {
    setTimeout: (fn: Act, ms?: unknown, ...args: unknown[]) => timers.set(fn, ms ?? 0, false, args),
    setInterval: (fn: Act, ms?: unknown, ...args: unknown[]) => timers.set(fn, ms ?? 0, true, args),
    clearTimeout: clear,
    clearInterval: clear,
  }
  const after = (ms?: number, value?: unknown) =>
    new Promise(resolve => timers.set(() => resolve(value), ms ?? 0, false, []))
  const require = createRequire(import.meta.url)
  for (const [name, value] of Object.entries(virtual)) {
    for (const holder of [globalThis, require('node:timers')])
      Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  }
  Object.defineProperty(require('node:timers/promises'), 'setTimeout', { value: after })
  syncBuiltinESMExports()
}

/** Whoever asks for a moment of the past or the future still has the real `Date`. */
function takeClocks(timers: VirtualTimers): void {
  const Real = globalThis.Date
  Real.now = () => epochMs + timers.nowMs
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: [], self) =>
      Reflect.construct(target, args.length === 0 ? [target.now()] : args, self),
    apply: target => new target(target.now()).toString(),
  })
  Object.defineProperty(performance, 'now', { value: () => timers.nowMs, configurable: true })
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
