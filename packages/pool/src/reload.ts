import type { Context, Outcome } from '@rockpool/actor'
import {
  type Added,
  type Address,
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
import type { Keeper } from './keeper.ts'
import type { Stories } from './stories.ts'
import { readStories, type StoryRow } from './story-rows.ts'
import type { Tracker } from './tracker.ts'

/** What lies on disk. */
interface Read {
  readonly opened: Answer<readonly JournalRow[]>
  readonly told: readonly StoryRow[]
}

export type ReloadMessage =
  | { type: 'pool.journalRead'; outcome: Outcome<Read, unknown> }
  | { type: 'pool.reload'; rows: readonly JournalRow[] }
  | { type: 'pool.journalKeys'; outcome: Outcome<readonly Uint8Array[], unknown> }

export interface ReloadParts {
  readonly ctx: Pick<Context<ReloadMessage>, 'pipe' | 'after' | 'log'>
  readonly store: Store
  readonly identity: JournalIdentity
  readonly intake: Intake
  readonly tracker: Tracker
  readonly stories: Pick<Stories, 'restore'>
  /** Absent: rows of others' transactions are left to the sweep. */
  readonly keeper?: Keeper
  /** Most rows that are read. */
  readonly rowsMax: number
  readonly restoreBeats: (beats: ReadonlyMap<Address, number>) => void
  readonly announcer: Announcer
  readonly now: () => number
}

/**
 * The journal's way back into the pool: read, then in the order it was entered through the same intake and the same checks as a new
 * submission, in front of all of those. Senders are recovered again. What can never be mined any more is removed, with its reason.
 */
export function createReload(parts: ReloadParts) {
  const { ctx, store, identity, intake, tracker, keeper, announcer } = parts
  const beganMs = parts.now()
  let isReading = true
  let progress: { done: number; of: number } | undefined

  ctx.pipe(
    async () => {
      const opened = await openJournal(store, identity, parts.rowsMax)
      return { opened, told: opened.ok ? await readStories(store) : [] }
    },
    outcome => ({ type: 'pool.journalRead', outcome }),
    Number.POSITIVE_INFINITY,
  )

  function onRead(outcome: Outcome<Read, unknown>): void {
    if (!outcome.ok) throw outcome.error
    const { opened, told } = outcome.value
    if (!opened.ok) throw new CodedError(opened.code, opened.message)
    isReading = false
    parts.stories.restore(told)
    const own = opened.value.filter(({ isRemote }) => isRemote !== true)
    tracker.expect(own)
    if (keeper === undefined) return load(own)
    keeper.expect(opened.value)
    load([...own, ...opened.value.filter(({ isRemote }) => isRemote === true)])
  }

  function load(rows: readonly JournalRow[]): void {
    if (rows.length === 0) return
    let open = rows.length
    progress = { done: 0, of: rows.length }
    const again: JournalRow[] = []
    const writes: Write[] = []
    const refused = new Map<Code, number>()
    const answered = (row: JournalRow, answer: Answer<Added>) => {
      if (!answer.ok && isForNow(answer.code, row)) again.push(row)
      else if (row.isRemote === true) {
        if (!answer.ok && answer.code !== 'pool/known') {
          writes.push(...(keeper?.discard(row) ?? []))
          refused.set(answer.code, (refused.get(answer.code) ?? 0) + 1)
        }
      } else {
        // What was taken under another sender than the key says has a row of its own by now.
        const code = answer.ok ? 'pool/invalid-sender' : answer.code
        writes.push(...tracker.discard(row, code))
        if (!answer.ok) refused.set(code, (refused.get(code) ?? 0) + 1)
      }
      open -= 1
      progress = { done: rows.length - open, of: rows.length }
      if (open > 0) return
      if (again.length === 0) finish()
      announcer.write(writes, () => {})
      ctx.log.info('pool/journal-loaded', {
        rows: rows.length - again.length,
        ms: parts.now() - beganMs,
        followed: tracker.size,
        refused: [...refused].map(([code, count]) => `${code} ${count}`).join(', '),
      })
      // A recovery worker died: that says nothing about the transaction.
      if (again.length > 0)
        ctx.after('reload', limits.poolJournalRetryMs, { type: 'pool.reload', rows: again })
    }
    intake.load(
      rows.map(row => ({
        origin: row.isRemote === true ? ('sync' as const) : ('journal' as const),
        raw: row.raw,
        reply: { path: '', tell: answer => answered(row, answer), offer: () => true },
      })),
    )
  }

  function finish(): void {
    progress = undefined
    if (keeper !== undefined) parts.restoreBeats(keeper.loaded())
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
    const { ours, writes: missing } = keeper?.sweep(outcome.value) ?? { ours: [], writes: [] }
    const writes = [...missing, ...tracker.sweep(outcome.value, ours)]
    if (writes.length > 0) ctx.log.info('pool/journal-swept', { writes: writes.length })
    announcer.write(writes, () => {})
  }

  return {
    /** Submissions wait until the journal is in front of them. */
    get isReading() {
      return isReading
    },
    /** Rows decided about, of how many; undefined when all are. */
    get progress() {
      return progress
    },
    onRead,
    load,
    sweep,
    onKeys,
  }
}

/** Says nothing about the transaction: a recovery worker died, or for one that nobody follows there was no state. */
function isForNow(code: Code, { isRemote }: JournalRow): boolean {
  return code === 'load/internal' || (isRemote === true && code === 'pool/state-missing')
}
