import type { Address } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressAt } from '../testkit/wallets.ts'
import {
  packAccount,
  packReceipts,
  packUndo,
  unpackAccount,
  unpackReceipts,
  unpackUndo,
} from './packed.ts'

const anAddress = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }).map(value => addressAt(Number(value)))
const anAccount = fc.record({
  nonce: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  balance: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  delegation: fc.option(anAddress),
})
const aReceipt = fc.record({
  status: fc.constantFrom<0 | 1>(0, 1),
  gasUsed: fc.nat(30_000_000),
  effectiveGasPrice: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  contractAddress: fc.option(anAddress),
})

test('what was packed comes back, and a byte less or more does not', () => {
  fc.assert(
    fc.property(
      anAccount,
      fc.array(fc.tuple(anAddress, fc.option(anAccount)), { maxLength: 20 }),
      fc.array(aReceipt, { maxLength: 20 }),
      (account, entries, receipts) => {
        const undo = new Map<Address, typeof account | null>(entries)
        expect(unpackAccount(packAccount(account))).toEqual(account)
        expect(unpackUndo(packUndo(undo))).toEqual(undo)
        expect(unpackReceipts(packReceipts(receipts))).toEqual(receipts)

        expect(unpackAccount(packAccount(account).subarray(1))).not.toEqual(account)
        expect(unpackAccount(packAccount(account).slice(0, -1))).toBeUndefined()
        expect(unpackAccount(Uint8Array.from([...packAccount(account), 0]))).toBeUndefined()
        if (undo.size > 0) expect(unpackUndo(packUndo(undo).slice(0, -1))).toBeUndefined()
        if (receipts.length > 0) {
          expect(unpackReceipts(packReceipts(receipts).slice(0, -1))).toBeUndefined()
        }
      },
    ),
  )
})

test('no bytes and another version are nothing', () => {
  for (const bytes of [new Uint8Array(0), Uint8Array.of(2), Uint8Array.of(9, 9, 9)]) {
    expect(unpackAccount(bytes)).toBeUndefined()
    expect(unpackUndo(bytes)).toBeUndefined()
    expect(unpackReceipts(bytes)).toBeUndefined()
  }
})
