import type { Address } from '@rockpool/protocol'
import { emptyCodeHash, zeroHash } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anAccount, aState, contentsOf } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { addressAt } from '../testkit/wallets.ts'
import { codeHashOf } from './roots.ts'
import type { Account } from './state.ts'

const anyAddress = fc.integer({ min: 1, max: 12 }).map(addressAt)
const anyAccount = fc
  .record({
    nonce: fc.nat(3),
    balance: fc.bigInt(0n, 3n),
    delegation: fc.option(anyAddress, { nil: null }),
  })
  .map(account => (account.nonce + Number(account.balance) > 0 ? anAccount(account) : null))
const anyChanges = fc
  .array(fc.tuple(anyAddress, anyAccount))
  .map(entries => new Map<Address, Account | null>(entries))

test('a state agrees with a plain map through any commits and reverts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyChanges, fc.boolean())), steps => {
      const state = aState({})
      const model = new Map<Address, Account>()
      for (const [changes, takeBack] of steps) {
        const before = contentsOf(state)
        const undo = state.commit(changes)
        if (takeBack) {
          state.revert(undo)
          expect(contentsOf(state)).toEqual(before)
          continue
        }
        for (const [address, account] of changes) {
          if (account === null) model.delete(address)
          else model.set(address, account)
        }
        expect(new Map(state.entries())).toEqual(model)
        expect(state.size).toBe(model.size)
      }
    }),
  )
})

test('undoing blocks newest first leads back to the beginning', () => {
  fc.assert(
    fc.property(fc.array(anyChanges, { maxLength: 20 }), blocks => {
      const state = aState({ [addressAt(1)]: { balance: 5n } })
      const before = contentsOf(state)
      const undos = blocks.map(changes => state.commit(changes))
      for (const undo of undos.reverse()) state.revert(undo)

      expect(contentsOf(state)).toEqual(before)
    }),
  )
})

describe('an overlay', () => {
  test('shows what the state would show after the same changes, and leaves the state alone', () => {
    fc.assert(
      fc.property(anyChanges, fc.array(anyChanges, { maxLength: 5 }), (first, later) => {
        const state = aState({})
        state.commit(first)
        const before = contentsOf(state)
        const overlay = state.overlay()
        for (const changes of later) overlay.apply(changes)

        expect(contentsOf(state)).toEqual(before)
        for (const changes of later) state.commit(changes)
        expect(overlay.size).toBe(state.size)
        for (let value = 1; value <= 12; value++) {
          expect(overlay.get(addressAt(value))).toEqual(state.get(addressAt(value)))
          expect(overlay.view(addressAt(value))).toEqual(state.view(addressAt(value)))
        }
      }),
    )
  })

  test('with a block undone shows the state before it', () => {
    const state = aState({ [addressAt(1)]: { balance: 5n } })
    const undo = state.commit(
      new Map([
        [addressAt(1), null],
        [addressAt(2), anAccount({ nonce: 1 })],
      ]),
    )
    const overlay = state.overlay()
    overlay.apply(undo)

    expect(overlay.get(addressAt(1))).toEqual(anAccount({ balance: 5n }))
    expect(overlay.get(addressAt(2))).toBeUndefined()
    expect(overlay.size).toBe(1)
  })
})

describe('the view of an account', () => {
  test('of one that does not exist has the zero code hash', () => {
    expect(aState({}).view(addressAt(1))).toEqual({
      nonce: 0n,
      balance: 0n,
      codeHash: zeroHash,
      delegation: null,
    })
  })

  test('of a plain one has the hash of no code, of a delegated one that of its designator', () => {
    const state = aState({
      [addressAt(1)]: { nonce: 4, balance: 7n },
      [addressAt(2)]: { nonce: 1, delegation: addressAt(3) },
    })

    expect(state.view(addressAt(1))).toEqual({
      nonce: 4n,
      balance: 7n,
      codeHash: emptyCodeHash,
      delegation: null,
    })
    expect(state.view(addressAt(2))).toEqual({
      nonce: 1n,
      balance: 0n,
      codeHash: codeHashOf(addressAt(3), keccak256),
      delegation: addressAt(3),
    })
  })
})
