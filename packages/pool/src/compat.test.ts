import { describe, expect, test } from 'vitest'
import type { PoolConfig } from './config.ts'
import { checkInvariants } from './invariants.ts'
import type { ResetPart } from './op.ts'
import type { Compat } from './quirks.ts'
import { resetPath } from './reorg.ts'
import { addressAt, aHead, anAccount, aTx, Bench } from './testing.ts'

const modes = ['geth', 'fixed'] as const
const fiveSlots = { globalSlots: 4, globalQueue: 1 }

/** A pool of each mode, the same things done to both. What comes back stands under the name of the mode. */
function inBoth<T>(
  config: Partial<PoolConfig>,
  play: (bench: Bench, compat: Compat) => T,
): Record<Compat, T> {
  const [geth, fixed] = modes.map(compat => {
    const bench = new Bench({ config: { ...config, compat } })
    const told = play(bench, compat)
    expect(checkInvariants(bench.pool)).toEqual([])
    return told
  }) as [T, T]
  return { geth, fixed }
}

const total = ({ counts: [pending, queued] }: Bench) => pending + queued
const byPrice = (...prices: number[]) => prices.map((price, from) => aTx({ from, price }))

describe('rows where the modes part', () => {
  test('Q1: a refused replacement in a full pool costs a bystander its place in geth, nobody here', () => {
    const told = inBoth(fiveSlots, bench => {
      bench.add(...byPrice(100, 10, 20, 30, 40))
      const codes = bench.codes(aTx({ from: 0, price: 105 }))
      return [codes, total(bench), bench.pool.has(aTx({ from: 1, price: 10 }).hash)]
    })
    expect(told.geth).toEqual([['replacement-underpriced'], 4, false])
    expect(told.fixed).toEqual([['replacement-underpriced'], 5, true])
  })

  test('Q2: a transaction may be pushed out by its own replacement in geth, which gets around the price bump', () => {
    const told = inBoth(fiveSlots, bench => {
      bench.add(...byPrice(100, 500, 500, 500, 500))
      return [bench.codes(aTx({ from: 0, price: 105 })), total(bench)]
    })
    expect(told.geth).toEqual([['pending'], 5])
    expect(told.fixed).toEqual([['replacement-underpriced'], 5])
  })

  test('Q4: what a cap removes in the same run is announced by geth', () => {
    const told = inBoth({ globalSlots: 2, accountSlots: 1, globalQueue: 10 }, bench => {
      const { events } = bench.add(...[0, 1, 2, 3].map(nonce => aTx({ nonce })))
      return [events.map(({ tx }) => Number(tx.nonce)), bench.counts]
    })
    expect(told.geth).toEqual([
      [0, 1, 2, 3],
      [2, 0],
    ])
    expect(told.fixed).toEqual([
      [0, 1],
      [2, 0],
    ])
  })

  test('Q5: an addition served by the run of a reset stays queued behind its pending predecessor in geth', () => {
    const told = inBoth({}, bench => {
      bench.set(0, { nonce: 1n })
      bench.add(aTx({ nonce: 1 }), aTx({ nonce: 2 }))
      const [first, second] = [aHead({ number: 1 }), aHead({ number: 2 })]
      const accounts = new Map([[addressAt(0), anAccount({ nonce: 2n })]])
      const included = new Set([aTx({ nonce: 1 }).hash])
      const reset: ResetPart = {
        old: bench.pool.head,
        new: first,
        path: { kind: 'child', discarded: [], included },
        accounts,
      }
      const add = { txs: [aTx({ nonce: 3 })], origin: 'gossip', accounts: new Map() } as const
      bench.apply({ op: 'merge', now: 0, add, reset })
      const merged = bench.nonces(0)
      bench.apply({ op: 'reset', now: 0, ...reset, old: first, new: second })
      const later = bench.nonces(0)
      bench.apply({ op: 'add', now: 0, ...add, txs: [aTx({ nonce: 4 })] })
      return [merged, later, bench.nonces(0)]
    })
    const stuck = { pending: [2], queued: [3] }
    const whole = { pending: [2, 3], queued: [] }
    const after = { pending: [2, 3, 4], queued: [] }
    expect(told.geth).toEqual([stuck, stuck, after])
    expect(told.fixed).toEqual([whole, whole, after])
  })

  test('Q6: a reorg brings the newest block back first in geth, so of a delegated sender less returns', () => {
    const codeHash = aTx({ from: 77 }).hash
    const [block1, block2] = [aTx({ nonce: 0 }), aTx({ nonce: 1 })]
    const told = inBoth({ delegatedSlots: 2 }, (bench, compat) => {
      bench.set(0, { nonce: 2n, codeHash })
      const path = resetPath(
        {
          type: 'chain.head',
          old: aHead({ number: 2 }),
          new: aHead({ number: 2, branch: 'b' }),
          ancestor: aHead(),
          removed: [block2, block1].map(tx => ({ txs: [tx] })) as never,
          added: [],
        },
        compat,
      )
      const { discarded } = path
      bench.set(0, { nonce: 0n }).reset({ kind: 'reorg', discarded })
      return bench.nonces(0).pending
    })
    expect(told).toEqual({ geth: [0], fixed: [0, 1] })
  })

  test('Q7: what a reorg cannot bring back geth does not tell', () => {
    const told = inBoth({}, bench => {
      bench.set(0, { balance: 0n })
      return bench.reset({ kind: 'reorg', discarded: [aTx()] }).dropped.map(({ code }) => code)
    })
    expect(told).toEqual({ geth: [], fixed: ['pool/insufficient-funds'] })
  })

  test('Q8: without the new state geth takes the new base fee and removes what a fork forbids, here nothing changes', () => {
    const forks = { londonBlock: 0, shanghaiTime: 0, osakaTime: 100 }
    const told = modes.map(compat => {
      const head = aHead({ timeMs: 99_000 })
      const bench = new Bench({ forks, head, config: { compat } })
      bench.add(aTx({ from: 0 }), aTx({ from: 1, gas: 16_777_217 }))
      const next = aHead({ number: 1, timeMs: 100_000, baseFee: 800n, gasUsed: 30_000_000 })
      const path = { kind: 'missing', what: 'state' } as const
      bench.apply({ op: 'reset', now: 0, old: head, new: next, path, accounts: new Map() })
      const { priced } = bench.pool.inspect().holdings
      return [bench.counts[0], priced.baseFee, bench.pool.head.number, bench.pool.drifted]
    })
    expect(told).toEqual([
      [1, 900n, 0, true],
      [2, 7n, 0, true],
    ])
  })

  test('Q16: an account that does not exist counts as delegated in geth', () => {
    const told = inBoth({ priceLimit: 0n }, bench => {
      const codeHash = `0x${'00'.repeat(32)}` as never
      bench.state.set(addressAt(0), { nonce: 0n, balance: 0n, codeHash })
      return bench.codes(aTx({ nonce: 1, price: 0, value: 0 }))
    })
    expect(told).toEqual({ geth: ['delegated-gap'], fixed: ['queued'] })
  })

  test('Q17: in geth what left is priced until it is found stale, here it is gone at once', () => {
    const told = inBoth({}, bench => {
      bench.add(...Array.from({ length: 8 }, (_, from) => aTx({ from, price: 10 + from })))
      bench.apply({ op: 'drop', now: 0, hash: aTx({ from: 0, price: 10 }).hash })
      const { priced } = bench.pool.inspect().holdings
      const { stales } = priced.layout()
      return [priced.length, stales]
    })
    expect(told).toEqual({ geth: [8, 1], fixed: [7, 0] })
  })

  test('Q17: more than a quarter of stale ones makes geth build both heaps anew', () => {
    const { geth } = inBoth({}, bench => {
      const txs = Array.from({ length: 8 }, (_, from) => aTx({ from, price: 10 + from }))
      bench.add(...txs)
      for (const { hash } of txs.slice(0, 3)) bench.apply({ op: 'drop', now: 0, hash })
      const { urgent, floating, stales } = bench.pool.inspect().holdings.priced.layout()
      return [urgent.length, floating.length, stales]
    })
    expect(geth).toEqual([4, 1, 0])
  })

  test('Q18: size, gas cap and minimum tip do not hold in geth for what comes back', () => {
    const told = inBoth({ priceLimit: 10n }, bench => {
      bench.reset({
        kind: 'reorg',
        discarded: [
          aTx({ from: 1, size: 131_073 }),
          aTx({ from: 2, gas: 16_777_217 }),
          aTx({ from: 3, price: 9 }),
        ],
      })
      return bench.counts
    })
    expect(told).toEqual({ geth: [3, 0], fixed: [0, 0] })
  })

  test('Q20: what comes back in part leaves a hole in pending in geth, and filling it lowers the pool nonce', () => {
    const told = inBoth({}, bench => {
      bench.set(0, { nonce: 2n })
      bench.add(aTx({ nonce: 2 }))
      const discarded = [aTx({ nonce: 0 }), aTx({ nonce: 1, value: 10n ** 18n })]
      bench.set(0, { nonce: 0n }).reset({ kind: 'reorg', discarded })
      const hole = [bench.nonces(0).pending, bench.pool.nonce(addressAt(0))]
      bench.reset({})
      const kept = bench.nonces(0).pending
      bench.add(aTx({ nonce: 1 }))
      return [hole, kept, bench.nonces(0).pending, bench.pool.nonce(addressAt(0))]
    })
    expect(told.geth).toEqual([[[0, 2], 3n], [0, 2], [0, 1, 2], 2n])
    expect(told.fixed).toEqual([[[0], 1n], [0], [0, 1, 2], 3n])
  })
})

