import type { Outcome } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  checkForm,
  checkSignatureForm,
  checkStatic,
  checkSubmission,
  type DecodedTx,
  decodeTx,
  type Failure,
  failed,
  type Hash,
  limits,
  type Reply,
  type StaticContext,
  type SubmissionRules,
  type TxRecord,
} from '@rockpool/protocol'
import type { Job } from './add-queue.ts'
import type { RefusedEarly } from './chronicle.ts'

interface Submission extends SubmissionRules {
  /** Default: submitted by RPC. From the journal: the pool is asked even if it has it, so that it is followed again. */
  readonly origin?: 'journal' | 'sync'
  readonly isPrivate?: boolean
  readonly raw: Uint8Array
  readonly reply: Reply<Answer<Added>>
}

/** `sync`: out of the journal, and nobody's own. */
type IntakeOrigin = 'local' | 'private' | 'journal' | 'sync'

/** A submission that has been looked at: refused already, or waiting for its sender. */
interface Examined {
  /** What it decoded to, if it did. */
  readonly tx?: DecodedTx
  readonly reply: Reply<Answer<Added>>
  readonly verdict: Failure | DecodedTx
}

/** What the recovery said of a batch, in its order. */
type Recovered = Outcome<readonly Answer<TxRecord>[], unknown>

/** Submissions whose signatures are being recovered. */
export interface Recovering {
  readonly origin: IntakeOrigin
  readonly examined: readonly Examined[]
  readonly txs: readonly DecodedTx[]
  /** Recovered before one that came earlier. */
  outcome?: Recovered
}

export interface IntakeParts {
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly isPooled: (hash: Hash) => boolean
  /** What the static checks depend on, at the pool's head. */
  readonly context: () => StaticContext
}

/**
 * Signed bytes on their way into the pool: decoded and checked without the sender, recovered in batches, checked with it. Several small
 * batches are under way at once, so that recovery and everything around it do not wait for each other. They are finished in the order
 * they began, and every submission, refused or not, is answered in its turn: nobody overtakes anybody.
 */
export class Intake {
  private waiting: Submission[] = []
  private readonly underWay: Recovering[] = []
  private underWayCount = 0
  private waitingBytes = 0
  private readonly parts: IntakeParts

  constructor(parts: IntakeParts) {
    this.parts = parts
  }

  /** Submissions not yet handed on. */
  get size(): number {
    return this.waiting.length + this.underWayCount
  }

  /** False when too many bytes wait already. */
  push(submission: Submission): boolean {
    const bytes = this.waitingBytes + submission.raw.length
    if (bytes > limits.poolIntakeBytesMax) return false
    this.waitingBytes = bytes
    this.waiting.push(submission)
    return true
  }

  /** Takes what the journal holds, in front of those who came while it was read. It is bounded there, and nobody else gave it. */
  load(rows: readonly Submission[]): void {
    for (const { raw } of rows) this.waitingBytes += raw.length
    this.waiting = [...rows, ...this.waiting]
  }

  /** The oldest submissions of one origin, examined, for recovery; undefined while enough are under way or nobody waits. */
  begin(): Recovering | undefined {
    if (this.underWay.length >= limits.poolRecoveringMax || this.waiting.length === 0)
      return undefined
    const origin = originOf(this.waiting[0])
    const context = this.contextFor(origin)
    const oldest = this.waiting.splice(0, this.countOf(origin))
    for (const { raw } of oldest) this.waitingBytes -= raw.length
    const examined = oldest.map(submission => ({
      reply: submission.reply,
      ...this.examine(submission, context),
    }))
    const txs: DecodedTx[] = []
    for (const { verdict } of examined) if (!('ok' in verdict)) txs.push(verdict)
    const batch = { origin, examined, txs }
    this.underWay.push(batch)
    this.underWayCount += examined.length
    return batch
  }

