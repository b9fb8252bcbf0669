import type { Address, Hash } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'

/** What fork choice knows of a block. */
export interface TreeBlock {
  readonly hash: Hash
  readonly parent: Hash
  readonly number: number
  readonly weight: number
  /** Sum of the weights from genesis to here. Below 2^53: 256 x 2^44 blocks. */
  readonly totalWeight: number
  readonly producer: Address
  /** Encoded size. Bytes. */
  readonly size: number
}

/** Caps hold on what gossip brings, never on ancestors fetched for a heavier head or read back from disk. */
export type Via = 'gossip' | 'fetch'

export type Added =
  | { readonly code: 'added'; readonly block: TreeBlock; readonly evicted: readonly Hash[] }
  | {
      readonly code:
        | 'chain/known'
        | 'chain/unknown-parent'
        | 'chain/too-old'
        | 'chain/too-many-at-height'
    }

export interface Path {
  readonly ancestor: TreeBlock
  /** Newest first. */
  readonly removed: readonly TreeBlock[]
  /** Oldest first. */
  readonly added: readonly TreeBlock[]
}

interface Node extends TreeBlock {
  readonly children: Set<Hash>
  readonly via: Via
}

/** Whether `left` is to be preferred to `right`: more total weight, on a tie the lower hash. */
export function isHeavier(
  left: Pick<TreeBlock, 'totalWeight' | 'hash'>,
  right: Pick<TreeBlock, 'totalWeight' | 'hash'>,
): boolean {
  if (left.totalWeight !== right.totalWeight) return left.totalWeight > right.totalWeight
  return left.hash < right.hash
}

/**
 * The blocks that could still matter: the canonical branch down to `reorgDepthMax` below the head, and the side branches beside it. Pure:
 * it says which head should be, the caller executes and then moves it. An equivocator may tell each node a different block; so nothing
 * here depends on what came first, except which side blocks of gossip are kept when there are too many.
 */
export class BlockTree {
  readonly #nodes = new Map<Hash, Node>()
  readonly #byNumber = new Map<number, Set<Hash>>()
  /** Canonical hash of each height that is kept. */
  readonly #canonical = new Map<number, Hash>()
  #head: Node
  /** Undefined after the best block was dropped, until somebody asks. */
  #best: Node | undefined
  #lowest: number
  #sideBytes = 0

  /** `root` is genesis, or the oldest block that is read back at start. */
  constructor(root: TreeBlock) {
    this.#head = this.#insert(root, 'fetch')
    this.#best = this.#head
    this.#canonical.set(root.number, root.hash)
    this.#lowest = root.number
  }

