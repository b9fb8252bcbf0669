import { type Address, type Hash, limits } from '@rockpool/protocol'
import { type Entry, keyOf, type Since } from './tracked.ts'

export type Used = Since & { readonly hash: Hash }

/** Own nonces that a block has used, with the own transaction or a rival of it: a reorg may free them again. The newest so many. */
export class UsedNonces {
  private readonly used = new Map<string, Used>()
  private readonly oldest = this.used.keys()
  /** Those of them that were private. */
  private readonly privates = new Set<Hash>()

  /** The own transaction that was followed at this nonce until a block used it. */
  at(sender: Address, nonce: bigint): Used | undefined {
    return this.used.get(keyOf(sender, nonce))
  }

  isPrivate(hash: Hash): boolean {
    return this.privates.has(hash)
  }

  note({ tx, origin, seq, firstSeenMs, trackedAtMs }: Entry): void {
    const { hash, sender, nonce } = tx
    this.free(sender, nonce)
    this.used.set(keyOf(sender, nonce), { hash, origin, seq, firstSeenMs, trackedAtMs })
    if (origin === 'private') this.privates.add(hash)
    if (this.used.size <= limits.trackedMinedMax) return
    const { value: oldest } = this.oldest.next()
    if (oldest !== undefined) this.forget(oldest)
  }

  /** No block is remembered to have used this nonce. */
  free(sender: Address, nonce: bigint): void {
    this.forget(keyOf(sender, nonce))
  }

  private forget(key: string): void {
    const used = this.used.get(key)
    if (used === undefined) return
    this.used.delete(key)
    this.privates.delete(used.hash)
  }
}
