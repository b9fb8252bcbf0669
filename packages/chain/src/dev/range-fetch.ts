import type { ActorRef } from '@rockpool/actor'
import type {
  BlockFrame,
  ChainMessage,
  Hash,
  ImportOutcome,
  NetworkPort,
  PeerId,
  RangeAnswer,
  RangeRequest,
} from '@rockpool/protocol'
import { decodeRangeAnswer, encodeRangeRequest, errors, limits } from '@rockpool/protocol'
import { decodeHeader } from './header.ts'
import type { Job } from './job.ts'
import { asked, pause, piped } from './job.ts'
import type { Keccak } from './keccak.ts'

export interface FetchParts {
  readonly chain: ActorRef<ChainMessage>
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the range protocol of this network. */
  readonly protocol: string
  readonly keccak256: Keccak
  /** A peer answered what no honest one does. */
  readonly fault: (peer: PeerId, reason: string, detail: string) => void
}

/** A block whose parent is missing here. */
export interface Target {
  readonly hash: Hash
  readonly parent: Hash
  readonly number: number
}

/** Time the chain gets for one block or one question; a full block takes 50 ms. */
const askMs = 30_000
/** The chain's queue was full: how long to hold back, and how often. */
const holdMs = 200
const holdsMax = 50
/** Blocks fetched without need at most, below where the branches part. */
const overlapMax = 32

