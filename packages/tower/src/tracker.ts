import { limits, type TrackerState } from '@rockpool/protocol'
import type { Place } from './home.ts'
import type { TrackerRow } from './rows.ts'

/** What became of a broadcast. `satisfied`: the chain has it or will; `losing`: another transaction is where it would have to be. */
export type Sent =
  | { readonly class: 'satisfied'; readonly isConfirmed?: boolean }
  | { readonly class: 'deferred'; readonly reason: string }
  | { readonly class: 'losing'; readonly reason: string }
  | { readonly class: 'invalid'; readonly reason: string }

/** What a tracker needs done. */
type Need =
  | 'send'
  /** The dispute first: a reorg has taken it away, and with it what the penalty spends. */
  | 'send-both'
  | 'resolve'
  | 'reopen'
  | 'lost'
  | 'nothing'

export interface Judged {
  readonly row: TrackerRow
  readonly need: Need
}

export interface JudgeOptions {
  readonly rebroadcastDispute: boolean
}

/**
 * A tracker after a whole batch of blocks: what its state is now and what must be done. It is judged by where dispute and penalty are, never
 * by where they have been meanwhile: a reorg that brings both back changes nothing.
 */
export function judge(row: TrackerRow, height: number, options: JudgeOptions): Judged {
  const { penaltyBlock, disputeBlock, state, since } = row
  if (penaltyBlock !== undefined) {
    if (height - penaltyBlock.height >= limits.towerResolvedDepth) return { row, need: 'resolve' }
    return { row: to(row, 'confirmed', height), need: 'nothing' }
  }
  if (disputeBlock === undefined) return judgeWithoutDispute(row, height, options)
  switch (state) {
    case 'mempool':
      if (height - since < limits.towerRetryBlocks) return { row, need: 'nothing' }
      return { row: { ...row, since: height }, need: 'send' }
    case 'losing':
      if (height - since >= limits.towerResolvedDepth) return { row, need: 'lost' }
      // What stands in its place may be gone with the block it was in.
      return { row, need: (height - since) % limits.towerRetryBlocks === 0 ? 'send' : 'nothing' }
    case 'deferred':
      return { row, need: 'send' }
    case 'seen':
    case 'broadcasting':
    case 'confirmed':
    case 'dormant':
      return { row: to(row, 'broadcasting', height), need: 'send' }
  }
}

function judgeWithoutDispute(row: TrackerRow, height: number, options: JudgeOptions): Judged {
  if (row.state === 'dormant' && height - row.since >= limits.towerResolvedDepth)
    return { row, need: 'reopen' }
  if (options.rebroadcastDispute) return { row: to(row, 'dormant', height), need: 'send-both' }
  return { row: to(row, 'dormant', height), need: 'nothing' }
}

/** The row after a broadcast of its penalty. */
export function afterSend(row: TrackerRow, sent: Sent, height: number): TrackerRow {
  const tries = row.tries + 1
  if (row.penaltyBlock !== undefined) return { ...row, tries }
  switch (sent.class) {
    case 'satisfied':
      // Confirmed, and in no block that is remembered: not before its dispute, and gone only with it.
      if (sent.isConfirmed && row.disputeBlock !== undefined)
        return { ...to(row, 'confirmed', height), penaltyBlock: row.disputeBlock, tries }
      return { ...to(row, 'mempool', height), tries }
    case 'deferred':
      return { ...to(row, 'deferred', height), tries, reason: sent.reason }
    case 'losing':
      if (row.disputeBlock === undefined)
        return { ...to(row, 'deferred', height), tries, reason: sent.reason }
      return { ...to(row, 'losing', height), tries, reason: sent.reason }
    case 'invalid':
      // Without its dispute nothing can be said of a penalty.
      return row.disputeBlock === undefined
        ? { ...to(row, 'deferred', height), tries, reason: sent.reason }
        : { ...row, tries, reason: sent.reason }
  }
}

/** A state keeps its first height. */
function to(row: TrackerRow, state: TrackerState, height: number): TrackerRow {
  if (row.state === state) return row
  return { ...row, state, since: height, reason: '' }
}

/** What a removed block takes with it. */
export function withoutBlock(row: TrackerRow, { hash }: Place): TrackerRow {
  return {
    ...row,
    disputeBlock: row.disputeBlock?.hash === hash ? undefined : row.disputeBlock,
    penaltyBlock: row.penaltyBlock?.hash === hash ? undefined : row.penaltyBlock,
  }
}

export function isSame(left: TrackerRow, right: TrackerRow): boolean {
  return (
    left.state === right.state &&
    left.since === right.since &&
    left.tries === right.tries &&
    left.reason === right.reason &&
    left.disputeBlock?.hash === right.disputeBlock?.hash &&
    left.penaltyBlock?.hash === right.penaltyBlock?.hash
  )
}
