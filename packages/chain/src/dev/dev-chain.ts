import type {
  Address,
  Answer,
  Block,
  BlockTag,
  BuiltBlock,
  ChainHead,
  Hash,
  Header,
  ImportOutcome,
  Write,
} from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import type { HeadWindow } from '../head-window.ts'
import { createHeadWindow } from '../head-window.ts'
import type { AccountsAt } from './accounts-at.ts'
import { accountsAt } from './accounts-at.ts'
import type { BranchFailure } from './branch.ts'
import { Branch } from './branch.ts'
import type { BuildWish } from './builder.ts'
import { Builder } from './builder.ts'
import type { Path, TreeBlock, Via } from './fork-choice.ts'
import { BlockTree, isHeavier } from './fork-choice.ts'
import type { Genesis } from './genesis.ts'
import { headOf } from './header.ts'
import { Judge } from './judge.ts'
import type { Keccak } from './keccak.ts'
import { turnOf } from './rank.ts'
import { connectWrites, del, disconnectWrites, forgetWrites, keys, sideWrites } from './records.ts'
import type { Resident } from './residents.ts'
import { Residents } from './residents.ts'
import { Signed } from './signed.ts'
import type { State, Undo } from './state.ts'
import type { Loaded, StoredNode } from './store.ts'

/** A block of the tree. `encoded`: the whole block until it lies in the store, then null. */
export interface Node extends StoredNode {
  encoded: Uint8Array | null
}

/** A change of the head that has been executed beside the state: what to write, and what to do once it is written. */
export interface Switch {
  readonly path: Path
  readonly removed: readonly (Resident & { readonly undo: Undo })[]
  readonly branch: Branch
}

/**
 * The dev chain without its mailbox: keeps the block tree, the state of the head and recent blocks with their undo steps; chooses the head
 * and builds blocks. It does no I/O: it says what to write and moves only when told that it is written, so memory and store never disagree.
 * All accounts are in memory, since every transaction looks one up. Bodies and undo steps of older blocks are not: 4,096 full blocks would
 * be a gigabyte, and they are wanted only by deep reorgs and old balances.
 */
export class DevChain {
  readonly genesis: Genesis
  readonly genesisHash: Hash
  /** Block 0; it is never stored as a body. */
  readonly genesisNode: StoredNode
  readonly judge: Judge
  readonly #keccak256: Keccak
  readonly #state: State
  readonly #tree: BlockTree
  readonly #nodes = new Map<Hash, Node>()
  readonly #residents = new Residents()
  readonly #window: HeadWindow
  readonly #signed: Signed
  readonly #builder: Builder
  /** Deletions that wait for the next batch. */
  #garbage: Write[] = []
  #diverged = false

