import type { EventRow, SimOptions, Violation } from './api.ts'
import { isRecord, type Parsed, parseOptions } from './options.ts'
import { type Plan, parsePlan } from './plan.ts'

/** A broken invariant as it is kept: enough to see it again after any change of how seeds are drawn. */
export interface Failure {
  readonly violation: Violation
  readonly options: SimOptions
  /** Absent: the plan that the options stand for. */
  readonly plan?: Plan
  /** The mistake that was put into the nodes. Absent: the fault was theirs. */
  readonly planted?: string
  /** Of the run; another one means that the history has changed since. */
  readonly hash: string
  readonly events: number
  readonly commit: string
  /** Version of Node. */
  readonly node: string
  /** How the message in whose turn it was seen came about, newest first. */
  readonly chain?: readonly string[]
}

/** What is run again: a stored failure, or options by themselves. */
export type Stored = Pick<Failure, 'options'> & Partial<Omit<Failure, 'options'>>

/** Name of the file of a failure, without its ending. */
export function failureName(failure: Pick<Failure, 'violation' | 'options' | 'planted'>): string {
  const seed = failure.options.seed.replaceAll(/[^\w-]/g, '-')
  return `${failure.planted ?? failure.violation.id}-${seed}`
}

/** The failure, or the bare options, in the text of a file. Refusals are words to follow the name of the file. */
export function parseStored(text: string): Parsed<Stored> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, why: 'not an options file (no JSON)' }
  }
  const wrapped = isRecord(value) && 'options' in value ? value : undefined
  const options = parseOptions(wrapped?.options ?? value)
  if (!options.ok) return { ok: false, why: `not an options file (${options.why})` }
  if (wrapped === undefined) return { ok: true, value: { options: options.value } }
  const { plan, violation } = wrapped
  if (plan !== undefined) {
    const parsed = parsePlan(plan)
    if (!parsed.ok) return { ok: false, why: `not a failure file (${parsed.why})` }
  }
  if (!isRecord(violation) || typeof violation.id !== 'string') {
    return { ok: false, why: 'not a failure file (missing "violation.id")' }
  }
  return { ok: true, value: wrapped as unknown as Failure }
}

/** One line a plan event, so that a reader can take one out. */
export function failureText(failure: Failure): string {
  const { plan, ...rest } = failure
  const text = JSON.stringify(rest, null, 2)
  if (plan === undefined) return `${text}\n`
  if (plan.length === 0) return `${text.slice(0, -2)},\n  "plan": []\n}\n`
  const rows = plan.map(event => `    ${JSON.stringify(event)}`).join(',\n')
  return `${text.slice(0, -2)},\n  "plan": [\n${rows}\n  ]\n}\n`
}

const columns = ['ms', 'node', 'actor', 'message', 'cause', 'type'] as const

/** The events of a run as a table with columns of equal width, one line an event. */
export function logText(rows: readonly EventRow[]): string {
  const cells = rows.map(({ atMs, node, actor, type, id, cause }) => [
    ...[atMs.toFixed(3), node, actor, String(id), String(cause), type],
  ])
  const widths = columns.map((title, column) =>
    cells.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), title.length),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[line(columns), ...cells.map(line)].join('\n')}\n`
}

/** A test that fails as long as the failure is there, named after what must hold. */
export function testText(failure: Failure): string {
  const { violation, options, plan, planted } = failure
  const title = `${claimOf(violation.id)} (seed ${options.seed})`
  const history = { options, ...(plan && { plan }), ...(planted !== undefined && { planted }) }
  return `import { expect, test } from 'vitest'
import { violationText } from '../report.ts'
import { runHistory } from '../run-history.ts'

test(${JSON.stringify(title)}, async () => {
  const { violation } = await runHistory(${JSON.stringify(history, null, 2)})

  expect(violation === undefined ? 'clean' : violationText(violation)).toBe('clean')
}, 120_000)
`
}

/** What each invariant says, as the name of a test. */
const claims: Readonly<Record<string, string>> = {
  'message-lost': 'every message sent is handled, dead, merged or queued',
  'actor-crash': 'no actor crashes',
  'mailbox-bound': 'no mailbox holds more than its capacity',
  'nonce-order': 'the pending nonces of an account follow each other',
  'nonce-gap': 'pending begins at the nonce of the state and has no gap',
  'account-limit': 'no account holds more than its slots',
  'pool-limit': 'the pool holds no more than its slots',
  'bad-replacement': 'a nonce is replaced only by fees that rise enough',
  'tx-lost-in-reorg':
    'a transaction of a branch that left is pooled, mined or dropped with a reason',
  'local-evicted': 'an own transaction that could be included is not lost',
  'reorg-roundtrip': 'the pool after a reorg and back is the pool before',
  'journal-roundtrip': 'what the journal gives back is what was there before the crash',
  'evil-not-banned': 'three invalid messages within 90 s end in a ban',
  'honest-banned': 'no honest peer is banned',
  'static-banned': 'no static peer is banned',
  'ban-broken': 'a ban holds to its end, also across a restart',
  'not-delivered': 'every connected honest node has a transaction soon after healing',
  'overload-punished': 'overload costs nobody a ban',
  'delivered-twice': 'no message reaches a node twice',
  'receipt-not-durable': 'an appointment with a receipt is there after every crash',
  'breach-missed': 'every breach is answered, through crashes and reorgs',
  'balance-sum': 'balances are the first ones, rewards added and burnt fees taken away',
  'nonce-count': 'a nonce counts what its account did',
  'tx-twice': 'no transaction is twice on one branch',
  'undo-identity': 'a block that is taken back leaves nothing behind',
  'bad-root': 'every block of the branch gives the roots it names',
  'bad-header': 'every block of the branch keeps the rules of headers',
  'double-block': 'a producer signs one block on one parent',
  'lighter-head': 'the head is the heaviest that is known',
  'state-drift': 'the state is what the blocks of the branch give',
  'one-head': 'all honest heads are equal after healing',
  'pool-unsound': 'the pool agrees with itself',
  'drain-late': 'a stop ends in its time',
  'drain-changed-state': 'what a stop leaves is there again after the start',
  livelock: 'no instant goes on for ever',
  tripwire: 'nothing inside a turn reads ambient time or chance',
  nondeterminism: 'equal options give equal histories',
}

/** What must hold, in words. */
export function claimOf(id: string): string {
  return claims[id] ?? `the invariant ${id} holds`
}
