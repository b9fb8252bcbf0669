import { expect, test } from 'vitest'
import { checkSubmission } from './submission.ts'

const ether = 10n ** 18n
const transfer = { gas: 21_000n, feeCap: 10n ** 9n, chainId: 1337n }

test('a fee of exactly the cap passes and one wei more is refused', () => {
  const tx = { gas: 1n, feeCap: ether, chainId: 1n }

  expect(checkSubmission(tx, { feeCapWei: ether })).toBeUndefined()
  expect(checkSubmission({ ...tx, feeCap: ether + 1n }, { feeCapWei: ether })).toMatchObject({
    code: 'rpc/fee-over-cap',
    message: 'tx fee (1.00 ether) exceeds the configured cap (1.00 ether)',
  })
})

test('the refusal names fee and cap with two decimals', () => {
  const tx = { ...transfer, gas: 30_000_000n, feeCap: 41_000_000_000n }

  expect(checkSubmission(tx, { feeCapWei: ether })?.message).toBe(
    'tx fee (1.23 ether) exceeds the configured cap (1.00 ether)',
  )
})

test('without a cap any fee passes', () => {
  expect(checkSubmission({ ...transfer, feeCap: ether * ether }, {})).toBeUndefined()
})

test('a fee too large for a float is still named', () => {
  const tx = { ...transfer, gas: 1n, feeCap: 10n ** 45n }

  expect(checkSubmission(tx, { feeCapWei: ether })?.message).toContain(
    `(1${'0'.repeat(27)}.00 ether)`,
  )
})

test('an unprotected transaction is refused only when it is asked for, and after the fee cap', () => {
  const tx = { gas: 21_000n, feeCap: ether, chainId: undefined }

  expect(checkSubmission(tx, {})).toBeUndefined()
  expect(checkSubmission(tx, { allowUnprotected: true })).toBeUndefined()
  expect(checkSubmission(tx, { allowUnprotected: false })?.code).toBe('rpc/unprotected')
  expect(checkSubmission(tx, { allowUnprotected: false, feeCapWei: 1n })?.code).toBe(
    'rpc/fee-over-cap',
  )
})
