import type { BlockFrame, Hash, Header, PeerId } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import type { Via } from './fork-choice.ts'

/** A block whose header has been read and whose seal is its producer's. */
export interface SealedBlock {
  readonly header: Header
  readonly frame: BlockFrame
  /** The whole block as it travels. */
  readonly encoded: Uint8Array
  readonly from: PeerId
  readonly via: Via
}

interface Waiting {
  readonly sealed: SealedBlock
  readonly untilMs: number
  /** For a block from the future: when it may be judged. Otherwise it waits for its parent. */
  readonly dueMs: number | null
}

/**
 * Blocks that cannot be judged yet: their parent is missing, or their time has not come. At most `limits.orphansMax` blocks and
 * `limits.orphanBytesMax`, each for `limits.orphanMs`; when full the oldest goes. Times are of the chain clock.
 */
export class Orphans {
  readonly #waiting = new Map<Hash, Waiting>()
  #bytes = 0

  get size(): number {
    return this.#waiting.size
  }

  /** Highest block that waits for its parent: how far the others are known to be. */
  get highest(): number {
    let highest = 0
    for (const { sealed, dueMs } of this.#waiting.values()) {
      if (dueMs === null && sealed.header.number > highest) highest = sealed.header.number
    }
    return highest
  }

  has(hash: Hash): boolean {
    return this.#waiting.has(hash)
  }

  /** Keeps a block; one due only after it would have been dropped is not kept. */
  add(sealed: SealedBlock, nowMs: number, dueMs: number | null): void {
    const untilMs = nowMs + limits.orphanMs
    if (dueMs !== null && dueMs > untilMs) return
    this.#drop(sealed.header.hash)
    this.#waiting.set(sealed.header.hash, { sealed, untilMs, dueMs })
    this.#bytes += sealed.encoded.length
    for (const hash of this.#waiting.keys()) {
      if (this.#waiting.size <= limits.orphansMax && this.#bytes <= limits.orphanBytesMax) return
      this.#drop(hash)
    }
  }

  /** Takes out the blocks that waited for this parent. */
  takeChildren(parent: Hash): readonly SealedBlock[] {
    return this.#take(({ sealed, dueMs }) => dueMs === null && sealed.header.parentHash === parent)
  }

  /** Takes out the blocks whose time has come, and forgets those that have waited too long. */
  takeDue(nowMs: number): readonly SealedBlock[] {
    const due = this.#take(({ dueMs }) => dueMs !== null && dueMs <= nowMs)
    for (const [hash, { untilMs }] of this.#waiting) if (untilMs <= nowMs) this.#drop(hash)
    return due
  }

  /** When `takeDue` will next have something to do. */
  nextMs(): number | undefined {
    let next: number | undefined
    for (const { untilMs, dueMs } of this.#waiting.values()) {
      const at = dueMs ?? untilMs
      if (next === undefined || at < next) next = at
    }
    return next
  }

  #take(wanted: (waiting: Waiting) => boolean): readonly SealedBlock[] {
    const taken: SealedBlock[] = []
    for (const [hash, waiting] of this.#waiting) {
      if (!wanted(waiting)) continue
      taken.push(waiting.sealed)
      this.#drop(hash)
    }
    return taken
  }

  #drop(hash: Hash): void {
    const waiting = this.#waiting.get(hash)
    if (waiting === undefined) return
    this.#waiting.delete(hash)
    this.#bytes -= waiting.sealed.encoded.length
  }
}
