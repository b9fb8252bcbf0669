/** The two names of a test runner that a suite needs; vitest's fit. */
export interface TestKit {
  readonly test: (name: string, run: () => Promise<void>) => void
  readonly expect: (value: unknown) => {
    toBe(expected: unknown): void
    toEqual(expected: unknown): void
  }
}

/** The code a promise rejects with, or undefined when it resolves. */
export async function rejectionCode(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : 'no code'
  }
}

/** Small repeatable generator for suites; not for anything else. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
