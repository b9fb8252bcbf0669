import type { Address, Answer, BuiltBlock, Hash, Header, TxRecord } from '@rockpool/protocol'
import { encodeBlockFrame, failed, ok } from '@rockpool/protocol'
import { buildBlock, envOn } from './block.ts'
import type { Effect } from './branch.ts'
import type { BlockTree } from './fork-choice.ts'
import type { Genesis } from './genesis.ts'
import type { Keccak } from './keccak.ts'
import type { Residents } from './residents.ts'
import type { Signed } from './signed.ts'
import type { State, StateView, Undo } from './state.ts'
import { Overlay } from './state.ts'

/** What to build: on `parent` or the head. `sign`: it will be sealed with this node's key. */
export interface BuildWish {
  readonly txs: readonly TxRecord[]
  readonly timeMs: number
  readonly producer: Address
  readonly parent?: Hash
  readonly sign?: boolean
}

export interface BuilderParts {
  readonly genesis: Genesis
  readonly keccak256: Keccak
  readonly state: State
  readonly tree: BlockTree
  readonly residents: Residents
  readonly signed: Signed
  readonly headerOf: (hash: Hash) => Header | undefined
}

const unsealed = new Uint8Array(65)
/** Built blocks whose effects are remembered until they come back sealed. */
const builtMax = 4

/** Makes blocks on the head or on any block whose state can be reached, and remembers what the last ones did until they come back sealed. */
export class Builder {
  readonly #parts: BuilderParts
  readonly #built = new Map<Hash, Effect>()
  /** State after the block built last beside the canonical branch; holds only on the head it was made on. */
  #besides: { readonly hash: Hash; readonly head: Hash; readonly view: Overlay } | null = null

  constructor(parts: BuilderParts) {
    this.#parts = parts
  }

  /** What a block built here did. */
  effectOf(hash: Hash): Effect | undefined {
    return this.#built.get(hash)
  }

  /** Undo records of blocks above `parent` that must be read from the store before anything can be built on it. */
  missingUndos(parent: Hash | undefined): readonly Hash[] {
    const { tree, residents } = this.#parts
    if (parent === undefined || !tree.isCanonical(parent)) return []
    const removed = tree.path(tree.head.hash, parent)?.removed ?? []
    return removed.map(({ hash }) => hash).filter(hash => residents.get(hash)?.undo === undefined)
  }

  /** An executed block that lacks only its seal. `read`: undo records that memory lacks. */
  build(wish: BuildWish, read: ReadonlyMap<Hash, Undo>): Answer<BuiltBlock> {
    const { genesis, keccak256, state, tree, signed, headerOf } = this.#parts
    const parent = headerOf(wish.parent ?? tree.head.hash)
    if (parent === undefined) return failed('chain/unknown-block')
    if (wish.sign === true && signed.on(parent.hash) !== undefined) {
      return failed('chain/double-sign')
    }
    const view = this.#viewAt(parent, read)
    if (view === null) return failed('chain/state-missing')
    const env = envOn(parent, genesis, wish, keccak256)
    const built = buildBlock(parent, view, env, wish.txs)
    const { header, encodedHeader, receipts, changes, undo, included } = built
    this.#built.set(header.hash, { receipts, changes, undo })
    if (view !== state && wish.sign !== undefined) this.#buildBeside(header.hash, view, changes)
    for (const oldest of this.#built.keys()) {
      if (this.#built.size <= builtMax) break
      this.#built.delete(oldest)
    }
    const raws = included.map(({ raw }) => raw)
    const size = encodeBlockFrame({ header: encodedHeader, txs: raws, seal: unsealed }).length
    const block = { header, txs: included, size }
    return ok({ hash: header.hash, header: encodedHeader, block, receipts })
  }

  #viewAt(at: Header, read: ReadonlyMap<Hash, Undo>): StateView | null {
    const { state, tree, residents } = this.#parts
    if (at.hash === tree.head.hash) return state
    const beside = this.#besides
    if (beside?.hash === at.hash && beside.head === tree.head.hash) return beside.view
    const path = tree.path(tree.head.hash, at.hash)
    if (path === undefined) return null
    const overlay = state.overlay()
    for (const { hash } of path.removed) {
      const undo = residents.get(hash)?.undo ?? read.get(hash)
      if (undo === undefined) return null
      overlay.apply(undo)
    }
    for (const { hash } of path.added) {
      const effect = this.#built.get(hash)
      if (effect === undefined) return null
      overlay.apply(effect.changes)
    }
    return overlay
  }

  /** A block that will be built upon: the state after it is kept, so that a long branch does not cost its square. */
  #buildBeside(hash: Hash, view: StateView, changes: Undo): void {
    if (!(view instanceof Overlay)) return
    view.apply(changes)
    this.#besides = { hash, head: this.#parts.tree.head.hash, view }
  }
}
