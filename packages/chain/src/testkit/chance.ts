/** Seeded chance for generators: the same seed tells the same story. */
export interface Chance {
  /** An integer from 0 to `end`, `end` excluded. */
  below(end: number): number
  /** True once in `times`. */
  once(times: number): boolean
  pick<T>(items: readonly T[]): T
}

/** A small generator of 32-bit state (splitmix32). */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let word = state
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    once: times => below(times) === 0,
    pick(items) {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
  }
}
