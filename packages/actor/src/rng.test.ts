import { describe, expect, test } from 'vitest'
import { Forks, mix, Rng } from './rng.ts'

const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0')
const words = (rng: Rng) => [1, 2, 3, 4].map(() => hex(rng.u32())).join(' ')

describe('vectors', () => {
  test.each([
    [new Rng('1'), '4000a4d7 82b392cf 56e31387 d6963991'],
    [new Rng('1').fork('net'), '5716f30c c8e5676d eff6ca01 420ea72e'],
    [new Rng('rockpool'), '8ac4af0a 6350c946 27f04be4 f16dd186'],
    [new Rng('rockpool').fork('net'), 'c970488f 8d186ad8 d36fa4f7 d8b4e101'],
  ])('the first words of generator %#', (rng, expected) => {
    expect(words(rng)).toBe(expected)
  })

  test('the draws of seed 1', () => {
    const rng = new Rng('1')

    expect([rng.f(), rng.f()]).toEqual([0.25000982522033155, 0.5105525737162679])
    expect(new Rng('1').exp(100)).toBe(28.769517283136594)
    expect(new Rng('1').shuffle([0, 1, 2, 3, 4, 5, 6, 7]).join('')).toBe('16054732')
    expect(new Rng('rockpool').shuffle([0, 1, 2, 3, 4, 5, 6, 7]).join('')).toBe('65317024')
  })

  test('the trace hash', () => {
    const hashes: string[] = []
    let hash = 0
    for (const n of [1, 2, 3, 1000500]) {
      hash = mix(hash, n)
      hashes.push(hex(hash))
    }

    expect(hashes).toEqual(['9f377b4c', '908e9583', 'aeacd239', '96bcb030'])
  })
})

test('draws stay in their bounds', () => {
  const rng = new Rng('bounds')

  for (let i = 0; i < 1000; i++) {
    expect(rng.int(7)).toBeLessThan(7)
    const drawn = rng.range(3, 5)
    expect(drawn >= 3 && drawn <= 5).toBe(true)
  }
  expect(rng.chance(0)).toBe(false)
  expect(rng.chance(1)).toBe(true)
  expect(rng.pick([])).toBeUndefined()
  expect(rng.bytes(7)).toHaveLength(7)
})

test('a probability of zero draws nothing', () => {
  const [a, b] = [new Rng('x'), new Rng('x')]

  a.chance(0)

  expect(a.u32()).toBe(b.u32())
})

test('the second actor at a path draws differently from the first, and repeatably', () => {
  const draws = () => {
    const forks = new Forks(new Rng('1'))
    return [forks.fork('/a').u32(), forks.fork('/a').u32(), forks.fork('/b').u32()]
  }

  expect(draws()).toEqual(draws())
  expect(draws()[0]).toBe(new Rng('1').fork('/a').u32())
  expect(draws()[1]).toBe(new Rng('1').fork('/a#2').u32())
})
