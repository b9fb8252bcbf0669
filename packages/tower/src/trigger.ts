import type { Breach, Write } from '@rockpool/protocol'
import type { Opened } from './blob.ts'
import { closeRow, type Floor, putRow } from './floor.ts'
import type { Sighting } from './locator-cache.ts'
import { type AppointmentRow, encodeRaws, encodeTracker, keyIn } from './rows.ts'

export interface Triggered {
  readonly writes: readonly Write[]
  /** Absent: what the row hid is of no use. */
  readonly breach?: Breach
}

/**
 * What becomes of a row whose transaction was seen: a tracker, or a record of why there is none. Its slots stay taken either way, and nobody is
 * told which it was: the answer must not say what the transaction does.
 */
export function trigger(
  floor: Floor,
  row: AppointmentRow,
  seen: Sighting,
  opened: Opened,
  before?: AppointmentRow,
): Triggered {
  const { tx, block } = seen
  if (!opened.ok) {
    const { height } = block
    const why = { reason: opened.why, height, disputeTxid: tx.txid, disputeBlock: block }
    return { writes: closeRow(floor, row, why, before) }
  }
  const { uuid } = row
  const breach: Breach = {
    uuid,
    disputeTxid: tx.txid,
    disputeBlock: block,
    penaltyTxid: opened.txid,
  }
  const tracker = encodeTracker({
    ...breach,
    ...{ state: 'seen', penaltyBlock: undefined, since: block.height, reason: '', tries: 0 },
  })
  return {
    breach,
    writes: [
      ...putRow(floor, { ...row, phase: 'tracked' }, before),
      { type: 'put', key: keyIn('tracker', uuid), value: tracker },
      { type: 'put', key: keyIn('raws', uuid), value: encodeRaws(tx.raw, opened.penalty) },
    ],
  }
}
