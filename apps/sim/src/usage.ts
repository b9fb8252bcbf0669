/** A wrong command line or file: its sentence, exit code 2. */
export class UsageError extends Error {}

/** A whole number from a command line. */
export function wholeNumber(text: string, name: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`${name} takes a whole number, not "${text}"`)
  }
  return value
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a time like `250ms`, `12.3s`, `10m` or `24h`; without a unit seconds. */
export function timeMs(text: string, name: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const factor = unitMs[unit]
  if (amount === undefined || factor === undefined) {
    throw new UsageError(`${name} takes a time like 12.3s or 10m, not "${text}"`)
  }
  return Number(amount) * factor
}
