/** What a tripwire guards with: only what the world of the simulation can know. */
export interface TripwireOptions {
  /** The turn we are in, as `/pool on pool.add #123`; undefined outside of turns. See `bus.where()`. */
  where(): string | undefined
  /** Virtual values for foreign code. */
  now(): number
  wall(): number
  random(): number
  /** Hears of each violation before it is thrown: inside a turn, supervision would swallow the throw alone. */
  onViolation(text: string): void
}

export interface Tripwire {
  /** `Date.now inside /pool on pool.add #123` */
  readonly violations: readonly string[]
  /** Calls foreign code made and was given a virtual value for. */
  foreignCalls(): number
  remove(): void
}

type Global = { readonly owner: object; readonly key: string; readonly name: string }
type Callable = (this: unknown, ...args: unknown[]) => unknown

// The globals are one per process, and so is what guards them.
let foreignDepth = 0

/** Runs code of others, which may ask for time and chance: under a tripwire it gets the virtual ones. */
export function foreign<T>(run: () => T): T {
  foreignDepth++
  try {
    return run()
  } finally {
    foreignDepth--
  }
}

/**
 * Replaces ambient time, chance and timers. A call inside a turn is a violation: recorded, then thrown. A call outside of
 * turns passes through.
 */
export function tripwire(options: TripwireOptions): Tripwire {
  const violations: string[] = []
  let foreignCalls = 0
  const virtual: Record<string, () => unknown> = {
    'Date.now': () => options.wall(),
    'new Date': () => options.wall(),
    'performance.now': () => options.now(),
    'Math.random': () => options.random(),
  }

  /** True: let foreign code have the virtual value. */
  function trips(name: string): boolean {
    if (foreignDepth > 0 && name in virtual) {
      foreignCalls++
      return true
    }
    const where = options.where()
    if (where === undefined) return false
    const text = `${name} inside ${where}`
    violations.push(text)
    options.onViolation(text)
    throw new Error(text)
  }

  const restore = guarded().map(({ owner, key, name }) => {
    const original = Reflect.get(owner, key) as Callable | undefined
    if (typeof original !== 'function') return () => {}
    const guard = function (this: unknown, ...args: unknown[]): unknown {
      return trips(name) ? virtual[name]?.() : original.apply(this, args)
    }
    Reflect.defineProperty(owner, key, { value: guard, configurable: true, writable: true })
    return () =>
      Reflect.defineProperty(owner, key, { value: original, configurable: true, writable: true })
  })
  const restoreDate = guardDate(() => trips('new Date'), options)

  return {
    violations,
    foreignCalls: () => foreignCalls,
    remove() {
      restoreDate()
      for (const undo of restore.reverse()) undo()
    },
  }
}

function guarded(): Global[] {
  const of = (name: string, owner: object, keys: string[]) =>
    keys.map(key => ({ owner, key, name: name === '' ? key : `${name}.${key}` }))
  return [
    ...of('Date', Date, ['now']),
    ...of('performance', performance, ['now']),
    ...of('Math', Math, ['random']),
    ...of('crypto', globalThis.crypto, ['randomUUID', 'getRandomValues']),
    ...of('crypto.subtle', globalThis.crypto.subtle, ['digest', 'sign', 'encrypt', 'decrypt']),
    ...of('', globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch']),
    ...of('process', process, ['hrtime', 'nextTick']),
    ...of('AbortSignal', AbortSignal, ['timeout']),
    ...of('console', console, ['log', 'info', 'warn', 'error', 'debug']),
  ]
}

/** `new Date()` reads the clock; `new Date(value)` does not. */
function guardDate(isVirtual: () => boolean, { wall }: TripwireOptions): () => void {
  const { Date: Original } = globalThis
  const guard = new Proxy(Original, {
    construct(target, args: unknown[], newTarget) {
      const read = args.length === 0 && isVirtual()
      return Reflect.construct(target, read ? [wall()] : args, newTarget) as object
    },
  })
  globalThis.Date = guard
  return () => {
    globalThis.Date = Original
  }
}
