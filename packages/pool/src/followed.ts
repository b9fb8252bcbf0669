import { type Address, type Hash, limits } from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import type { Entry } from './tracked.ts'

/** What is followed, by sender and nonce and by hash, and whether a look at it may find something to do. */
export class Followed {
  readonly byHash = new Map<Hash, Entry>()
  private readonly bySender = new Map<Address, Map<bigint, Entry>>()
  /** Whether one may be waiting: set when one begins to, taken back by a look that finds none. */
  private mayWait = false
  /** When the first of them is followed too long, at the soonest. */
  private firstEndMs = Number.POSITIVE_INFINITY
  private readonly localLifetimeMs: number

  constructor({ localLifetimeMs }: Pick<PoolConfig, 'localLifetimeMs'>) {
    this.localLifetimeMs = localLifetimeMs
  }

  get size(): number {
    return this.byHash.size
  }

  at(sender: Address, nonce: bigint): Entry | undefined {
    return this.bySender.get(sender)?.get(nonce)
  }

  /** Whether a look may find something to do within the longest time between two. */
  wantsLook(now: number): boolean {
    return this.mayWait || this.firstEndMs - now <= limits.trackerRecheckMs
  }

  insert(entry: Entry): void {
    const { sender, nonce, hash } = entry.tx
    const nonces = this.bySender.get(sender)
    if (nonces === undefined) this.bySender.set(sender, new Map([[nonce, entry]]))
    else nonces.set(nonce, entry)
    this.byHash.set(hash, entry)
    this.noteEnd(entry)
    if (entry.waitsFor !== undefined) this.mayWait = true
  }

  remove(entry: Entry): void {
    const { sender, nonce, hash } = entry.tx
    this.byHash.delete(hash)
    const nonces = this.bySender.get(sender)
    nonces?.delete(nonce)
    if (nonces?.size === 0) this.bySender.delete(sender)
  }

  wait(entry: Entry, why: string | undefined): void {
    entry.waitsFor = why
    if (why !== undefined) this.mayWait = true
  }

  /** Looks at all: those that wait, and apart from them those followed too long. What it finds decides when the next look is wanted. */
  look(now: number): { readonly waiting: Entry[]; readonly expired: Entry[] } {
    const { localLifetimeMs } = this
    const waiting: Entry[] = []
    const expired: Entry[] = []
    this.mayWait = false
    this.firstEndMs = Number.POSITIVE_INFINITY
    for (const entry of this.byHash.values()) {
      if (localLifetimeMs > 0 && now - entry.trackedAtMs >= localLifetimeMs) {
        expired.push(entry)
        continue
      }
      this.noteEnd(entry)
      if (entry.waitsFor === undefined) continue
      this.mayWait = true
      waiting.push(entry)
    }
    return { waiting, expired }
  }

  private noteEnd({ trackedAtMs }: Entry): void {
    const { localLifetimeMs } = this
    if (localLifetimeMs > 0) {
      this.firstEndMs = Math.min(this.firstEndMs, trackedAtMs + localLifetimeMs)
    }
  }
}
