import type { Goodbye } from '@rockpool/protocol'

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** A connection that ended sooner and without a word was refused. */
const refusedWithinMs = 2_000

/**
 * How long a peer is left alone after it has closed, in milliseconds. What it asks for is believed within bounds: a peer that lies cannot
 * keep itself from being dialled for ever. `refusals`: how often in a row it had refused us before.
 */
export function coolDownMs(
  { goodbye, heldMs }: { readonly goodbye?: Goodbye; readonly heldMs: number },
  refusals: number,
): number {
  if (goodbye === undefined) return heldMs < refusedWithinMs ? refusalMs(refusals) : 0
  const askedMs = goodbye.retryAfterSeconds * secondMs
  switch (goodbye.code) {
    case 1:
      return minuteMs
    case 2:
      return hourMs
    case 250:
      return askedMs === 0 ? 10 * minuteMs : Math.min(askedMs, hourMs)
    case 251:
      return Math.min(Math.max(askedMs, 10 * minuteMs), 24 * hourMs)
    default:
      return 5 * minuteMs
  }
}

/** A minute, doubled with each refusal up to an hour. */
export function refusalMs(refusals: number): number {
  return Math.min(hourMs, minuteMs * 2 ** Math.min(refusals, 6))
}
