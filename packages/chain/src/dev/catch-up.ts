import type { ActorRef, Outcome } from '@rockpool/actor'
import type { BlockFrame, ChainMessage, Hash, ImportOutcome, PeerId } from '@rockpool/protocol'
import { errors, limits } from '@rockpool/protocol'
import { decodeHeader } from './header.ts'
import type { Job } from './job.ts'
import { pause, piped } from './job.ts'
import type { Keccak } from './keccak.ts'
import type { PeerHead } from './peer-heads.ts'
import type { Fetch } from './range-fetch.ts'
import { distances, isIn } from './range-fetch.ts'

/**
 * How following a peer's branch ended. `done`: all it told of is here. `stale`: it was here before
 * anything was asked for, by gossip. `short`: the peer has less than it told of. `silent`: no answer in time, or
 * one that broke off.
 * `wrong`: it is at fault, and has been reported. `deep`: its branch parts too far below the head. `stopped`: this node could not go on.
 */
export type CatchUpEnd = 'done' | 'stale' | 'short' | 'silent' | 'wrong' | 'deep' | 'stopped'

export interface CatchUpParts {
  readonly chain: ActorRef<ChainMessage>
  readonly fetch: Fetch
  readonly keccak256: Keccak
  readonly fault: (peer: PeerId, reason: string, detail: string) => void
  /** A block that was not known came in. */
  readonly gained: (peer: PeerId, number: number) => void
}

interface At {
  readonly hash: Hash
  readonly number: number
}

type Segment =
  | { readonly frames: readonly BlockFrame[] }
  | { readonly busyMs: number }
  | { readonly end: CatchUpEnd }

/** Time the chain gets for all blocks that are before it. */
const askMs = 60_000
/** The chain's queue was full: how long to hold back, and how often in a row. */
const holdMs = 200
const holdsMax = 50
const busyTriesMax = 3

/**
 * Follows the branch of a heavier peer from the last block both have to its head: ranges in order, the next one asked for while this one is
 * imported, and so many blocks before the chain at once that it can recover signatures ahead. In memory are at most two answers.
 */
