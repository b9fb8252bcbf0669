import type { Address, BlockFrame, Hash, Header, ImportOutcome, PeerId } from '@rockpool/protocol'
import { bytesToQuantity, encodeBlockFrame, isSignatureInRange, limits } from '@rockpool/protocol'
import { checkHeader } from './block.ts'
import type { Via } from './fork-choice.ts'
import { InvalidBlocks } from './fork-choice.ts'
import type { Genesis } from './genesis.ts'
import { decodeHeader } from './header.ts'
import type { Keccak } from './keccak.ts'
import type { SealedBlock } from './orphans.ts'
import { turnOf } from './rank.ts'

/** What producers did that nobody else can be blamed for. */
export interface Faults {
  /** Blocks that failed execution. */
  invalid: number
  /** Second blocks on one parent. */
  doubles: number
}

/** What the judge must know of the chain it judges for. */
export interface Bench {
  readonly genesis: Genesis
  readonly keccak256: Keccak
  /** Header of a block in the tree. */
  headerOf(hash: Hash): Header | undefined
  headNumber(): number
}

/**
 * What can be said of a block before its transactions are looked at, in the order that decides its code. Remembers what failed execution:
 * by hash and seal, since the seal lies outside the hash and a forged one must not shadow the true block.
 */
export class Judge {
  readonly faults = new Map<Address, Faults>()
  readonly #bench: Bench
  readonly #invalid = new InvalidBlocks()
  /** Blocks that failed execution or stand on one that did, by hash: whatever their seal, nothing can stand on them. */
  readonly #barren = new Map<Hash, number>()

  constructor(bench: Bench) {
    this.#bench = bench
  }

  /** Size, header, known or judged before, form of the seal, producer. Whether the seal is the producer's is for the caller to recover. */
  open(frame: BlockFrame, from: PeerId, via: Via, nowMs: number): SealedBlock | ImportOutcome {
    const { genesis, keccak256 } = this.#bench
    if (bodyBytes(frame) > limits.blockBytesMax) return undecodable('size')
    const decoded = decodeHeader(frame.header, keccak256)
    if (!decoded.ok) return undecodable('header')
    const header = decoded.value
    const { hash } = header
    if (this.#bench.headerOf(hash) !== undefined) return { code: 'chain/known', hash }
    if (this.#invalid.has(hash, frame.seal, nowMs)) {
      return { code: 'chain/invalid-body', hash, check: 'judged-before' }
    }
    if (!isSealShaped(frame.seal)) return { code: 'chain/bad-signature', hash, check: 'form' }
    if (header.number === 0 || turnOf(genesis, header.producer, header.number) === null) {
      return { code: 'chain/unknown-producer', hash, check: 'producer' }
    }
    const encoded = encodeBlockFrame(frame)
    if (encoded.length > limits.blockBytesMax) return undecodable('size')
    return { header, frame, encoded, from, via }
  }

  /** Null when the header is right on a parent that is here and its time has come on the chain clock. */
  place(
    { header, via }: Pick<SealedBlock, 'header' | 'via'>,
    nowMs: number,
    chainMs: number,
  ): ImportOutcome | null {
    const { hash, parentHash } = header
    if (this.#bench.headerOf(hash) !== undefined) return { code: 'chain/known', hash }
    const depth = this.#bench.headNumber() - header.number
    if (depth >= (via === 'gossip' ? limits.sideHeightsMax : limits.reorgDepthMax)) {
      return { code: 'chain/too-old', hash }
    }
    const barrenUntil = this.#barren.get(parentHash)
    if (barrenUntil !== undefined && nowMs < barrenUntil) {
      return { code: 'chain/invalid-body', hash, check: 'parent' }
    }
    const parent = this.#bench.headerOf(parentHash)
    if (parent === undefined) return { code: 'chain/unknown-parent', hash }
    const refusal = checkHeader(parent, header, this.#bench.genesis)
    if (refusal !== null) return { ...refusal, hash }
    if (header.timeMs > chainMs + limits.blockFutureMs) return { code: 'chain/in-future', hash }
    return null
  }

  /** A block failed execution, or stands on one that did. Out for an hour. */
  condemn(hash: Hash, seal: Uint8Array, nowMs: number): void {
    this.#invalid.mark(hash, seal, nowMs)
    this.#barren.delete(hash)
    this.#barren.set(hash, nowMs + limits.invalidBlockMs)
    for (const [oldest, until] of this.#barren) {
      if (until > nowMs && this.#barren.size <= limits.invalidBlocksMax) break
      this.#barren.delete(oldest)
    }
  }

  /** Counts against a producer; there are at most as many as the genesis names. */
  count(producer: Address, fault: keyof Faults): void {
    const faults = this.faults.get(producer) ?? { invalid: 0, doubles: 0 }
    faults[fault] += 1
    this.faults.set(producer, faults)
  }
}

/** Less than the encoded size, which a duplicate is not worth. */
function bodyBytes({ txs }: BlockFrame): number {
  let bytes = 0
  for (const tx of txs) bytes += tx.length
  return bytes
}

/** r, s and y of a seal: in range, low s. */
function isSealShaped(seal: Uint8Array): boolean {
  if (seal.length !== 65) return false
  const parity = BigInt(seal[64] ?? 2)
  const r = bytesToQuantity(seal.subarray(0, 32))
  const s = bytesToQuantity(seal.subarray(32, 64))
  return isSignatureInRange(r, s, parity)
}

function undecodable(check: string): ImportOutcome {
  return { code: 'chain/block-undecodable', check }
}
