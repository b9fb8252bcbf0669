import { emptyCodeHash, type Hash, type TxRecord, zeroHash } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { addressAt, anAccount, aTx, Bench } from './testing.ts'

describe.each(['fixed', 'geth'] as const)('in mode %s', compat => {
  const fresh = (wish: ConstructorParameters<typeof Bench>[0] = {}) =>
    new Bench({ ...wish, config: { compat, ...wish?.config } })

  const codeHash = `0x${'ab'.repeat(32)}` as Hash
  const rich = 10n ** 18n

  /** The first result as the test of a message and its facts wants it. */
  function answer(bench: Bench, ...txs: TxRecord[]) {
    return bench.add(...txs).results.at(-1)
  }

  describe('nonce and funds', () => {
    test('the account nonce is taken, one below it is too low', () => {
      const bench = fresh().set(0, { nonce: 5n })

      expect(answer(bench, aTx({ nonce: 4 }))).toEqual({
        ok: false,
        code: 'pool/nonce-too-low',
        message: 'nonce too low: next nonce 5, tx nonce 4',
        details: { next: 5n },
      })
      expect(bench.codes(aTx({ nonce: 5 }))).toEqual(['pending'])
    })

    test('a balance of exactly the cost is enough, a wei less is not', () => {
      const { cost } = aTx()
      const bench = fresh()
        .set(0, { balance: cost })
        .set(1, { balance: cost - 1n })

      expect(bench.codes(aTx())).toEqual(['pending'])
      expect(answer(bench, aTx({ from: 1 }))).toEqual({
        ok: false,
        code: 'pool/insufficient-funds',
        message: `insufficient funds for gas * price + value: balance ${cost - 1n}, tx cost ${cost}, overshot 1`,
        details: { balance: cost - 1n, cost, spent: 0n, overshot: 1n },
      })
    })

    test('pending transactions count against the balance of the next one', () => {
      const { cost } = aTx()
      const bench = fresh()
        .set(0, { balance: 2n * cost })
        .set(1, { balance: 2n * cost - 1n })
      bench.add(aTx(), aTx({ from: 1 }))

      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['pending'])
      expect(answer(bench, aTx({ from: 1, nonce: 1 }))).toMatchObject({
        message: `insufficient funds for gas * price + value: balance ${2n * cost - 1n}, queued cost ${cost}, tx cost ${cost}, overshot 1`,
        details: { spent: cost, overshot: 1n },
      })
    })

    test('a replacement costs only what it adds', () => {
      const old = aTx({ price: 100 })
      const next = aTx({ price: 110 })
      const bump = next.cost - old.cost
      const bench = fresh().set(0, { balance: next.cost }).set(1, { balance: next.cost })
      bench.add(old, aTx({ from: 1, price: 100 }))
      expect(bench.codes(next)).toEqual(['pending'])

      bench.set(1, { balance: old.cost * 2n + bump - 1n }).reset()
      bench.add(aTx({ from: 1, nonce: 1, price: 100 }))
      const spent = 2n * old.cost
      expect(answer(bench, aTx({ from: 1, price: 110 }))).toMatchObject({
        message: `insufficient funds for gas * price + value: balance ${spent + bump - 1n}, queued cost ${spent}, tx bumped ${bump}, overshot 1`,
      })
    })

    test('queued transactions do not count, unless the balance is strict', () => {
      const { cost } = aTx()
      const triple = [2, 1, 0].map(nonce => aTx({ nonce }))

      const plain = fresh().set(0, { balance: cost })
      expect(plain.codes(...triple)).toEqual(['pending', 'pending', 'pending'])
      const strict = fresh({ config: { strictBalance: true } }).set(0, { balance: cost })
      expect(strict.codes(...[...triple].reverse())).toEqual([
        'pending',
        'insufficient-funds',
        'insufficient-funds',
      ])
    })

    test('a total over 256 bits is refused as a replacement', () => {
      const bench = fresh().set(0, { balance: 2n ** 256n - 1n })
      const dear = { gas: 21_000, price: 2n ** 240n }
      const worth = 2n ** 256n - 1n - aTx(dear).cost

      expect(bench.codes(aTx({ ...dear, nonce: 1 }), aTx({ nonce: 2, value: worth }))).toEqual([
        'queued',
        'replacement-underpriced',
      ])
    })
  })

  describe('delegated accounts', () => {
    test('an account with code has one transaction in flight, which it may replace', () => {
      const bench = fresh().set(0, { codeHash })

      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['delegated-gap'])
      expect(bench.codes(aTx({ nonce: 0 }))).toEqual(['pending'])
      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['delegated-in-flight'])
      expect(bench.codes(aTx({ nonce: 0, price: 1_100 }))).toEqual(['pending'])
    })

    // Q16 in mode geth.
    test.runIf(compat === 'fixed')(
      'an account without code, existing or not, has no such limit',
      () => {
        const bench = fresh()
          .set(0, { codeHash: emptyCodeHash })
          .set(1, { codeHash: zeroHash, balance: rich })

        expect(bench.codes(aTx({ nonce: 1 }), aTx({ from: 1, nonce: 1 }))).toEqual([
          'queued',
          'queued',
        ])
      },
    )

    test('more slots allow as many in flight, still without gaps', () => {
      const bench = fresh({ config: { delegatedSlots: 2 } }).set(0, { codeHash })

      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['delegated-gap'])
      expect(bench.codes(aTx({ nonce: 0 }), aTx({ nonce: 1 }))).toEqual(['pending', 'pending'])
      expect(bench.codes(aTx({ nonce: 2 }))).toEqual(['delegated-in-flight'])
      expect(bench.codes(aTx({ nonce: 1, price: 1_100 }))).toEqual(['pending'])
    })

    test('a pooled authorization limits its authority, whichever came first', () => {
      const authorization = aTx({ from: 9, authorities: [addressAt(0)] })
      const first = fresh()
      first.add(authorization)
      expect(first.codes(aTx({ nonce: 1 }))).toEqual(['delegated-gap'])
      expect(first.codes(aTx({ nonce: 0 }), aTx({ nonce: 1 }))).toEqual([
        'pending',
        'delegated-gap',
      ])

      const second = fresh()
      second.add(aTx({ nonce: 0 }))
      expect(second.codes(authorization)).toEqual(['pending'])
      expect(second.codes(aTx({ nonce: 1 }))).toEqual(['delegated-in-flight'])
    })

    test('an authority with two transactions in flight cannot be delegated, one with one can', () => {
      const bench = fresh()
      bench.add(aTx({ nonce: 0 }), aTx({ nonce: 5 }), aTx({ from: 1 }))

      expect(bench.codes(aTx({ from: 9, authorities: [addressAt(0)] }))).toEqual([
        'authority-reserved',
      ])
      expect(bench.codes(aTx({ from: 9, authorities: [addressAt(1)] }))).toEqual(['pending'])
    })

    test('two authorizations of one authority may wait together, and the limit ends with the last', () => {
      const bench = fresh()
      const authorities = [addressAt(0)]
      const txs = [aTx({ from: 8, authorities }), aTx({ from: 9, authorities })]
      expect(bench.codes(...txs)).toEqual(['pending', 'pending'])
      for (const { hash } of txs) {
        expect(bench.pool.hasAuthorization(addressAt(0))).toBe(true)
        bench.apply({ op: 'drop', now: 0, hash })
      }

      expect(bench.pool.hasAuthorization(addressAt(0))).toBe(false)
      expect(bench.codes(aTx({ nonce: 3 }))).toEqual(['queued'])
    })

    test('a delegation set or cleared by a block switches the limit', () => {
      const bench = fresh()
      bench.add(aTx({ nonce: 0 }))
      bench.set(0, { codeHash }).reset()
      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['delegated-in-flight'])

      bench.set(0, { codeHash: emptyCodeHash }).reset()

      expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['pending'])
    })
  })

  describe('other pools', () => {
    test('what another pool holds is refused, as sender and as authority', () => {
      const bench = fresh({ reservedElsewhere: address => address === addressAt(0) })

      expect(bench.codes(aTx())).toEqual(['address-reserved'])
      expect(bench.codes(aTx({ from: 1, authorities: [addressAt(0)] }))).toEqual([
        'authority-reserved',
      ])
      expect(bench.pool.holds(addressAt(0))).toBe(false)
      expect(bench.codes(aTx({ from: 1 }))).toEqual(['pending'])
      expect(bench.pool.holds(addressAt(1))).toBe(true)
    })
  })

  test('a refused replacement names the fees it takes', () => {
    const bench = fresh()
    bench.add(aTx({ feeCap: 105, tip: 1 }))

    expect(answer(bench, aTx({ feeCap: 114, tip: 1 }))).toMatchObject({
      code: 'pool/replacement-underpriced',
      message: 'replacement transaction underpriced',
      details: { requiredMaxFeePerGas: 115n, requiredMaxPriorityFeePerGas: 2n },
    })
    expect(bench.codes(aTx({ feeCap: 115, tip: 2 }))).toEqual(['pending'])
  })

  test('a tip below the minimum names the minimum', () => {
    const bench = fresh({ config: { priceLimit: 5n } })

    expect(answer(bench, aTx({ tip: 4 }))).toMatchObject({
      message: 'transaction gas price below minimum: gas tip cap 4, minimum needed 5',
      details: { minTip: 5n },
    })
  })

  test('unknown accounts are asked for once each, known ones not again', () => {
    const bench = fresh()
    const txs = [aTx(), aTx({ nonce: 1 }), aTx({ from: 1 })]
    expect(bench.pool.needs({ op: 'add', txs })).toEqual([addressAt(0), addressAt(1)])

    bench.add(aTx())

    expect(bench.pool.needs({ op: 'add', txs })).toEqual([addressAt(1)])
    expect(anAccount().codeHash).toBe(emptyCodeHash)
  })
})
