/** A broken promise inside our own code. Supervision decides what becomes of the actor that found it. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Stops here unless `fact` holds. One fact per call; on in production too. */
export function assert(fact: unknown, promise: string): asserts fact {
  if (!fact) throw new AssertionError(promise)
}

/** Ends a switch over a union: a new member that nobody handles does not compile. */
export function unreachable(value: never): never {
  const type = (value as { type?: unknown } | undefined)?.type
  throw new AssertionError(`nobody handles ${String(type ?? value)}`)
}
