import { expect, test } from 'vitest'
import { fuzz, newTally } from './testkit/fuzz.ts'

const reasons = [
  'mined nonce-used unpayable gas-over-block gas-cap replaced evicted-price truncated-pending',
  'truncated-queue account-queue-cap expired tip-below-minimum reorg-lost reorg-too-deep',
  'removed-by-operator journal-failed cleared',
]

test('a million random operations break no invariant, fill the pool, and reach every way out of it', () => {
  const tally = newTally()
  for (let seed = 100; seed < 110; seed++) fuzz(seed, 100_000, 'fixed', tally)
  for (let seed = 110; seed < 112; seed++) fuzz(seed, 100_000, 'geth', tally)
  const { operations, offered, accepted, full, reasons: seen, codes } = tally
  process.stdout.write(
    `${operations} operations, ${offered} offered, ${Math.round((accepted / offered) * 100)} % accepted, ` +
      `full after ${Math.round((full / operations) * 100)} %, ${JSON.stringify([...seen])} ${JSON.stringify([...codes])}\n`,
  )

  expect(operations).toBeGreaterThanOrEqual(1_000_000)
  expect(accepted / offered).toBeGreaterThanOrEqual(0.4)
  expect(full / operations).toBeGreaterThanOrEqual(0.2)
  for (const reason of reasons.join(' ').split(' ')) {
    expect(`${reason} ${(seen.get(reason) ?? 0) >= 100}`).toBe(`${reason} true`)
  }
}, 3_600_000)
