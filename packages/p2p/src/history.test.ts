import { limits } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { History, type HistoryEntry, isHistory } from './history.ts'
import { charges } from './reasons.ts'

const entries = fc.array(
  fc.record<HistoryEntry>(
    {
      atMs: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
      reason: fc.constantFrom('banned', 'refunded', ...Object.keys(charges)),
      delta: fc.double({ min: -200, max: 200, noNaN: true }),
      total: fc.double({ min: -200, max: 20, noNaN: true }),
      detail: fc.string({ maxLength: 40 }),
      evidence: fc.string({ maxLength: 40 }),
      suspended: fc.constant(true as const),
    },
    { requiredKeys: ['atMs', 'reason', 'delta', 'total', 'detail', 'evidence'] },
  ),
  { maxLength: 80 },
)

test('a history is read as it was packed, and keeps its last entries', () => {
  fc.assert(
    fc.property(entries, all => {
      const history = new History()
      for (const entry of all) history.add(entry)
      const bytes = history.packed()
      expect(isHistory(bytes)).toBe(true)
      const again = new History(new Uint8Array(bytes))

      expect(again.entries).toEqual(all.slice(-limits.reputationHistoryMax))
      expect(again.charges).toEqual(history.charges)
      expect(Buffer.compare(again.packed(), bytes)).toBe(0)
    }),
  )
})

test('bytes that no history packs into are refused: cut, longer, or naming texts that are not there', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (all, cut) => {
      const history = new History()
      for (const entry of all) history.add(entry)
      const bytes = new Uint8Array(history.packed())

      expect(isHistory(bytes.subarray(0, cut % bytes.length))).toBe(false)
      expect(isHistory(Uint8Array.of(...bytes, 0))).toBe(false)
    }),
  )
  expect(isHistory(new Uint8Array())).toBe(false)
  expect(isHistory(Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 0))).toBe(false)
})

test('charges are counted also when their entry is gone', () => {
  const history = new History()
  const line = { delta: -2, total: -2, detail: '', evidence: '' }
  for (let atMs = 0; atMs < 100; atMs++) history.add({ ...line, atMs, reason: 'rate/wire' })
  history.add({ ...line, atMs: 100, reason: 'banned' })

  expect(history.charges).toEqual(new Map([['rate/wire', 100]]))
  expect(history.hasLately('rate/wire', 30, 129)).toBe(false)
  expect(history.hasLately('rate/wire', 30, 128)).toBe(true)
})