/** What a peer has, asked for and put before the chain. Jobs; the sync actor runs them. */
export function createFetch({ chain, network, protocol, keccak256, fault }: FetchParts) {
  /**
   * Everything between the last block both have and `target`, in order: the peer's hashes at distances 1, 2, 4 … show where the branches
   * part, then ranges. A peer that has itself left the branch is asked for parents one by one. Tells how many blocks came.
   */
  function* branch(peer: PeerId, target: Target): Job<number> {
    const heights = distances(target.number - 1)
    const theirs = yield* hashes(peer, heights)
    if (theirs === null) return 0
    if (theirs.get(target.number - 1) !== target.parent) return yield* parents(peer, target.parent)
    const start = yield* common(peer, heights, theirs)
    if (start === null) return 0
    let after = start
    let fetched = 0
    while (after.number < target.number - 1) {
      const count = Math.min(limits.rangeBlocksMax, target.number - 1 - after.number)
      const answer = yield* blocks(peer, { kind: 'range', after: after.hash, count })
      if (answer === null || answer.frames.length === 0) return fetched
      for (const frame of answer.frames) {
        const outcome = yield* offer(peer, frame, 'fetch')
        if (outcome.hash === undefined || !isIn(outcome)) return fetched
        after = { hash: outcome.hash, number: after.number + 1 }
        fetched += 1
      }
      if (!answer.more) return fetched
    }
    return fetched
  }

  /** The body of an announced block. It came by gossip, and is judged as such. */
  function* body(peer: PeerId, hash: Hash): Job<boolean> {
    const frame = yield* single(peer, hash)
    if (frame === null) return false
    return isIn(yield* offer(peer, frame, 'gossip'))
  }

  /** The highest block that both have canonically, as closely as a few questions can tell. */
  function* common(
    peer: PeerId,
    asked: readonly number[],
    theirs: ReadonlyMap<number, Hash | null>,
    overlap: number = overlapMax,
  ): Job<{ hash: Hash; number: number } | null> {
    let heights = asked
    let answers = theirs
    let same: { hash: Hash; number: number } | null = null
    let parted = Number.POSITIVE_INFINITY
    for (;;) {
      const ours = yield* ourHashes(heights)
      if (ours === null) return null
      for (const height of heights) {
        const hash = ours.get(height) ?? null
        const isSame = hash !== null && hash === answers.get(height)
        if (isSame && height > (same?.number ?? -1)) same = { hash, number: height }
        if (!isSame && height < parted) parted = height
      }
      if (same === null) {
        fault(peer, 'sync/bad-reply', `other genesis: no common block up to ${heights[0]}`)
        return null
      }
      if (parted - same.number <= overlap || parted === Number.POSITIVE_INFINITY) return same
      heights = between(same.number, parted)
      const next: ReadonlyMap<number, Hash | null> | null = yield* hashes(peer, heights)
      if (next === null) return same
      answers = next
    }
  }

  /** Parents one by one until the chain knows one; each waits there for the one below it. */
  function* parents(peer: PeerId, first: Hash): Job<number> {
    let wanted = first
    for (let fetched = 1; fetched <= limits.fetchParentsMax; fetched++) {
      const frame = yield* single(peer, wanted)
      if (frame === null) return fetched - 1
      const outcome = yield* offer(peer, frame, 'fetch')
      if (outcome.code !== 'chain/unknown-parent') return isIn(outcome) ? fetched : fetched - 1
      const header = decodeHeader(frame.header, keccak256)
      if (!header.ok) return fetched
      wanted = header.value.parentHash
    }
    return limits.fetchParentsMax
  }

  function* single(peer: PeerId, hash: Hash): Job<BlockFrame | null> {
    const answer = yield* blocks(peer, { kind: 'bodies', hashes: [hash] })
    const frame = answer?.frames[0]
    if (frame === undefined) return null
    const header = decodeHeader(frame.header, keccak256)
    if (header.ok && header.value.hash === hash) return frame
    fault(peer, 'sync/bad-reply', `another block than ${hash}`)
    return null
  }

  /** Puts a block before the chain and waits for its verdict; holds back while the queue is full. */
  function* offer(peer: PeerId, frame: BlockFrame, via: 'gossip' | 'fetch'): Job<ImportOutcome> {
    for (let holds = 0; ; holds++) {
      const outcome = yield* asked<ChainMessage, ImportOutcome>(
        chain,
        reply => ({ type: 'chain.offer', frame, from: peer, via, reply }),
        askMs,
      )
      const verdict: ImportOutcome = outcome.ok ? outcome.value : { code: 'load/internal' }
      if (errors[verdict.code].fault === 'peer') {
        fault(peer, 'gossip/invalid-block', `${verdict.code} ${verdict.hash ?? ''}`)
      }
      if (verdict.code !== 'load/mailbox-full' || holds === holdsMax) return verdict
      yield* pause(holdMs)
    }
  }

  function* hashes(
    peer: PeerId,
    numbers: readonly number[],
  ): Job<ReadonlyMap<number, Hash | null> | null> {
    const answers = yield* request(peer, { kind: 'hashes', numbers })
    const [first] = answers ?? []
    if (first?.kind !== 'hashes') return null
    if (first.hashes.length !== numbers.length) {
      fault(peer, 'sync/bad-reply', 'count of hashes')
      return null
    }
    return new Map(numbers.map((number, index) => [number, first.hashes[index] ?? null]))
  }

  function* ourHashes(numbers: readonly number[]): Job<ReadonlyMap<number, Hash | null> | null> {
    const want = { kind: 'hashes', numbers } as const
    const outcome = yield* asked(
      chain,
      (reply: Extract<ChainMessage, { type: 'chain.getFrames' }>['reply']) => ({
        type: 'chain.getFrames' as const,
        want,
        reply,
      }),
      askMs,
    )
    const answer = outcome.ok ? (outcome.value as FramesAnswer) : null
    if (answer === null || !answer.ok) return null
    return new Map(numbers.map((number, index) => [number, answer.value.hashes[index] ?? null]))
  }

  function* blocks(
    peer: PeerId,
    wish: Extract<RangeRequest, { kind: 'range' | 'bodies' }>,
  ): Job<{ frames: readonly BlockFrame[]; more: boolean } | null> {
    const answers = yield* request(peer, wish)
    if (answers === null) return null
    const frames: BlockFrame[] = []
    for (const answer of answers) {
      if (answer.kind === 'block') frames.push(answer.frame)
      if (answer.kind === 'end') return { frames, more: answer.more }
    }
    // Broken off: the node stops, or the connection ended.
    return null
  }

  /** All frames of an answer. Null when the peer cannot answer, also after it has been asked again. */
  function* request(peer: PeerId, wish: RangeRequest): Job<readonly RangeAnswer[] | null> {
    for (let tries = 0; tries < limits.fetchTriesMax; tries++) {
      const outcome = yield* piped(() => send(peer, wish), limits.rangeRequestMs)
      if (!outcome.ok) continue
      const answers = decoded(peer, wish.kind, outcome.value)
      if (answers === null) return null
      const [first] = answers
      if (first?.kind !== 'busy') return answers
      const waitMs = Math.min(first.retryAfterSeconds * 1_000, limits.rangeRequestMs)
      yield* pause(Math.max(1, waitMs))
    }
    return null
  }

  /** One question on its way; call it where work is piped. */
  function send(peer: PeerId, wish: RangeRequest): Promise<readonly Uint8Array[]> {
    return network.request(peer, protocol, encodeRangeRequest(wish), {
      bytesMax: limits.rangeBytesMax + limits.rangeAnswerBytesMax,
      deadlineMs: limits.rangeRequestMs,
    })
  }

  /** Frames of an answer; null, and a fault, when one of them answers no such question. */
  function decoded(
    peer: PeerId,
    kind: RangeRequest['kind'],
    frames: readonly Uint8Array[],
  ): readonly RangeAnswer[] | null {
    const answers: RangeAnswer[] = []
    for (const frame of frames) {
      const answer = decodeRangeAnswer(frame, kind)
      if (!answer.ok) {
        fault(peer, 'sync/bad-reply', `${answer.code} to ${kind}`)
        return null
      }
      answers.push(answer.value)
    }
    return answers
  }

  return { branch, body, hashes, common, send, decoded }
}

export type Fetch = ReturnType<typeof createFetch>

type FramesAnswer = Parameters<
  Extract<ChainMessage, { type: 'chain.getFrames' }>['reply']['tell']
>[0]

/** The chain has the block: the next one may follow. */
export function isIn({ code }: ImportOutcome): boolean {
  return code === 'chain/imported' || code === 'chain/side-branch' || code === 'chain/known'
}

/** Heights at distances 0, 1, 2, 4 … below `top`, down to genesis. */
export function distances(top: number): readonly number[] {
  const heights = [top]
  for (let distance = 1; distance < top; distance *= 2) heights.push(top - distance)
  if (top > 0) heights.push(0)
  return heights
}

/** Up to `limits.hashesMax` heights evenly between two, both excluded, descending. */
function between(low: number, high: number): readonly number[] {
  const count = Math.min(limits.hashesMax, high - low - 1)
  const heights: number[] = []
  for (let index = count; index >= 1; index--) {
    heights.push(low + Math.floor((index * (high - low)) / (count + 1)))
  }
  return [...new Set(heights)].filter(height => height > low && height < high)
}