  /** The jobs for the pool that are complete with this outcome: those of the batch and of later ones that were ready before it, or none. */
  finish(batch: Recovering, outcome: Recovered): Job[] {
    batch.outcome = outcome
    const jobs: Job[] = []
    for (;;) {
      const [first] = this.underWay
      if (first?.outcome === undefined) return jobs
      this.underWay.shift()
      this.underWayCount -= first.examined.length
      jobs.push(this.jobOf(first, first.outcome))
    }
  }

  /** Refusals are answered together with acceptances, in order of arrival. The head may have changed, so everything is checked again. */
  private jobOf({ origin, examined }: Recovering, outcome: Recovered): Job {
    const context = this.contextFor(origin)
    const txs: TxRecord[] = []
    const refusals: (Failure | undefined)[] = []
    const refused: RefusedEarly[] = []
    let index = 0
    for (const { tx, verdict } of examined) {
      if ('ok' in verdict) {
        refusals.push(verdict)
        if (tx !== undefined) refused.push({ tx, failure: verdict })
        continue
      }
      const recovered = outcome.ok ? outcome.value[index++] : undefined
      const isPooled =
        origin !== 'journal' && origin !== 'sync' && this.parts.isPooled(verdict.hash)
      const refusal = isPooled
        ? failed('pool/known')
        : checkStatic(verdict, context, recovered ?? notRecovered())
      refusals.push(refusal)
      if (refusal !== undefined) {
        refused.push({ tx: recovered?.ok === true ? recovered.value : verdict, failure: refusal })
      }
      if (refusal === undefined && recovered?.ok === true) txs.push(recovered.value)
    }
    return {
      origin,
      txs,
      ...(refused.length > 0 && { refused }),
      answer: results => {
        let accepted = 0
        for (const [at, { reply }] of examined.entries()) {
          const answer = refusals[at] ?? results[accepted++]
          if (answer !== undefined) reply.tell(answer)
        }
      },
    }
  }

  /** What the submitter asked to be guarded against comes first, as in geth: it needs no pool. */
  private examine(
    submission: Submission,
    context: StaticContext,
  ): Pick<Examined, 'tx' | 'verdict'> {
    const decoded = decodeTx(submission.raw, this.parts.keccak256)
    if (!decoded.ok) return { verdict: decoded }
    const tx = decoded.value
    return { tx, verdict: this.check(tx, submission, context) }
  }

  private check(tx: DecodedTx, submission: Submission, context: StaticContext) {
    const guarded = checkSubmission(tx, submission)
    if (guarded !== undefined) return guarded
    if (submission.origin === undefined && this.parts.isPooled(tx.hash)) {
      return failed('pool/known')
    }
    return checkForm(tx, context) ?? checkSignatureForm(tx, context.chainId) ?? tx
  }

  /** How many signatures are checked before this transaction's; undefined: it is not among those under way. */
  positionOf(hash: Hash): number | undefined {
    let position = 0
    for (const { examined } of this.underWay) {
      for (const { verdict } of examined) {
        if ('ok' in verdict) continue
        if (verdict.hash === hash) return position
        position++
      }
    }
    return undefined
  }

  /** How many of the oldest submissions go together. */
  private countOf(origin: IntakeOrigin): number {
    const most = Math.min(limits.poolRecoveringTxsMax, this.waiting.length)
    for (let count = 1; count < most; count++) {
      if (originOf(this.waiting[count]) !== origin) return count
    }
    return most
  }

  /** What was taken at a lower minimum tip waits until that comes back; the pool itself says so of it. */
  private contextFor(origin: IntakeOrigin): StaticContext {
    const context = this.parts.context()
    return origin === 'journal' ? { ...context, minTip: 0n } : context
  }
}

function originOf(submission: Submission | undefined): IntakeOrigin {
  return submission?.origin ?? (submission?.isPrivate === true ? 'private' : 'local')
}

function notRecovered(): Failure {
  return failed('load/internal', 'txpool is not ready: signature recovery failed')
}
