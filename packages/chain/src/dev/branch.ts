import type { Block, Hash, Header, TxReceipt } from '@rockpool/protocol'
import { envOn, verifyExecution } from './block.ts'
import { execute } from './execute.ts'
import type { Genesis } from './genesis.ts'
import type { Keccak } from './keccak.ts'
import type { Overlay, State, StateView, Undo } from './state.ts'

/** What executing a block gave. */
export interface Effect {
  readonly receipts: readonly TxReceipt[]
  readonly changes: Undo
  readonly undo: Undo
}

export type ExecutedBlock = Effect & { readonly block: Block }

export interface BranchFailure {
  readonly hash: Hash
  /** The rule that was broken, for example `state-root` or `nonce`. */
  readonly check: string
}

/**
 * A branch executed in memory, beside the state, before anything moves: the removed blocks are undone on an overlay and the added ones run
 * on top of it. Works in slices, so that a deep branch does not hold the turn.
 */
export class Branch {
  readonly executed: ExecutedBlock[] = []
  readonly #genesis: Genesis
  readonly #keccak256: Keccak
  readonly #known: (hash: Hash) => Effect | undefined
  readonly #added: readonly Block[]
  readonly #overlay: Overlay | null
  readonly #view: StateView
  #parent: Header

  /** `undos` of the removed blocks, newest first; `added` oldest first. `known`: effects of blocks this node has executed before. */
  constructor(options: {
    readonly genesis: Genesis
    readonly keccak256: Keccak
    readonly state: State
    readonly ancestor: Header
    readonly undos: readonly Undo[]
    readonly added: readonly Block[]
    readonly known: (hash: Hash) => Effect | undefined
  }) {
    const { state, undos, added } = options
    this.#genesis = options.genesis
    this.#keccak256 = options.keccak256
    this.#known = options.known
    this.#added = added
    this.#parent = options.ancestor
    // A single block on the head needs nobody between it and the state.
    this.#overlay = undos.length === 0 && added.length === 1 ? null : state.overlay()
    this.#view = this.#overlay ?? state
    for (const undo of undos) this.#overlay?.apply(undo)
  }

  /** Executes blocks until all are done or about `txsMax` transactions have run. */
  run(txsMax: number): 'done' | 'more' | BranchFailure {
    let txs = 0
    while (this.executed.length < this.#added.length) {
      const block = this.#added[this.executed.length]
      if (block === undefined) break
      if (txs > 0 && txs + block.txs.length > txsMax) return 'more'
      const effect = this.#known(block.header.hash) ?? this.#execute(block)
      if ('check' in effect) return { hash: block.header.hash, check: effect.check }
      this.executed.push({ ...effect, block })
      this.#overlay?.apply(effect.changes)
      this.#parent = block.header
      txs += block.txs.length + 1
    }
    return 'done'
  }

  /** Makes what has been executed the state: account by account, not block by block. */
  settle(state: State): void {
    if (this.#overlay !== null) return state.revert(this.#overlay.changes)
    for (const { changes } of this.executed) state.commit(changes)
  }

  #execute({ header, txs }: Block): Effect | { readonly check: string } {
    const env = envOn(this.#parent, this.#genesis, header, this.#keccak256)
    const result = execute(this.#view, env, txs)
    if (!result.ok) return { check: result.check }
    return verifyExecution(this.#parent, header, txs, result, this.#keccak256) ?? result
  }
}