  get head(): TreeBlock {
    return this.#head
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Bytes of all blocks off the canonical branch. */
  get sideBytes(): number {
    return this.#sideBytes
  }

  has(hash: Hash): boolean {
    return this.#nodes.has(hash)
  }

  get(hash: Hash): TreeBlock | undefined {
    return this.#nodes.get(hash)
  }

  isCanonical(hash: Hash): boolean {
    const node = this.#nodes.get(hash)
    return node !== undefined && this.#canonical.get(node.number) === hash
  }

  /** Canonical hash at a height that is still kept. */
  canonicalAt(number: number): Hash | undefined {
    return this.#canonical.get(number)
  }

  /** Blocks of `producer` on `parent` that are kept: more than one is evidence against the producer. */
  siblings(parent: Hash, producer: Address): readonly TreeBlock[] {
    const found: TreeBlock[] = []
    for (const hash of this.#nodes.get(parent)?.children ?? []) {
      const node = this.#nodes.get(hash)
      if (node?.producer === producer) found.push(node)
    }
    return found
  }

  /** Takes a block whose header and seal are right. Its weight is that of its rank; the total follows from its parent. */
  add(block: Omit<TreeBlock, 'totalWeight'>, via: Via): Added {
    if (this.#nodes.has(block.hash)) return { code: 'chain/known' }
    const depth = this.#head.number - block.number
    if (depth >= (via === 'gossip' ? limits.sideHeightsMax : limits.reorgDepthMax)) {
      return { code: 'chain/too-old' }
    }
    const parent = this.#nodes.get(block.parent)
    if (parent === undefined) return { code: 'chain/unknown-parent' }
    const candidate: TreeBlock = { ...block, totalWeight: parent.totalWeight + block.weight }
    const evicted: Hash[] = []
    if (via === 'gossip' && !this.#makeRoom(candidate, evicted)) {
      return { code: 'chain/too-many-at-height' }
    }
    const added = this.#insert(candidate, via)
    this.#sideBytes += added.size
    this.#shrink(added, evicted)
    if (!this.#nodes.has(added.hash)) return { code: 'chain/too-many-at-height' }
    return { code: 'added', block: added, evicted }
  }

  /** The block that should be head: greatest total weight, on a tie the lower hash. The head itself when nothing is better. */
  best(): TreeBlock {
    if (this.#best === undefined) {
      let best = this.#head
      for (const node of this.#nodes.values()) if (isHeavier(node, best)) best = node
      this.#best = best
    }
    return this.#best
  }

  /** The way from one block to another through their last common ancestor; undefined when either or the ancestor is not kept. */
  path(from: Hash, to: Hash): Path | undefined {
    let left = this.#nodes.get(from)
    let right = this.#nodes.get(to)
    const removed: TreeBlock[] = []
    const added: TreeBlock[] = []
    while (left !== undefined && right !== undefined && left !== right) {
      if (left.number > right.number) {
        removed.push(left)
        left = this.#nodes.get(left.parent)
      } else if (right.number > left.number) {
        added.push(right)
        right = this.#nodes.get(right.parent)
      } else {
        removed.push(left)
        added.push(right)
        left = this.#nodes.get(left.parent)
        right = this.#nodes.get(right.parent)
      }
    }
    if (left === undefined || right === undefined) return undefined
    return { ancestor: left, removed, added: added.reverse() }
  }

  /** Makes `hash` the head and forgets what lies too deep. Returns the hashes that are forgotten. */
  setHead(hash: Hash): readonly Hash[] {
    const path = this.path(this.#head.hash, hash)
    const node = this.#nodes.get(hash)
    if (path === undefined || node === undefined) throw new Error(`no path to head ${hash}`)
    for (const block of path.removed) {
      this.#canonical.delete(block.number)
      this.#sideBytes += block.size
    }
    for (const block of path.added) {
      this.#canonical.set(block.number, block.hash)
      this.#sideBytes -= block.size
    }
    this.#head = node
    return this.#prune()
  }

  /** Forgets a block that failed execution and everything built on it. Returns their hashes. The head stays where it is. */
  reject(hash: Hash): readonly Hash[] {
    if (this.isCanonical(hash)) throw new Error(`canonical block ${hash} cannot be rejected`)
    const dropped: Hash[] = []
    this.#dropBranch(hash, dropped)
    return dropped
  }

  #insert(block: TreeBlock, via: Via): Node {
    const node: Node = { ...block, children: new Set(), via }
    this.#nodes.set(block.hash, node)
    this.#nodes.get(block.parent)?.children.add(block.hash)
    const level = this.#byNumber.get(block.number)
    if (level === undefined) this.#byNumber.set(block.number, new Set([block.hash]))
    else level.add(block.hash)
    if (this.#best !== undefined && isHeavier(node, this.#best)) this.#best = node
    return node
  }

  /** Whether gossip may add `block` at its height; may evict the lightest branch there for it. */
  #makeRoom(block: TreeBlock, evicted: Hash[]): boolean {
    const side: Node[] = []
    let ofProducer = 0
    for (const hash of this.#byNumber.get(block.number) ?? []) {
      const node = this.#nodes.get(hash)
      if (node === undefined) continue
      if (node.producer === block.producer) ofProducer += 1
      if (!this.isCanonical(hash)) side.push(node)
    }
    if (ofProducer >= limits.producerBlocksPerHeight) return false
    if (side.length < limits.sideBlocksPerHeight) return true
    const lightest = this.#lightest(side)
    if (lightest === undefined || !isHeavier(block, lightest.top)) return false
    this.#dropBranch(lightest.node.hash, evicted)
    return true
  }

  /** The branch with the lightest top among those that gossip alone has brought. */
  #lightest(roots: Iterable<Node>): { node: Node; top: TreeBlock } | undefined {
    let lightest: { node: Node; top: TreeBlock } | undefined
    for (const node of roots) {
      const top = this.#topOf(node)
      if (top === undefined) continue
      if (lightest === undefined || isHeavier(lightest.top, top)) lightest = { node, top }
    }
    return lightest
  }

  /** Heaviest block of a branch; undefined when a fetched block is in it, which protects it. */
  #topOf(node: Node): TreeBlock | undefined {
    let top: TreeBlock = node
    const open: Node[] = [node]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.via === 'fetch') return undefined
      if (isHeavier(next, top)) top = next
      for (const hash of next.children) {
        const child = this.#nodes.get(hash)
        if (child !== undefined) open.push(child)
      }
    }
    return top
  }

