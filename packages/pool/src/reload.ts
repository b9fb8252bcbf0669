import type { Context, Outcome } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type Code,
  CodedError,
  limits,
  type Store,
  type Write,
} from '@rockpool/protocol'
import type { Announcer } from './announcer.ts'
import type { Intake } from './intake.ts'
import { type JournalIdentity, type JournalRow, journalKeys, openJournal } from './journal.ts'
import type { Tracker } from './tracker.ts'

export type ReloadMessage =
  | { type: 'pool.journalRead'; outcome: Outcome<Answer<readonly JournalRow[]>, unknown> }
  | { type: 'pool.reload'; rows: readonly JournalRow[] }
  | { type: 'pool.journalKeys'; outcome: Outcome<readonly Uint8Array[], unknown> }

export interface ReloadParts {
  readonly ctx: Pick<Context<ReloadMessage>, 'pipe' | 'after' | 'log'>
  readonly store: Store
  readonly identity: JournalIdentity
  readonly intake: Intake
  readonly tracker: Tracker
  readonly announcer: Announcer
}

/**
 * The journal's way back into the pool: read, then in the order it was entered through the same intake and the same checks as a new
 * submission, in front of all of those. Senders are recovered again. What can never be mined any more is removed, with its reason.
 */
export function createReload(parts: ReloadParts) {
  const { ctx, store, identity, intake, tracker, announcer } = parts
  let isReading = true

  ctx.pipe(
    () => openJournal(store, identity),
    outcome => ({ type: 'pool.journalRead', outcome }),
    Number.POSITIVE_INFINITY,
  )

  function onRead(outcome: Outcome<Answer<readonly JournalRow[]>, unknown>): void {
    if (!outcome.ok) throw outcome.error
    const opened = outcome.value
    if (!opened.ok) throw new CodedError(opened.code, opened.message)
    isReading = false
    tracker.expect(opened.value)
    load(opened.value)
  }

  function load(rows: readonly JournalRow[]): void {
    if (rows.length === 0) return
    let open = rows.length
    const again: JournalRow[] = []
    const writes: Write[] = []
    const refused = new Map<Code, number>()
    const answered = (row: JournalRow, answer: Answer<Added>) => {
      if (!answer.ok && answer.code === 'load/internal') again.push(row)
      else {
        // What was taken under another sender than the key says has a row of its own by now.
        const code = answer.ok ? 'pool/invalid-sender' : answer.code
        writes.push(...tracker.discard(row, code))
        if (!answer.ok) refused.set(code, (refused.get(code) ?? 0) + 1)
      }
      open -= 1
      if (open > 0) return
      announcer.write(writes, () => {})
      ctx.log.info('pool/journal-loaded', {
        rows: rows.length - again.length,
        followed: tracker.size,
        refused: [...refused].map(([code, count]) => `${code} ${count}`).join(', '),
      })
      // A recovery worker died: that says nothing about the transaction.
      if (again.length > 0)
        ctx.after('reload', limits.poolJournalRetryMs, { type: 'pool.reload', rows: again })
    }
    intake.load(
      rows.map(row => ({
        origin: 'journal' as const,
        raw: row.raw,
        reply: { path: '', tell: answer => answered(row, answer), offer: () => true },
      })),
    )
  }

  function sweep(): void {
    ctx.pipe(
      () => journalKeys(store),
      outcome => ({ type: 'pool.journalKeys', outcome }),
      Number.POSITIVE_INFINITY,
    )
  }

  function onKeys(outcome: Outcome<readonly Uint8Array[], unknown>): void {
    if (!outcome.ok) {
      return ctx.log.warn('pool/journal-not-swept', { error: String(outcome.error) })
    }
    const writes = tracker.sweep(outcome.value)
    if (writes.length > 0) ctx.log.info('pool/journal-swept', { writes: writes.length })
    announcer.write(writes, () => {})
  }

  return {
    /** Submissions wait until the journal is in front of them. */
    get isReading() {
      return isReading
    },
    onRead,
    load,
    sweep,
    onKeys,
  }
}
