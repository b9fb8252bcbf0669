import type { Added, Answer, TxOrigin, TxRecord } from '@rockpool/protocol'
import type { RefusedEarly } from './chronicle.ts'

/** Transactions of one message that wait for the pool, and how to answer them. */
export interface Job {
  readonly origin: TxOrigin
  readonly txs: readonly TxRecord[]
  /** Refused before: told of, and answered, with the others. */
  readonly refused?: readonly RefusedEarly[]
  /** Called once, with one answer per transaction, in order. */
  answer(results: readonly Answer<Added>[]): void
}

/** Jobs of one origin that go into the pool together. */
export interface Batch {
  readonly origin: TxOrigin
  readonly txs: readonly TxRecord[]
  /** Refused before: told of, and answered, with the others. */
  readonly refused?: readonly RefusedEarly[]
  answer(results: readonly Answer<Added>[]): void
}

/** What waits in front of the pool, first come, first served. Whoever fills it counts; it refuses nobody. */
export class AddQueue {
  private jobs: Job[] = []
  private waiting = 0

  /** Transactions waiting. */
  get size(): number {
    return this.waiting
  }

  isEmpty(): boolean {
    return this.jobs.length === 0
  }

  push(job: Job): void {
    this.jobs.push(job)
    this.waiting += job.txs.length
  }

  /** The oldest jobs as long as they are of one origin and together within `max` transactions; at least one job. */
  next(max: number): Batch | undefined {
    const [first] = this.jobs
    if (first === undefined) return undefined
    let end = 1
    let size = first.txs.length
    for (let job = this.jobs[end]; job !== undefined; job = this.jobs[end]) {
      if (job.origin !== first.origin || size + job.txs.length > max) break
      size += job.txs.length
      end++
    }
    this.waiting -= size
    return batchOf(first.origin, this.jobs.splice(0, end))
  }
}

function batchOf(origin: TxOrigin, jobs: readonly Job[]): Batch {
  const refused = jobs.flatMap(job => job.refused ?? [])
  return {
    origin,
    txs: jobs.length === 1 ? (jobs[0]?.txs ?? []) : jobs.flatMap(job => job.txs),
    ...(refused.length > 0 && { refused }),
    answer: results => {
      let from = 0
      for (const job of jobs) {
        job.answer(results.slice(from, from + job.txs.length))
        from += job.txs.length
      }
    },
  }
}
