import {
  type GossipDeliver,
  limits,
  type PeerId,
  type Reply,
  type Verdict,
} from '@rockpool/protocol'
import type { Judgement } from './verdict.ts'

/** One delivery from its arrival to its verdict. */
export interface Case {
  readonly topic: 'tx' | 'block'
  readonly bytes: Uint8Array
  readonly from: PeerId
  /** Of the message. */
  readonly id: string
  readonly dueMs: number
  readonly reply: Reply<Verdict>
  /** What was told, once it was. */
  verdict?: Verdict
}

/** Deliveries that wait for a verdict. Each is told one, the latest when its time is up. */
export function createDocket(told: (entered: Case, judgement: Judgement) => void) {
  /** In order of arrival, hence of deadline. */
  const open = new Set<Case>()

  function enter(delivery: GossipDeliver, topic: Case['topic'], nowMs: number): Case {
    const { bytes, from, id, reply } = delivery
    const dueMs = nowMs + limits.verdictReplyMs
    const entered: Case = { topic, bytes, from, id, reply, dueMs }
    open.add(entered)
    return entered
  }

  /** Tells the verdict unless one was told; returns the one that was. */
  function answer(entered: Case, judgement: Judgement): Verdict {
    if (entered.verdict) return entered.verdict
    open.delete(entered)
    entered.verdict = judgement.verdict
    told(entered, judgement)
    entered.reply.tell(judgement.verdict)
    return judgement.verdict
  }

  /** Ignores what is out of time. What is being done with it goes on: the transactions are still good for us. */
  function expire(nowMs: number): void {
    for (const entered of open) {
      if (entered.dueMs > nowMs) return
      answer(entered, { verdict: 'ignore', code: 'load/deadline', soft: false })
    }
  }

  return {
    enter,
    answer,
    expire,
    /** The next deadline. */
    get dueMs() {
      for (const entered of open) return entered.dueMs
      return undefined
    },
  }
}
