import { limits } from '@rockpool/protocol'
import type { HomeBlock, Place } from './home.ts'

/** What changes at once: blocks that left, newest first, and blocks that joined, oldest first. */
export interface Step {
  readonly removed: readonly Place[]
  readonly added: readonly HomeBlock[]
}

/**
 * Walks from a stored tip to the head of the chain, one canonical block after the other, and back where a block does not stand on the one
 * before. A reorg is one step, so that what leaves a block and comes back in another has never been away. Pure: it says which height it
 * needs and is given the block. Heights alone are never believed: each block must name its parent.
 */
export class Follower {
  /** The own branch as far as it is remembered, oldest first; the last is the tip. */
  private readonly branch: Place[]
  private target: Place | undefined
  /** Blocks of the branch under doubt, and those that take their place. */
  private back = 0
  private readonly ahead: HomeBlock[] = []

  constructor(branch: readonly Place[]) {
    this.branch = branch.slice(-limits.towerHashesKept)
  }

  get tip(): Place | undefined {
    return this.branch.at(-1)
  }

  /** What a restart needs: the tip and the hashes below it. */
  get places(): readonly Place[] {
    return this.branch
  }

  /** Blocks between the tip and the head. */
  get behind(): number {
    const { tip, target } = this
    if (tip === undefined || target === undefined || target.hash === tip.hash) return 0
    return Math.max(1, target.height - tip.height)
  }

  /** A fork below everything remembered. */
  get isLost(): boolean {
    return this.branch.length > 0 && this.back >= this.branch.length
  }

  /** The head is this now. */
  aim(target: Place): void {
    this.target = target
  }

  /** Begins at this place, whatever was before. */
  reset(place: Place): void {
    this.branch.splice(0, this.branch.length, place)
    this.forget()
  }

  /** The height of the block that is needed next; undefined when the head is reached, or nothing is known of one. */
  next(): number | undefined {
    const { target } = this
    if (target === undefined || this.branch.length === 0) return undefined
    for (;;) {
      const under = this.ahead.at(-1) ?? this.ground()
      if (under === undefined || under.hash === target.hash) return undefined
      if (under.height < target.height) return under.height + 1
      // At or above the head and not it: this block has left the chain.
      this.ahead.length = 0
      this.back += 1
      if (this.ground() === undefined) return undefined
    }
  }

  /** What is complete although no block is asked for: the head went back on its own branch, or came to what is here already. */
  due(): Step | undefined {
    const under = this.ahead.at(-1) ?? this.ground()
    if (this.back === 0 || under === undefined || under.hash !== this.target?.hash) return undefined
    return this.finish()
  }

  /** The block of the height that was asked for; null: the chain does not reach so far. Gives a step when one is complete. */
  take(block: HomeBlock | null): Step | undefined {
    if (block === null) {
      this.target = undefined
      this.forget()
      return undefined
    }
    const under = this.ahead.at(-1) ?? this.ground()
    if (under === undefined || block.height !== under.height + 1) return undefined
    if (block.parent !== under.hash) {
      if (this.ahead.length > 0) this.ahead.length = 0
      else this.back += 1
      return undefined
    }
    this.ahead.push(block)
    return this.isWhole(block) ? this.finish() : undefined
  }

  /** A reorg is over when the head is reached, or when it is longer than anything that is remembered. */
  private isWhole(last: HomeBlock): boolean {
    if (this.back === 0) return true
    return last.hash === this.target?.hash || this.ahead.length >= limits.towerHashesKept
  }

  private finish(): Step {
    const removed = this.branch.splice(this.branch.length - this.back, this.back).reverse()
    const added = [...this.ahead]
    for (const { hash, height } of added) this.branch.push({ hash, height })
    if (this.branch.length > limits.towerHashesKept)
      this.branch.splice(0, this.branch.length - limits.towerHashesKept)
    this.forget()
    return { removed, added }
  }

  private forget(): void {
    this.back = 0
    this.ahead.length = 0
  }

  private ground(): Place | undefined {
    return this.branch[this.branch.length - 1 - this.back]
  }
}