  /** Keeps the bytes of side branches under their bound: the lightest leaves go first, even `added` itself. */
  #shrink(added: Node, evicted: Hash[]): void {
    while (this.#sideBytes > limits.sideBytesMax) {
      const leaves: Node[] = []
      for (const node of this.#nodes.values()) {
        const leaf = node.children.size === 0 && !this.isCanonical(node.hash)
        if (leaf && (node === added || node.via === 'gossip')) leaves.push(node)
      }
      let lightest = leaves[0]
      for (const leaf of leaves) {
        if (lightest !== undefined && isHeavier(lightest, leaf)) lightest = leaf
      }
      if (lightest === undefined || (lightest === added && added.via === 'fetch')) return
      this.#dropBranch(lightest.hash, lightest === added ? [] : evicted)
      if (lightest === added) return
    }
  }

  #dropBranch(hash: Hash, dropped: Hash[]): void {
    const open: Hash[] = [hash]
    this.#nodes.get(this.#nodes.get(hash)?.parent ?? hash)?.children.delete(hash)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const node = this.#nodes.get(next)
      if (node === undefined) continue
      open.push(...node.children)
      if (!this.isCanonical(next)) this.#sideBytes -= node.size
      this.#forget(node)
      dropped.push(next)
    }
  }

  #forget(node: Node): void {
    this.#nodes.delete(node.hash)
    if (this.#best === node) this.#best = undefined
    const level = this.#byNumber.get(node.number)
    level?.delete(node.hash)
    if (level?.size === 0) this.#byNumber.delete(node.number)
  }

  /** Side branches end `sideHeightsMax` below the head, unless they were fetched; everything ends `reorgDepthMax` below it. */
  #prune(): readonly Hash[] {
    const dropped: Hash[] = []
    const sideEnd = this.#head.number - limits.sideHeightsMax
    const level = this.#byNumber.get(sideEnd)
    for (const hash of [...(level ?? [])]) {
      const node = this.#nodes.get(hash)
      if (node === undefined || this.isCanonical(hash)) continue
      if (this.#topOf(node) !== undefined) this.#dropBranch(hash, dropped)
    }
    const end = this.#head.number - limits.reorgDepthMax
    while (this.#lowest < end) {
      for (const hash of [...(this.#byNumber.get(this.#lowest) ?? [])]) {
        if (!this.isCanonical(hash)) this.#dropBranch(hash, dropped)
      }
      const hash = this.#canonical.get(this.#lowest)
      const node = hash === undefined ? undefined : this.#nodes.get(hash)
      this.#canonical.delete(this.#lowest)
      this.#lowest += 1
      if (node === undefined) continue
      this.#forget(node)
      dropped.push(node.hash)
      for (const child of node.children) {
        if (!this.isCanonical(child)) this.#dropBranch(child, dropped)
      }
    }
    return dropped
  }
}

/**
 * Blocks that failed execution, for an hour. Keyed by hash and seal: the seal is outside the hash, so one forged seal must not keep the
 * true block out.
 */
export class InvalidBlocks {
  readonly #until = new Map<string, number>()

  mark(hash: Hash, seal: Uint8Array, nowMs: number): void {
    const key = keyOf(hash, seal)
    this.#until.delete(key)
    this.#until.set(key, nowMs + limits.invalidBlockMs)
    for (const [oldest, until] of this.#until) {
      if (until > nowMs && this.#until.size <= limits.invalidBlocksMax) break
      this.#until.delete(oldest)
    }
  }

  has(hash: Hash, seal: Uint8Array, nowMs: number): boolean {
    const until = this.#until.get(keyOf(hash, seal))
    return until !== undefined && nowMs < until
  }
}

function keyOf(hash: Hash, seal: Uint8Array): string {
  return hash + Buffer.from(seal).toString('latin1')
}
