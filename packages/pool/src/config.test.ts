import { expect, test } from 'vitest'
import { defaultPoolConfig, sanitizePoolConfig } from './config.ts'

test("impossible values become geth's defaults and are warned about in its words", () => {
  const { config, warnings } = sanitizePoolConfig({
    priceLimit: 0n,
    priceBump: 0,
    accountSlots: 0,
    globalSlots: 0,
    accountQueue: 0,
    globalQueue: 0,
    lifetimeMs: 0,
    intakeQueue: 63,
    rejournalMs: 999,
    republishMs: 60_000,
  })

  expect(config).toEqual({
    ...defaultPoolConfig,
    ...{ intakeQueue: 64, rejournalMs: 1_000, republishMs: 150_001 },
  })
  expect(warnings).toEqual([
    'Sanitizing invalid txpool price limit provided=0 updated=1',
    'Sanitizing invalid txpool price bump provided=0 updated=10',
    'Sanitizing invalid txpool account slots provided=0 updated=16',
    'Sanitizing invalid txpool global slots provided=0 updated=5120',
    'Sanitizing invalid txpool account queue provided=0 updated=64',
    'Sanitizing invalid txpool global queue provided=0 updated=1024',
    'Sanitizing invalid txpool lifetime provided=0s updated=3h0m0s',
    'Sanitizing invalid txpool intake queue provided=63 updated=64',
    'Sanitizing invalid txpool journal time provided=999ms updated=1s',
    'Sanitizing invalid txpool republish time provided=1m0s updated=2m30.001s',
  ])
})

test('the least possible values are kept without a word', () => {
  const wish = {
    priceLimit: 1n,
    priceBump: 1,
    accountSlots: 1,
    globalSlots: 1,
    accountQueue: 1,
    globalQueue: 1,
    lifetimeMs: 1,
    delegatedSlots: 1,
    turnMax: 1,
    intakeQueue: 64,
    rejournalMs: 1_000,
    localLifetimeMs: 0,
    republishMs: 0,
  }
  expect(sanitizePoolConfig(wish)).toEqual({
    config: { ...defaultPoolConfig, ...wish },
    warnings: [],
  })
})
