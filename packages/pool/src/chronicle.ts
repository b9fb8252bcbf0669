import type { Block, DecodedTx, Failure, Hash, TxOrigin, TxRecord } from '@rockpool/protocol'
import type { Op, Outcome } from './op.ts'
import type { Pool } from './pool.ts'
import type { Stories, Telling } from './stories.ts'

/** A submission that was refused before the pool was asked. */
export interface RefusedEarly {
  readonly tx: TxRecord | DecodedTx
  readonly failure: Failure
}

export interface Turn {
  readonly op: Op
  readonly outcome: Outcome
  /** The blocks a reset brought. */
  readonly blocks?: readonly Block[]
}

/** Puts into stories what an operation concluded; the one place where that is done. */
export function chronicle(
  stories: Stories,
  pool: Pick<Pool, 'entry' | 'account'>,
  { op, outcome, blocks = [] }: Turn,
  telling: Telling,
): void {
  if (stories.max === 0) return
  const executable = op.op === 'add' ? tellAdded(stories, op, outcome, telling) : 0
  if (op.op === 'reset') tellReset(stories, pool, op, outcome, telling)
  // What came in this very turn was told where it is: mostly that is all that was promoted.
  const others = outcome.promoted.length > executable ? outcome.promoted : []
  for (const hash of others) {
    const story = stories.find(hash)
    if (story !== undefined && story.lastCause !== telling.cause) {
      stories.happened(hash, 'promoted', telling)
    }
  }
  for (const hash of outcome.demoted) stories.happened(hash, 'demoted', telling)
  if (outcome.dropped.length > 0) tellDropped(stories, pool, { op, outcome }, telling)
  for (const block of blocks) stories.inBlock(block, telling)
}

/** What never got as far as the pool. */
export function tellRefused(
  stories: Stories,
  origin: TxOrigin,
  refused: readonly RefusedEarly[],
  telling: Telling,
): void {
  for (const { tx, failure } of refused) stories.refusedWith(tx, origin, failure, telling)
}

/** Returns how many of them are executable. */
function tellAdded(
  stories: Stories,
  { txs, origin, privates }: Extract<Op, { op: 'add' }>,
  { results }: Outcome,
  telling: Telling,
): number {
  let executable = 0
  for (let index = 0; index < txs.length; index++) {
    const [tx, result] = [txs[index], results[index]]
    if (tx === undefined || result === undefined) continue
    const from = privates?.has(tx.hash) === true ? 'private' : origin
    if (!result.ok) {
      stories.refusedWith(tx, from, result, telling)
      continue
    }
    const { half, replaced } = result.value
    if (half === 'pending') executable++
    const story = stories.added(tx, half, from, telling)
    if (replaced === undefined) continue
    story.replaced = replaced
    stories.happened(tx.hash, 'replaces', telling)
  }
  return executable
}

function tellReset(
  stories: Stories,
  pool: Pick<Pool, 'entry'>,
  { path }: Extract<Op, { op: 'reset' }>,
  { added }: Outcome,
  telling: Telling,
): void {
  if (path.kind === 'missing') return
  for (const { hash } of path.discarded) stories.outOfBlock(hash)
  for (const hash of added) {
    const entry = pool.entry(hash)
    if (entry === undefined) continue
    if (stories.find(hash) === undefined) stories.added(entry.tx, entry.half, 'reorg', telling)
    stories.returned(entry.tx, telling)
  }
}

function tellDropped(
  stories: Stories,
  pool: Pick<Pool, 'account'>,
  { op, outcome }: Turn,
  telling: Telling,
): void {
  const back = new Map<Hash, TxRecord>()
  if (op.op === 'reset' && op.path.kind !== 'missing') {
    for (const tx of op.path.discarded) back.set(tx.hash, tx)
  }
  for (const { hash, reason, by, code } of outcome.dropped) {
    const tx = back.get(hash)
    const told = stories.find(hash)?.tx ?? tx
    const sender = told !== undefined && 'sender' in told ? told.sender : undefined
    stories.left(hash, reason, telling, {
      ...(by !== undefined && { by }),
      ...(tx !== undefined && { tx }),
      ...(code !== undefined && { message: code }),
      leavesGap: sender !== undefined && !closed.has(reason) && pool.account(sender) !== undefined,
    })
  }
}

/** These leave no gap behind. */
const closed: ReadonlySet<string> = new Set(['mined', 'nonce-used', 'replaced'])
