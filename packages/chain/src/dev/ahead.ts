import type { Answer, Block, BlockFrame, Crypto, Hash, Recovery } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { openBody } from './archive.ts'
import { decodeHeader, sealDigest } from './header.ts'
import type { Keccak } from './keccak.ts'

/** What recovering the signatures of a block gave. */
export interface Opened {
  readonly signer: Promise<string | undefined>
  /** Begun with the first question for it: a body is not worth work before its seal is. */
  readonly body: Promise<Answer<Block['txs']>>
}

/** A block that waits for its turn. */
export interface Upcoming {
  readonly frame: BlockFrame
  readonly hash: Hash
}

/** Which of the blocks that wait come next. Their headers are read once, though they are looked at for as long as they wait. */
export class Outlook {
  readonly #keccak256: Keccak
  readonly #hashes = new WeakMap<BlockFrame, Hash | null>()

  constructor(keccak256: Keccak) {
    this.#keccak256 = keccak256
  }

  on(frames: readonly BlockFrame[]): readonly Upcoming[] {
    return frames.slice(0, limits.recoverAheadBlocksMax).flatMap(frame => {
      const hash = this.#hashOf(frame)
      return hash === null ? [] : [{ frame, hash }]
    })
  }

  #hashOf(frame: BlockFrame): Hash | null {
    const known = this.#hashes.get(frame)
    if (known !== undefined) return known
    const header = decodeHeader(frame.header, this.#keccak256)
    const hash = header.ok ? header.value.hash : null
    this.#hashes.set(frame, hash)
    return hash
  }
}

/**
 * Signatures of blocks that wait for import, recovered while the one before them is executed, so that workers and the thread of the chain
 * are busy together. What is recovered of blocks that turn out bad is wasted: bounded by `limits.recoverAheadBlocksMax` and
 * `limits.recoverAheadTxsMax`, and only blocks fetched from a peer that is left at its first bad one come here.
 */
export class Ahead {
  readonly #crypto: Crypto
  readonly #recovery: Recovery
  readonly #opened = new WeakMap<BlockFrame, Partial<Opened>>()

  constructor(parts: { crypto: Crypto; recovery: Recovery }) {
    this.#crypto = parts.crypto
    this.#recovery = parts.recovery
  }

  /** Who signed the header; rejects when recovery failed. I/O: call it where work is piped. */
  signer({ frame, hash }: Upcoming): Opened['signer'] {
    const known = this.#opened.get(frame)
    if (known?.signer !== undefined) return known.signer
    const { seal } = frame
    const digest = sealDigest(hash, this.#crypto.keccak256)
    const job = { digest, r: seal.subarray(0, 32), s: seal.subarray(32, 64), id: seal[64] ?? 0 }
    const signer = this.#crypto.recover([job]).then(([address]) => address)
    this.#opened.set(frame, { ...known, signer })
    return signer
  }

  /** The transactions with their senders. I/O: call it where work is piped. */
  body(frame: BlockFrame): Opened['body'] {
    const known = this.#opened.get(frame)
    if (known?.body !== undefined) return known.body
    const { keccak256 } = this.#crypto
    const body = openBody(frame, { keccak256, recovery: this.#recovery })
    this.#opened.set(frame, { ...known, body })
    return body
  }

  /** Begins with the blocks that come next. I/O: call it where work is piped. */
  begin(upcoming: readonly Upcoming[]): void {
    let txs = 0
    for (const next of upcoming.slice(0, limits.recoverAheadBlocksMax)) {
      txs += next.frame.txs.length
      if (txs > limits.recoverAheadTxsMax) return
      const known = this.#opened.get(next.frame)
      if (known?.body !== undefined) continue
      // Nobody looks at a failure before the block has its turn; then it is asked for again.
      const failed = () => this.#opened.delete(next.frame)
      void this.signer(next).catch(failed)
      void this.body(next.frame).catch(failed)
    }
  }
}
