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

/** When a block from the future may be judged. */
export interface Due {
  /** Chain time. Epoch ms. */
  readonly atMs: number
  /** Real time until then. Milliseconds. */
  readonly waitMs: number
}

interface Waiting {
  readonly sealed: SealedBlock
  readonly untilMs: number
  /** For a block from the future: when it may be judged. Otherwise it waits for its parent. */
  readonly dueMs: number | null
}

/**
 * Blocks that cannot be judged yet: their parent is missing, or their time has not come. At most `limits.orphansMax` blocks and
 * `limits.orphanBytesMax`, each for `limits.orphanMs` of wall time; when full the oldest goes. Dues are of the chain clock, which may run faster.
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

  /** Keeps a block; `due`: chain time when it may be judged, and how long until then. One due only after it would be dropped is not kept. */
  add(sealed: SealedBlock, nowMs: number, due: Due | null): void {
    const untilMs = nowMs + limits.orphanMs
    if (due !== null && due.waitMs > limits.orphanMs) return
    const dueMs = due?.atMs ?? null
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
  takeDue(nowMs: number, chainMs: number): readonly SealedBlock[] {
    const due = this.#take(({ dueMs }) => dueMs !== null && dueMs <= chainMs)
    for (const [hash, { untilMs }] of this.#waiting) if (untilMs <= nowMs) this.#drop(hash)
    return due
  }

  /** When `takeDue` will next have something to do, in wall time; `wallMsOf` tells when it will be so late on the chain clock. */
  nextMs(wallMsOf: (chainMs: number) => number): number | undefined {
    let next: number | undefined
    for (const { untilMs, dueMs } of this.#waiting.values()) {
      const at = dueMs === null ? untilMs : Math.min(untilMs, wallMsOf(dueMs))
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