export function createCatchUp({ chain, fetch, keccak256, fault, gained }: CatchUpParts) {
  function* follow({ peer, number }: PeerHead, ours: number): Job<CatchUpEnd> {
    const heights = distances(Math.min(ours, number))
    const theirs = yield* fetch.hashes(peer, heights)
    if (theirs === null) return 'silent'
    const start = yield* fetch.common(peer, heights, theirs, 1)
    if (start === null) return 'silent'
    if (ours - start.number > limits.reorgDepthMax) return 'deep'
    if (start.number >= number) return 'stale'
    let at: At = start
    while (at.number < number) {
      const marks = yield* marksAfter(peer, at, number)
      if (marks === null) return 'silent'
      const last = Math.min(number, at.number + limits.rangeBlocksMax * (limits.hashesMax + 1))
      const reached: At | CatchUpEnd = yield* stretch(peer, at, last, marks)
      if (typeof reached === 'string') return reached
      at = reached
    }
    return 'done'
  }

  /** Blocks after which the ranges begin, so that one can be asked for before the one below it is here. */
  function* marksAfter(peer: PeerId, at: At, goal: number): Job<readonly At[] | null> {
    const heights: number[] = []
    for (let height = at.number + limits.rangeBlocksMax; height < goal; ) {
      if (heights.length === limits.hashesMax) break
      heights.push(height)
      height += limits.rangeBlocksMax
    }
    if (heights.length === 0) return []
    const hashes = yield* fetch.hashes(peer, heights)
    if (hashes === null) return null
    return heights.flatMap(height => {
      const hash = hashes.get(height)
      return hash ? [{ hash, number: height }] : []
    })
  }

  /** The blocks up to `goal`, range by range. */
  function* stretch(
    peer: PeerId,
    from: At,
    goal: number,
    marks: readonly At[],
  ): Job<At | CatchUpEnd> {
    const ahead = new Map<Hash, Promise<Outcome<readonly Uint8Array[], unknown>>>()
    const ask = (after: At) => {
      const next = marks.find(mark => mark.number > after.number)
      const count = Math.min(limits.rangeBlocksMax, (next?.number ?? goal) - after.number)
      const known = ahead.get(after.hash)
      const answer = known ?? settled(fetch.send(peer, { kind: 'range', after: after.hash, count }))
      ahead.set(after.hash, answer)
      return { answer, next }
    }
    let at = from
    let busy = 0
    while (at.number < goal) {
      const here = at
      const outcome = yield* piped(() => {
        const { answer, next } = ask(here)
        if (next !== undefined) ask(next)
        return answer
      }, limits.rangeRequestMs)
      ahead.delete(here.hash)
      const segment = opened(peer, here, outcome.ok ? outcome.value : outcome)
      if ('end' in segment) return segment.end
      if ('busyMs' in segment) {
        busy += 1
        if (busy > busyTriesMax) return 'silent'
        yield* pause(segment.busyMs)
        continue
      }
      busy = 0
      const reached: At | CatchUpEnd = yield* offered(peer, here, segment.frames)
      if (typeof reached === 'string') return reached
      at = reached
    }
    return at
  }

  /** What an answer to a range holds, if every block in it follows the one before. */
  function opened(
    peer: PeerId,
    after: At,
    outcome: Outcome<readonly Uint8Array[], unknown>,
  ): Segment {
    if (!outcome.ok) return { end: 'silent' }
    const answers = fetch.decoded(peer, 'range', outcome.value)
    if (answers === null) return { end: 'wrong' }
    const [first] = answers
    if (first?.kind === 'busy') {
      const waitMs = Math.min(first.retryAfterSeconds * 1_000, limits.rangeRequestMs)
      return { busyMs: Math.max(1, waitMs) }
    }
    // A node that stops, or a connection that ends, leaves an answer without an end: nobody's fault.
    if (answers.at(-1)?.kind !== 'end') return { end: 'silent' }
    const frames: BlockFrame[] = []
    let parent = after.hash
    for (const answer of answers) {
      if (answer.kind !== 'block') continue
      const header = decodeHeader(answer.frame.header, keccak256)
      if (!header.ok || header.value.parentHash !== parent)
        return wrong(peer, `a range that does not follow ${parent}`)
      parent = header.value.hash
      frames.push(answer.frame)
    }
    return frames.length === 0 ? { end: 'short' } : { frames }
  }

  function wrong(peer: PeerId, evidence: string): Segment {
    fault(peer, 'sync/bad-reply', evidence)
    return { end: 'wrong' }
  }

  /** Puts a row of blocks before the chain, several at once, and takes its verdicts in order. */
  function* offered(peer: PeerId, after: At, frames: readonly BlockFrame[]): Job<At | CatchUpEnd> {
    let at = after
    let left = frames
    for (let holds = 0; holds <= holdsMax; holds++) {
      const { passed, refusal } = yield* row(peer, at, left)
      at = passed
      left = frames.slice(at.number - after.number)
      if (refusal === null) return at
      if (refusal.code !== 'load/mailbox-full') return endOf(peer, refusal)
      yield* pause(holdMs)
    }
    return 'stopped'
  }

  function* row(
    peer: PeerId,
    after: At,
    frames: readonly BlockFrame[],
  ): Job<{ passed: At; refusal: ImportOutcome | null }> {
    let passed = after
    let refusal: ImportOutcome | null = null
    let sent = Math.min(frames.length, limits.catchUpOffersMax)
    // The chain answers in the order it is asked, so the verdicts come in the order of the blocks.
    let outcome = yield* offers(peer, frames.slice(0, sent))
    for (let judged = 1; ; judged++) {
      const verdict = verdictOf(outcome)
      if (refusal === null && isIn(verdict) && verdict.hash !== undefined) {
        passed = { hash: verdict.hash, number: passed.number + 1 }
        if (verdict.code !== 'chain/known') gained(peer, passed.number)
      } else refusal ??= verdict
      const next = refusal === null ? frames[sent] : undefined
      if (next !== undefined) sent += 1
      else if (judged === sent) return { passed, refusal }
      outcome = yield* offers(peer, next === undefined ? [] : [next])
    }
  }

  /** Asks for verdicts and waits for the next one to come. */
  function* offers(
    peer: PeerId,
    frames: readonly BlockFrame[],
  ): Job<Outcome<ImportOutcome, unknown>> {
    return (yield door => {
      for (const frame of frames) {
        door.ask<ChainMessage, ImportOutcome>(
          chain,
          reply => ({ type: 'chain.offer', frame, from: peer, via: 'fetch', reply }),
          askMs,
        )
      }
    }) as Outcome<ImportOutcome, unknown>
  }

  function endOf(peer: PeerId, { code, hash }: ImportOutcome): CatchUpEnd {
    if (code === 'chain/too-old') return 'deep'
    if (errors[code].fault === 'peer') {
      fault(peer, 'gossip/invalid-block', `${code} ${hash ?? ''}`)
      return 'wrong'
    }
    return code.startsWith('load/') ? 'stopped' : 'short'
  }

  return { follow }
}

function verdictOf(outcome: Outcome<ImportOutcome, unknown>): ImportOutcome {
  return outcome.ok ? outcome.value : { code: 'load/internal' }
}

/** A promise that keeps its failure until somebody looks. */
function settled<T>(promise: Promise<T>): Promise<Outcome<T, unknown>> {
  return promise.then(
    value => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  )
}