describe('rows that are the same in both modes', () => {
  const same = <T>(config: Partial<PoolConfig>, play: (bench: Bench) => T, expected: T) => {
    expect(inBoth(config, play)).toEqual({ geth: expected, fixed: expected })
  }
  const whole = () => ({ balance: aTx().cost })
  const three = [0, 1, 2].map(nonce => aTx({ nonce }))

  test('Q3: three that each cost everything pass in one batch and with the gap first; one by one the second is refused', () => {
    same({}, bench => bench.set(0, whole()).codes(...three), Array(3).fill('pending'))
    same(
      {},
      bench => bench.set(0, whole()).codes(...[...three].reverse()),
      Array(3).fill('pending'),
    )
    const oneByOne = (bench: Bench) => three.flatMap(tx => bench.set(0, whole()).codes(tx))
    same({}, oneByOne, ['pending', 'insufficient-funds', 'insufficient-funds'])
    const refused = ['pending', 'insufficient-funds', 'insufficient-funds']
    same({ strictBalance: true }, bench => bench.set(0, whole()).codes(...three), refused)
  })

  test('Q9: neither a raised tip nor age promotes anything, nor is anything announced', () => {
    const raise = (bench: Bench) => {
      bench.add(aTx({ price: 1 }), aTx({ nonce: 1, price: 5 }), aTx({ nonce: 2, price: 5 }))
      const { events } = bench.apply({ op: 'setGasTip', now: 0, tip: 2n })
      const refused = bench.codes(aTx({ price: 1 }))
      const filled = bench.add(aTx({ price: 5 })).events.map(({ tx }) => Number(tx.nonce))
      return [events.length, refused, filled]
    }
    same<unknown>({}, raise, [0, ['tip-below-minimum'], [0, 1, 2]])
  })

  test('Q10: a pass over the largest accounts is never interrupted, so it cuts one too many of each', () => {
    const config = { globalSlots: 100, globalQueue: 1_000, accountQueue: 200 }
    const cut = (bench: Bench) => {
      const sixty = (from: number) => Array.from({ length: 60 }, (_, nonce) => aTx({ from, nonce }))
      bench.add(...[0, 1, 2].flatMap(sixty))
      return [0, 1, 2].map(from => bench.nonces(from).pending.length)
    }
    same(config, cut, [33, 33, 33])
  })

  test('Q11: pending does not age, and stays pending below the base fee', () => {
    const wait = (bench: Bench) => {
      bench.add(aTx({ price: 10 }), aTx({ from: 1, nonce: 1 }))
      bench.now = 10_800_001
      bench.apply({ op: 'expire', now: bench.now })
      bench.reset({}, { baseFee: 1_000n })
      return bench.counts
    }
    same<number[]>({}, wait, [1, 0])
  })

  test('Q11: with a lifetime for pending too, what is over it leaves and its followers wait', () => {
    const wait = (bench: Bench) => {
      bench.add(aTx())
      bench.now = 500
      bench.add(aTx({ nonce: 1 }))
      const told = [1_000, 1_001].map(now => {
        const { dropped } = bench.apply({ op: 'expire', now })
        return [dropped.map(({ reason }) => reason), bench.counts]
      })
      bench.now = 1_001
      return told
    }
    same<unknown>({ pendingLifetimeMs: 1_000 }, wait, [
      [[], [2, 0]],
      [['expired-pending'], [0, 1]],
    ])
  })

  test('Q12: the cap of an account’s queue is looked at by a run, so one batch may exceed it on its way', () => {
    const batch = (bench: Bench) => {
      const codes = bench.codes(...[1, 2, 3, 4, 0].map(nonce => aTx({ nonce })))
      return [codes, bench.counts]
    }
    same<unknown>({ accountQueue: 2 }, batch, [Array(5).fill('pending'), [5, 0]])
  })

  test('Q13: a fork holds from the head on, not from the block after it', () => {
    const forks = { londonBlock: 0, shanghaiTime: 0, osakaTime: 100 }
    for (const compat of modes) {
      const head = aHead({ timeMs: 99_000 })
      const bench = new Bench({ forks, head, config: { compat } })
      bench.add(aTx({ gas: 16_777_217 }))
      bench.reset({}, { timeMs: 99_999 })
      expect(bench.counts).toEqual([1, 0])
      bench.reset({}, { timeMs: 100_000 })
      expect(bench.counts).toEqual([0, 0])
    }
  })
})
