import { hashOf, type TrackerState } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import type { TrackerRow } from './rows.ts'
import { u32 } from './signing.ts'
import { sha256 } from './testkit/crypto.ts'
import { afterSend, judge, withoutBlock } from './tracker.ts'

const place = (height: number) => ({ hash: hashOf(sha256(u32(height))), height })

function aTracker(changes: Partial<TrackerRow> = {}): TrackerRow {
  return {
    ...{ uuid: new Uint8Array(20), state: 'seen', since: 100, reason: '', tries: 0 },
    ...{ disputeTxid: new Uint8Array(32), penaltyTxid: new Uint8Array(32).fill(1) },
    ...{ disputeBlock: place(100), penaltyBlock: undefined, ...changes },
  }
}

const options = { rebroadcastDispute: true }

test('tower B30 B294: a penalty is final at depth 100 and at every depth beyond, however it got there', () => {
  const confirmed = aTracker({ state: 'confirmed', penaltyBlock: place(101) })
  const needs = [101, 200, 201, 202, 5_000].map(height => judge(confirmed, height, options).need)

  expect(needs).toEqual(['nothing', 'nothing', 'resolve', 'resolve', 'resolve'])
})

test.each<[TrackerState, number, TrackerState, string]>([
  ['seen', 101, 'broadcasting', 'send'],
  ['broadcasting', 101, 'broadcasting', 'send'],
  ['mempool', 105, 'mempool', 'nothing'],
  ['mempool', 106, 'mempool', 'send'],
  ['deferred', 101, 'deferred', 'send'],
  ['losing', 199, 'losing', 'nothing'],
  ['losing', 200, 'losing', 'lost'],
  ['confirmed', 101, 'broadcasting', 'send'],
  ['dormant', 101, 'broadcasting', 'send'],
])(
  'a tracker that is %s, with its dispute in a block, at height %i is %s: %s',
  (state, height, next, need) => {
    const judged = judge(aTracker({ state }), height, options)

    expect([judged.row.state, judged.need]).toEqual([next, need])
  },
)

test.each<[boolean, number, string]>([
  [true, 199, 'send-both'],
  [true, 200, 'reopen'],
  [false, 199, 'nothing'],
  [false, 200, 'reopen'],
])(
  'dormant, with resending the dispute %s, at height %i: %s',
  (rebroadcastDispute, height, need) => {
    const dormant = aTracker({ state: 'dormant', disputeBlock: undefined })

    expect(judge(dormant, height, { rebroadcastDispute }).need).toBe(need)
  },
)

test('a removed block takes what was in it, and no other', () => {
  const row = aTracker({ penaltyBlock: place(101) })

  expect(withoutBlock(row, place(102))).toEqual(row)
  expect(withoutBlock(row, place(101)).penaltyBlock).toBeUndefined()
  expect(withoutBlock(row, place(100))).toMatchObject({ disputeBlock: undefined })
})

test('nothing is invalid while its dispute is in no block, and what is confirmed stays so whatever a broadcast says', () => {
  const invalid = { class: 'invalid', reason: 'script' } as const
  const gone = aTracker({ state: 'dormant', disputeBlock: undefined })
  const confirmed = aTracker({ state: 'confirmed', penaltyBlock: place(101) })

  expect(afterSend(gone, invalid, 110)).toMatchObject({ state: 'deferred', reason: 'script' })
  expect(afterSend(confirmed, invalid, 110)).toMatchObject({ state: 'confirmed', tries: 1 })
})
