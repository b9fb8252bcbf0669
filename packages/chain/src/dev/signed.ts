import type { Hash, Header, Write } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { del, keys, signedWrite } from './records.ts'
import type { Loaded } from './store.ts'

/** What this node signed on which parent: it never signs two blocks on one, also after a restart. Kept for `limits.reorgDepthMax` heights. */
export class Signed {
  readonly #byParent: Map<Hash, { readonly height: number; readonly hash: Hash }>

  constructor(loaded: Loaded['signed']) {
    this.#byParent = new Map(loaded)
  }

  /** The block signed on `parent`, if any. */
  on(parent: Hash): Hash | undefined {
    return this.#byParent.get(parent)?.hash
  }

  /** Writes that remember a block, and forget what is too old to matter. */
  writes({ parentHash, number, hash }: Header): Write[] {
    const old = this.#before(number).map(parent => del(keys.signed(parent)))
    return [signedWrite(parentHash, number, hash), ...old]
  }

  /** These writes are in the store. */
  mark({ parentHash, number, hash }: Header): void {
    this.#byParent.set(parentHash, { height: number, hash })
    for (const parent of this.#before(number)) this.#byParent.delete(parent)
  }

  #before(number: number): Hash[] {
    const end = number - limits.reorgDepthMax
    return [...this.#byParent].flatMap(([parent, { height }]) => (height < end ? [parent] : []))
  }
}
