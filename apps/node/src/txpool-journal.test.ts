import { expect, test } from 'vitest'
import { decodeJournal, encodeJournal } from './txpool-journal.ts'

const legacy = Uint8Array.of(0xc3, 1, 2, 3)
const typed = (length: number) => new Uint8Array(length).fill(7).with(0, 2)

test('legacy transactions stand as they are, typed ones as byte strings', () => {
  expect([...encodeJournal([legacy, typed(3)])]).toEqual([0xc3, 1, 2, 3, 0x83, 2, 7, 7])
  expect([...encodeJournal([typed(56)])].slice(0, 3)).toEqual([0xb8, 56, 2])
})

test('what was written is read', () => {
  const long = Uint8Array.of(0xf9, 1, 0, ...new Uint8Array(256))
  const raws = [legacy, typed(2), typed(55), typed(56), typed(255), typed(70_000), long]

  expect(decodeJournal(encodeJournal(raws))).toEqual({ raws })
  expect(decodeJournal(new Uint8Array(0))).toEqual({ raws: [] })
})

test.each([
  ['cut short', [0x83, 2, 7], 'rlp: unexpected end of file'],
  ['cut in its length', [0xb9, 1], 'rlp: unexpected end of file'],
  ['of one byte', [5], 'rlp: a single byte is no transaction'],
  ['with a long form for a short length', [0xb8, 3, 1, 1, 1], 'rlp: non-canonical length'],
  ['with a leading zero', [0xb9, 0, 60], 'rlp: length with leading zero'],
  ['that is empty', [0xc0], 'rlp: empty item'],
])('stops at an item %s and keeps what came before', (_, bad, why) => {
  const bytes = Uint8Array.of(...legacy, ...bad)

  expect(decodeJournal(bytes)).toEqual({ raws: [legacy], stopped: { at: 4, why } })
})

test('no bytes make it throw or read outside', () => {
  let seed = 1
  const next = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return seed >>> 16
  }
  for (let round = 0; round < 1_000; round++) {
    const bytes = Uint8Array.from({ length: next() % 300 }, () => next() % 256)
    const { raws, stopped } = decodeJournal(bytes)
    expect(encodeJournal(raws).length).toBeLessThanOrEqual(stopped?.at ?? bytes.length)
  }
})
