import { expect, test } from 'vitest'
import { infoScreen, lsRows, tableText, whyScreen } from './txpool-screens.ts'

const hash = `0x${'ab'.repeat(32)}`
const tx = {
  hash,
  gasPrice: '0xa',
  gas: '0x5208',
  maxFeePerGas: '0xa',
  maxPriorityFeePerGas: '0x1',
}

test('a table is columns on a terminal, tabs in a pipe, and says none when it is empty', () => {
  const rows = [
    ['a', 'long word', 'c'],
    ['aa', 'b', 'c'],
  ]

  expect(tableText(rows, true)).toBe('a   long word  c\naa  b          c')
  expect(tableText(rows, false)).toBe('a\tlong word\tc\naa\tb\tc')
  expect(tableText([], true)).toBe('none')
})

test('the list has a line a transaction, of all or of one sender', () => {
  const line = ['0x1', '5', hash, '10', '1', '21000']

  expect(lsRows({ pending: { '0x1': { 5: tx } }, queued: {} }, undefined).slice(1)).toEqual([
    ['pending', ...line],
  ])
  expect(lsRows({ pending: {}, queued: { 5: tx } }, '0x1').slice(1)).toEqual([['queued', ...line]])
  expect(lsRows({ pending: {}, queued: {} }, undefined)).toEqual([])
})

test('why is the sentence, what happened, and what would change it', () => {
  const text = whyScreen({
    ...{ subject: `tx ${hash}`, state: 'queued', reason: 'nonce-gap', why: 'Waiting for nonce 7.' },
    unblock: [{ do: 'send', nonce: '0x7' }],
    story: [
      { at: 0, event: 'received', reason: 'local', cause: 88_123 },
      { at: 4, event: 'queued', reason: 'nonce-gap' },
    ],
  })

  expect(text.split('\n')).toEqual([
    `tx ${hash}: queued`,
    'Waiting for nonce 7.',
    'what happened',
    '  1970-01-01T00:00:00.000Z  received local    (message 88123)',
    '  1970-01-01T00:00:00.004Z  queued nonce-gap',
    'what would change it',
    '  send nonce 7',
  ])
})

test('the status says how full it is, and what is still loading', () => {
  const info = {
    ...{ head: { number: 3, hash }, stats: { pending: 1, queued: 2, slots: 3 }, gasTip: '0x1' },
    ...{ drifted: true, tracked: 4, stories: { kept: 5, bound: 6 } },
    config: { globalSlots: 10, globalQueue: 20, compat: 'fixed' },
  }

  expect(infoScreen(info)).toContain('pending    1 of 10\nqueued     2 of 20')
  expect(infoScreen(info)).toContain('its state is missing')
  expect(infoScreen({ ...info, loading: { done: 1, of: 9 } })).toContain('loading    1/9')
})
