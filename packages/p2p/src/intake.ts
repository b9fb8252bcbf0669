import {
  type Added,
  type Answer,
  checkGossipAfterRecovery,
  checkGossipBeforeRecovery,
  type DecodedTx,
  decodeTx,
  type Hash,
  hashOf,
  type Recovery,
  type StaticContext,
  type TxRecord,
} from '@rockpool/protocol'
import type { Seen } from './seen.ts'
import { isProvable, type JudgedCode, table } from './verdict.ts'

/** One transaction of a delivered batch on its way to a code. */
export interface Entry {
  readonly hash: Hash
  decoded?: DecodedTx
  record?: TxRecord
  /** Set when nothing more needs to be done with it. */
  code?: JudgedCode
}

export type Intake = ReturnType<typeof createIntake>

export interface IntakeParts {
  /** Transactions the pool has, or had until they were mined. */
  readonly known: Pick<Seen<true>, 'get'> & { set(hash: Hash): void }
  /** Transactions that are wrong for everyone, with what is wrong. */
  readonly bad: Pick<Seen<JudgedCode>, 'get' | 'set'>
  readonly recovery: Recovery
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
}

/**
 * What can be said of a batch without the pool. Cheapest first: what is known or known to be bad is not decoded again, what fails without
 * its sender is never recovered.
 */
export function createIntake({ known, bad, recovery, keccak256 }: IntakeParts) {
  /** The entry of a transaction that is known, or known to be bad. */
  function closedAlready(hash: Hash): Entry | undefined {
    const code = bad.get(hash) ?? (known.get(hash) ? 'pool/known' : undefined)
    return code && { hash, code }
  }

  /** The entries of a batch, or undefined when one transaction is in it twice. */
  function examine(
    raws: readonly Uint8Array[],
    context: StaticContext,
  ): readonly Entry[] | undefined {
    const digests = raws.map(raw => keccak256(raw))
    const hashes = digests.map(hashOf)
    if (new Set(hashes).size < hashes.length) return undefined
    return raws.map((raw, index) => {
      const hash = hashes[index] as Hash
      const closed = closedAlready(hash)
      if (closed) return closed
      const entry: Entry = { hash }
      const digest = digests[index] as Uint8Array
      const decoded = decodeTx(raw, bytes => (bytes === raw ? digest : keccak256(bytes)))
      if (!decoded.ok) return close(entry, decoded.code as JudgedCode)
      const failure = checkGossipBeforeRecovery(decoded.value, context)
      if (failure) return close(entry, failure.code as JudgedCode)
      entry.decoded = decoded.value
      const record = recovery.known(entry.hash)
      if (record) entry.record = record
      return entry
    })
  }

  /** What is left to recover. */
  function unrecovered(entries: readonly Entry[]): readonly DecodedTx[] {
    return entries.flatMap(({ decoded, record, code }) =>
      decoded && !record && !code ? [decoded] : [],
    )
  }

  /** Takes the answers of the recovery, one per `unrecovered` in its order; undefined when it failed as a whole. */
  function recovered(
    entries: readonly Entry[],
    answers: readonly Answer<TxRecord>[] | undefined,
  ): void {
    let next = 0
    for (const entry of entries) {
      if (entry.code || entry.record) continue
      const answer = answers?.[next++]
      if (answer?.ok) entry.record = answer.value
      else close(entry, (answer?.code ?? 'load/internal') as JudgedCode)
    }
  }

  /** Transactions for the pool, after the checks that needed a sender. */
  function survivors(entries: readonly Entry[], context: StaticContext): readonly TxRecord[] {
    const passed: TxRecord[] = []
    for (const entry of entries) {
      const { record } = entry
      if (entry.code || !record) continue
      const failure = checkGossipAfterRecovery(record, context, record.sender)
      if (failure) close(entry, failure.code as JudgedCode)
      else passed.push(record)
    }
    return passed
  }

  /**
   * Takes the answers of the pool, one per survivor in its order; a code when it gave none. Returns the entries it refused for what the
   * static checks had passed: ours is a bug then, and nobody's fault.
   */
  function pooled(
    entries: readonly Entry[],
    answers: readonly Answer<Added>[] | JudgedCode,
  ): readonly Entry[] {
    let next = 0
    const disagreed: Entry[] = []
    for (const entry of entries) {
      if (entry.code) continue
      const answer = typeof answers === 'string' ? undefined : answers[next++]
      const code = typeof answers === 'string' ? answers : codeOf(answer)
      if (table[code].verdict === 'reject') {
        disagreed.push({ hash: entry.hash, code })
        entry.code = 'load/internal'
        continue
      }
      entry.code = code
      if (answer?.ok || code === 'pool/known') known.set(entry.hash)
    }
    return disagreed
  }

  function close(entry: Entry, code: JudgedCode): Entry {
    entry.code = code
    if (isProvable(code)) bad.set(entry.hash, code)
    return entry
  }

  return { closedAlready, examine, unrecovered, recovered, survivors, pooled }
}

function codeOf(answer: Answer<Added> | undefined): JudgedCode {
  if (!answer) return 'load/internal'
  if (!answer.ok) return answer.code as JudgedCode
  if (answer.value.half === 'queued') return 'pool/queued'
  return answer.value.replaced ? 'pool/replaced' : 'pool/pending'
}
