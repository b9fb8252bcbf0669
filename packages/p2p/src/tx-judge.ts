import type { ActorRef, Context } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  decodeTxFrame,
  limits,
  type PoolAdd,
  type Recovery,
  type StaticContext,
  type TxRecord,
} from '@rockpool/protocol'
import type { Case } from './docket.ts'
import { createIntake, type Entry } from './intake.ts'
import { type Heard, type ToSelf, unanswered } from './own-messages.ts'
import type { Seen } from './seen.ts'
import type { JudgedCode } from './verdict.ts'

export interface TxJudgeParts {
  readonly recovery: Recovery
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly pool: ActorRef<PoolAdd>
  readonly known: Seen<true>
  readonly bad: Seen<JudgedCode>
  /** At the present head. */
  readonly context: () => StaticContext
  /** Tells the verdict of these codes; true when the router will relay the message. */
  readonly conclude: (entered: Case, codes: readonly JudgedCode[]) => boolean
  /** A valid transaction of a message that the router does not relay. */
  readonly passOn: (tx: TxRecord) => void
}

/** A delivered batch on its way: frame, checks, recovery, pool, verdict. Each step ends in `conclude` or in a question. */
export function createTxJudge(ctx: Context<Heard>, parts: TxJudgeParts) {
  const { recovery, pool, bad, known, keccak256, context, conclude, passOn } = parts
  const intake = createIntake({ known, bad, recovery, keccak256 })

  function begin(entered: Case): void {
    const decoded = decodeTxFrame(entered.bytes)
    if (!decoded.ok) return end(entered, [`gossip/${decoded.code}`])
    // Announced transactions are found by pool sync; their announcement asks nothing of us.
    if (decoded.value.kind === 'announce') return end(entered, ['gossip/unknown-kind'])
    const entries = intake.examine(decoded.value.txs, context())
    if (!entries) return end(entered, ['gossip/duplicate-entry'])
    const wanted = intake.unrecovered(entries)
    if (wanted.length === 0) return offer(entered, entries)
    ctx.pipe(
      () => recovery.recover(wanted),
      outcome => ({ type: 'gossip.recovered', entered, entries, outcome }),
    )
  }

  function recovered(message: ToSelf & { type: 'gossip.recovered' }): void {
    const { entered, entries, outcome } = message
    intake.recovered(entries, outcome.ok ? outcome.value : undefined)
    offer(entered, entries)
  }

  /** Also when the verdict is told already: the transactions are still good for this node. */
  function offer(entered: Case, entries: readonly Entry[]): void {
    const txs = intake.survivors(entries, context())
    if (txs.length === 0) return end(entered, codesOf(entries))
    ctx.ask<PoolAdd, readonly Answer<Added>[]>(
      pool,
      reply => ({ type: 'pool.add', txs, origin: 'gossip', peer: entered.from, reply }),
      limits.verdictDeadlineMs,
      outcome => ({ type: 'gossip.pooled', entered, entries, outcome }),
    )
  }

  function pooled({ entered, entries, outcome }: ToSelf & { type: 'gossip.pooled' }): void {
    const busy = !outcome.ok && outcome.error === 'full'
    const noAnswer = outcome.ok ? undefined : busy ? 'actor/busy' : unanswered[outcome.error]
    const answers = outcome.ok ? outcome.value : (noAnswer ?? 'load/internal')
    for (const { hash, code } of intake.pooled(entries, answers)) {
      ctx.log.error('p2p/validator-disagrees', { hash, code })
    }
    end(entered, codesOf(entries), entries)
  }

  function end(entered: Case, codes: readonly JudgedCode[], entries: readonly Entry[] = []): void {
    const relayed = conclude(entered, codes)
    if (relayed) return
    for (const { record, code } of entries) {
      if (record && (code === 'pool/pending' || code === 'pool/replaced')) passOn(record)
    }
  }

  return { begin, recovered, pooled }
}

function codesOf(entries: readonly Entry[]): readonly JudgedCode[] {
  return entries.map(({ code }) => code ?? 'load/internal')
}
