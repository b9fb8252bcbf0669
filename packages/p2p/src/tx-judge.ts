import type { ActorRef, Context } from '@rockpool/actor'
import {
  decodeTxFrame,
  type Hash,
  limits,
  type NetworkPort,
  type PeerId,
  type PoolAdd,
  type Recovery,
  type StaticContext,
  type TxRecord,
} from '@rockpool/protocol'
import { type Admitting, createAdmission } from './admission.ts'
import type { Case } from './docket.ts'
import { createIntake, type Entry, type IntakeParts } from './intake.ts'
import type { Heard } from './own-messages.ts'
import { createTxFetch, type Report } from './tx-fetch.ts'
import type { JudgedCode } from './verdict.ts'

export interface TxJudgeParts extends IntakeParts {
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the pool sync protocol. */
  readonly poolSync: string
  readonly recovery: Recovery
  readonly pool: ActorRef<PoolAdd>
  /** At the present head. */
  readonly context: () => StaticContext
  /** Tells the verdict of these codes; true when the router will relay the message. */
  readonly conclude: (entered: Case, codes: readonly JudgedCode[]) => boolean
  /** The case no longer takes a place among those under way. */
  readonly release: () => void
  readonly report: Report
  /** True when this many transactions of a peer may be checked now. */
  readonly admits: (peer: PeerId, txs: number) => boolean
  /** A peer brought these first, and they can be executed. */
  readonly credited: (peer: PeerId, hashes: readonly Hash[]) => void
  /** A valid transaction of a message that the router does not relay. */
  readonly passOn: (tx: TxRecord) => void
}

/** A delivered batch on its way: frame, checks, recovery, pool, verdict. What is only announced is fetched first and then judged the same. */
export function createTxJudge(ctx: Context<Heard>, parts: TxJudgeParts) {
  const { recovery, pool, context, conclude, release, admits, credited, passOn } = parts
  const intake = createIntake(parts)
  const admission = createAdmission<Case, Heard>(ctx, {
    intake,
    recovery,
    pool,
    context,
    origin: 'gossip',
    poolMs: limits.verdictDeadlineMs,
    onRecovered: (batch, outcome) => ({ type: 'gossip.recovered', batch, outcome }),
    onPooled: (batch, outcome) => ({ type: 'gossip.pooled', batch, outcome }),
    done,
  })
  const fetches = createTxFetch(ctx, { ...parts, intake, fetched: admit })

  function begin(entered: Case): void {
    const decoded = decodeTxFrame(entered.bytes)
    if (!decoded.ok) return refuse(entered, `gossip/${decoded.code}`)
    if (decoded.value.kind === 'announce') {
      const refusal = fetches.begin(entered, decoded.value.entries)
      return refusal ? refuse(entered, refusal) : release()
    }
    if (!admits(entered.from, decoded.value.txs.length)) return refuse(entered, 'load/rate')
    const entries = intake.examine(decoded.value.txs, context())
    return entries ? admit(entered, entries) : refuse(entered, 'gossip/duplicate-entry')
  }

  function refuse(entered: Case, code: JudgedCode): void {
    end(entered, [code])
  }

  function admit(cause: Case, entries: readonly Entry[]): void {
    admission.begin({ cause, from: cause.from, entries })
  }

  /** Also when the verdict is told already: the transactions are still good for this node. */
  function done({ cause, entries }: Admitting<Case>): void {
    const codes = entries.map(({ code }) => code ?? 'load/internal')
    const relayed = end(cause, codes)
    const fresh = entries.flatMap(({ record, code }) =>
      record && (code === 'pool/pending' || code === 'pool/replaced') ? [record] : [],
    )
    credited(
      cause.from,
      fresh.map(({ hash }) => hash),
    )
    if (!relayed) for (const tx of fresh) passOn(tx)
  }

  function end(entered: Case, codes: readonly JudgedCode[]): boolean {
    // An announced one has freed its place when its fetch began.
    if (!fetches.end(entered)) release()
    return conclude(entered, codes)
  }

  return {
    begin,
    fetched: fetches.fetched,
    recovered: admission.recovered,
    pooled: admission.pooled,
  }
}