  constructor(parts: { genesis: Genesis; keccak256: Keccak; loaded: Loaded }) {
    const { genesis, keccak256, loaded } = parts
    this.genesis = genesis
    this.genesisHash = loaded.genesis.header.hash
    this.genesisNode = loaded.genesis
    this.#keccak256 = keccak256
    this.#state = loaded.state
    this.#signed = new Signed(loaded.signed)
    const [root, ...rest] = loaded.canonical
    const head = loaded.canonical.at(-1)
    if (root === undefined || head === undefined) throw new RangeError('a chain has a head')
    this.#tree = new BlockTree({ ...this.#treeBlock(root), totalWeight: root.totalWeight })
    this.#nodes.set(root.header.hash, { ...root, encoded: null })
    for (const node of rest) this.#readBack(node, 'fetch')
    this.#tree.setHead(head.header.hash)
    for (const node of loaded.sides) this.#readBack(node, node.via)
    this.#window = createHeadWindow(
      loaded.canonical.slice(-limits.headWindow).map(({ header }) => headOf(header)),
    )
    const headerOf = (hash: Hash) => this.#nodes.get(hash)?.header
    this.#builder = new Builder({
      ...{ genesis, keccak256, headerOf, signed: this.#signed },
      ...{ state: this.#state, tree: this.#tree, residents: this.#residents },
    })
    this.judge = new Judge({
      genesis,
      keccak256,
      headerOf,
      headNumber: () => this.#tree.head.number,
    })
  }

  get head(): Header {
    return this.#nodeOf(this.#tree.head.hash).header
  }

  get totalWeight(): number {
    return this.#tree.head.totalWeight
  }

  /** Whether a heavier branch is left aside because it begins deeper than `limits.reorgDepthMax`. */
  get diverged(): boolean {
    return this.#diverged
  }

  node(hash: Hash): Node | undefined {
    return this.#nodes.get(hash)
  }

  resident(hash: Hash): Resident | undefined {
    return this.#residents.get(hash)
  }

  isCanonical(hash: Hash): boolean {
    return this.#tree.isCanonical(hash)
  }

  /** Canonical hash at a height still kept in memory. */
  canonicalAt(height: number): Hash | undefined {
    return this.#tree.canonicalAt(height)
  }

  /** The height a tag stands for. `pending` is the head: what would come next is built on request. */
  heightOf(tag: BlockTag): number {
    if (tag === 'earliest') return 0
    if (tag === 'safe' || tag === 'finalized') return this.#window.label(tag)?.number ?? 0
    return this.#tree.head.number
  }

  /** The block this node signed on `parent`, if any. */
  signedOn(parent: Hash): Hash | undefined {
    return this.#signed.on(parent)
  }

  /** Takes a block whose header, seal and body root are right into the tree; null when it is in. */
  admit(
    block: Block,
    parts: { encodedHeader: Uint8Array; encoded: Uint8Array; via: Via },
  ): ImportOutcome | null {
    const { header, seal, size } = block
    const { hash, parentHash, producer } = header
    const { encodedHeader, encoded, via } = parts
    const node = { header, encodedHeader, seal, size, totalWeight: 0, via, encoded }
    const added = this.#tree.add(this.#treeBlock(node), via)
    if (added.code !== 'added') return { code: added.code, hash }
    this.#nodes.set(hash, { ...node, totalWeight: added.block.totalWeight })
    this.#residents.set({ block })
    for (const evicted of added.evicted) this.#forget(evicted)
    const isDouble = this.#tree.siblings(parentHash, producer).length > 1
    if (isDouble && producer !== this.genesis.director) this.judge.count(producer, 'doubles')
    return null
  }

  /** Takes an admitted block back out as if it had never come: it could not be written. */
  withdraw(hash: Hash): void {
    for (const dropped of this.#tree.reject(hash)) this.#forget(dropped)
  }

  /**
   * The way to the block that should be head; null when the head is it. With `only`, the newest block is the only one that could be better,
   * which spares a look at the whole tree.
   */
  plan(only?: Hash): Path | null {
    const { head } = this.#tree
    const best = only === undefined ? this.#tree.best() : this.#tree.get(only)
    if (best === undefined || !isHeavier(best, head)) return null
    const path = this.#tree.path(head.hash, best.hash)
    if (path !== undefined && path.removed.length <= limits.reorgDepthMax) return path
    this.#diverged = true
    return null
  }

  /** What of a path must be read from the store before it can run. */
  missing(path: Path): { removed: readonly Hash[]; added: readonly Hash[] } {
    const hashes = (blocks: readonly TreeBlock[], isThere: (resident: Resident) => boolean) =>
      blocks
        .map(({ hash }) => hash)
        .filter(hash => {
          const resident = this.#residents.get(hash)
          return resident === undefined || !isThere(resident)
        })
    return {
      removed: hashes(path.removed, ({ undo }) => undo !== undefined),
      added: hashes(path.added, () => true),
    }
  }

  /** A path ready to run, with what was read from the store for it; null when something is still missing. */
  prepare(path: Path, read: ReadonlyMap<Hash, Resident>): Switch | null {
    const removed: (Resident & { undo: Undo })[] = []
    for (const { hash } of path.removed) {
      const found = read.get(hash) ?? this.#residents.get(hash)
      if (found?.undo === undefined) return null
      removed.push({ ...found, undo: found.undo })
    }
    const added: Block[] = []
    for (const { hash } of path.added) {
      const found = this.#residents.get(hash) ?? read.get(hash)
      if (found === undefined) return null
      added.push(found.block)
    }
    const branch = new Branch({
      genesis: this.genesis,
      keccak256: this.#keccak256,
      state: this.#state,
      ancestor: this.#nodeOf(path.ancestor.hash).header,
      undos: removed.map(({ undo }) => undo),
      added,
      known: hash => this.#builder.effectOf(hash),
    })
    return { path, removed, branch }
  }

  /** A block failed execution: it and everything built on it is out for an hour, and counted against its producer. */
  fail({ hash }: BranchFailure, nowMs: number): void {
    this.judge.count(this.#nodeOf(hash).header.producer, 'invalid')
    for (const dropped of this.#tree.reject(hash)) {
      const node = this.#nodes.get(dropped)
      if (node !== undefined) this.judge.condemn(dropped, node.seal, nowMs)
      this.#forget(dropped)
    }
  }

  /** The batches of a switch, in order: one for each block that leaves or joins, and each leaves a consistent chain behind. */
  switchWrites({ removed, branch }: Switch): Write[][] {
    const batches: Write[][] = []
    for (const { block, undo } of removed) {
      const { header, txs } = block
      batches.push(disconnectWrites(this.genesisHash, { header, txs, undo }))
    }
    for (const { block, ...effect } of branch.executed) {
      const { header, txs } = block
      const node = this.#nodeOf(header.hash)
      const batch = connectWrites(this.genesisHash, {
        header,
        txs,
        node,
        encoded: node.encoded,
        ...effect,
      })
      const aged = this.#tree.canonicalAt(header.number - limits.reorgDepthMax)
      if (aged !== undefined) batch.push(del(keys.undo(aged)))
      batches.push(batch)
    }
    // First, since what is forgotten here may have come again.
    batches[0]?.unshift(...this.#takeGarbage())
    return batches
  }

  /** The batch that keeps an admitted block beside the canonical branch. */
  sideWrites(hash: Hash): Write[] {
    const node = this.#nodeOf(hash)
    if (node.encoded === null) return []
    return [...this.#takeGarbage(), ...sideWrites(node.header, node, node.encoded)]
  }

  /** Writes that remember what this node signed on a parent, and forget what is too old to matter. */
  signedWrites(header: Header): Write[] {
    return this.#signed.writes(header)
  }

  /** A switch is written: make it. */
  commit({ path, removed, branch }: Switch): ChainHead {
    this.#diverged = false
    const top = path.added.at(-1)
    if (top === undefined) throw new RangeError('a switch adds a block')
    const old = headOf(this.head)
    branch.settle(this.#state)
    for (const { block } of removed) this.#residents.set({ block })
    for (const { block, receipts, undo } of branch.executed) {
      this.#residents.set({ block, receipts, undo })
      this.#nodeOf(block.header.hash).encoded = null
    }
    // What ages out at the lower end of the canonical branch stays in the store; side blocks go.
    const aged = new Set<Hash>()
    for (let height = old.number; height < top.number; height++) {
      const hash = this.#tree.canonicalAt(height - limits.reorgDepthMax)
      if (hash !== undefined) aged.add(hash)
    }
    for (const hash of this.#tree.setHead(top.hash)) {
      if (aged.has(hash)) this.#nodes.delete(hash)
      else this.#forget(hash)
    }
    this.#residents.shrink()
    const added = branch.executed.map(({ block }) => block)
    const gone = removed.map(({ block }) => block)
    this.#window.advance({
      removed: gone.map(({ header }) => header),
      added: added.map(({ header }) => headOf(header)),
    })
    const { hash, number } = path.ancestor
    return {
      type: 'chain.head',
      old,
      new: headOf(this.head),
      ancestor: { hash, number },
      removed: gone,
      added,
    }
  }

  /** A side block is written. */
  markStored(hash: Hash): void {
    this.#nodeOf(hash).encoded = null
    this.#residents.shrink()
  }

  /** What this node signed is written. */
  markSigned(header: Header): void {
    this.#signed.mark(header)
  }

  /** Undo records of blocks above `parent` that must be read from the store before anything can be built on it. */
  missingUndos(parent: Hash | undefined): readonly Hash[] {
    return this.#builder.missingUndos(parent)
  }

  /** An executed block that lacks only its seal. `read`: undo records that memory lacks. */
  build(wish: BuildWish, read: ReadonlyMap<Hash, Undo> = new Map()): Answer<BuiltBlock> {
    return this.#builder.build(wish, read)
  }

  /** Accounts at a canonical block, newest undo steps first as far as they are in memory. */
  accountsAt(addresses: readonly Address[], at: Header): AccountsAt {
    const chain = { state: this.#state, tree: this.#tree, residents: this.#residents }
    return accountsAt(chain, addresses, at)
  }

  #treeBlock({
    header,
    size,
  }: Pick<StoredNode, 'header' | 'size'>): Omit<TreeBlock, 'totalWeight'> {
    const { hash, parentHash, number, producer } = header
    const weight = turnOf(this.genesis, producer, number)?.weight ?? 0
    return { hash, parent: parentHash, number, weight, producer, size }
  }

  #readBack(node: StoredNode, via: Via): void {
    const added = this.#tree.add(this.#treeBlock(node), via)
    if (added.code === 'added') this.#nodes.set(node.header.hash, { ...node, encoded: null })
    else this.#garbage.push(...forgetWrites(node.header))
  }

  #forget(hash: Hash): void {
    const node = this.#nodes.get(hash)
    if (node === undefined) return
    if (node.encoded === null) this.#garbage.push(...forgetWrites(node.header))
    this.#nodes.delete(hash)
    this.#residents.drop(hash)
  }

  #takeGarbage(): Write[] {
    const garbage = this.#garbage
    this.#garbage = []
    return garbage
  }

  #nodeOf(hash: Hash): Node {
    const node = this.#nodes.get(hash)
    if (node === undefined) throw new Error(`block ${hash} is not in the tree`)
    return node
  }
}
