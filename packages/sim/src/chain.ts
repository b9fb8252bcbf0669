import type { Rng } from '@rockpool/actor'
import {
  type Account,
  accountView,
  baseFeeAfter,
  buildBlock,
  envOn,
  type Genesis,
  genesisBlock,
  headOf,
  State,
} from '@rockpool/chain'
import {
  type AccountView,
  type Address,
  type Answer,
  type Block,
  type ChainSource,
  encodeBlockFrame,
  failed,
  type Hash,
  type Head,
  type HeadEvent,
  ok,
  type SourceStatus,
  type TxRecord,
} from '@rockpool/protocol'

/** What a chain that nobody runs is made of. */
export interface SimChainParts {
  readonly genesis: Genesis
  keccak256(bytes: Uint8Array): Uint8Array
  readonly rng: Rng
  /** Epoch ms, for the times of blocks. */
  wallMs(): number
  /** Calls back in `ms`. */
  after(ms: number, what: string, act: () => void): void
  /** A node that is down stays where it was told last. */
  isUp(node: number): boolean
  /** Transactions that wait somewhere, best first, for a block at this base fee. */
  waiting(baseFee: bigint): readonly TxRecord[]
}

/** A block of the tree with all accounts after it. `accounts` is given up when it is far below the head. */
interface SimBlock {
  readonly block: Block
  readonly head: Head
  readonly parent: SimBlock | undefined
  accounts: ReadonlyMap<Address, Account> | undefined
}

/** One node's sight of the chain. */
interface Sight {
  readonly node: number
  at: SimBlock
  /** Of the life of the node that listens now. */
  listeners: Set<(event: HeadEvent) => void>
  stalled: boolean
  readonly missing: Set<Hash>
  /** A notice is on its way. */
  told: boolean
}

const noticeMeanMs = 50
/** Accounts of blocks further below the head than this are gone. */
const statesKept = 512
const unsealed = new Uint8Array(65)

export type SimChain = ReturnType<typeof createSimChain>

/**
 * A block tree that grows by itself and on request, and what each node sees of it. Blocks are real: headers hash, transactions execute, state
 * roots follow. Whoever follows it hears of a head after a delay of its own, so nodes differ for a while.
 */
export function createSimChain(parts: SimChainParts) {
  const { genesis, rng } = parts
  const keccak256 = (bytes: Uint8Array) => parts.keccak256(bytes)
  const root = rootOf(genesis, keccak256)
  const blocks = new Map<Hash, SimBlock>([[root.head.hash, root]])
  const sights = new Map<number, Sight>()
  let best = root
  let lowestState = 0
  /** Blocks whose accounts are still there, oldest first. */
  const stated: SimBlock[] = [root]

  function mineOn(parent: SimBlock, wish: readonly TxRecord[]): SimBlock {
    const { accounts } = parent
    if (accounts === undefined) throw new RangeError('a block is built where accounts are kept')
    const { header } = parent.block
    const producer = rng.pick(genesis.producers)
    if (producer === undefined) throw new RangeError('a genesis has producers')
    const timeMs = Math.max(Math.floor(parts.wallMs()), header.timeMs + 1)
    const env = envOn(header, genesis, { producer, timeMs }, keccak256)
    const state = new State(accounts, keccak256)
    const built = buildBlock(header, state, env, wish)
    state.commit(built.changes)
    const raws = built.included.map(({ raw }) => raw)
    const frame = { header: built.encodedHeader, txs: raws, seal: unsealed }
    const block: Block = {
      header: built.header,
      txs: built.included,
      seal: unsealed,
      size: encodeBlockFrame(frame).length,
    }
    const mined = { block, head: headOf(built.header), parent, accounts: new Map(state.entries()) }
    blocks.set(mined.head.hash, mined)
    stated.push(mined)
    return mined
  }

  /** The next block on the head. */
  function grow(): void {
    const waiting = parts.waiting(baseFeeAfter(best.block.header))
    follow(mineOn(best, waiting))
  }

  /**
   * The last `depth` blocks make way for one more. Of their transactions the share `keep` is offered again; of each sender the later ones can
   * only come if the earlier did.
   */
  function reorg(depth: number, keep = rng.pick([0, 0.5, 1]) ?? 0): void {
    let ancestor = best
    const dead: Block[] = []
    while (dead.length < depth && ancestor.parent?.accounts !== undefined) {
      dead.unshift(ancestor.block)
      ancestor = ancestor.parent
    }
    if (dead.length === 0) return
    let tip = ancestor
    for (const { txs } of dead)
      tip = mineOn(
        tip,
        txs.filter(() => rng.chance(keep)),
      )
    follow(mineOn(tip, []))
  }

  function follow(head: SimBlock): void {
    best = head
    const lowest = best.head.number - statesKept
    while (stated.length > 0 && lowestState < lowest) {
      const oldest = stated[0]
      if (oldest === undefined || oldest.head.number >= lowest) break
      oldest.accounts = undefined
      stated.shift()
    }
    lowestState = Math.max(lowestState, lowest)
    for (const sight of sights.values()) notice(sight)
  }

  function notice(sight: Sight): void {
    if (sight.told || sight.stalled || sight.at === best) return
    sight.told = true
    parts.after(rng.exp(noticeMeanMs), 'head', () => {
      sight.told = false
      if (!sight.stalled) tell(sight)
    })
  }

  function tell(sight: Sight): void {
    if (sight.at === best || !parts.isUp(sight.node)) return
    const event = pathOf(sight.at, best)
    sight.at = best
    for (const listener of [...sight.listeners]) listener(event)
  }

  function sightOf(node: number): Sight {
    let sight = sights.get(node)
    if (sight === undefined) {
      sight = {
        node,
        at: root,
        listeners: new Set(),
        stalled: false,
        missing: new Set(),
        told: false,
      }
      sights.set(node, sight)
    }
    return sight
  }

  /** Nothing is told to the node for so long; then the whole way at once. */
  function stall(node: number, ms: number): void {
    const sight = sightOf(node)
    sight.stalled = true
    parts.after(ms, `head n${node}`, () => {
      sight.stalled = false
      notice(sight)
    })
  }

  /** The block that is head now, and its accounts, cannot be had by the node for so long. */
  function hide(node: number, ms: number): void {
    const { missing } = sightOf(node)
    const { hash } = best.head
    missing.add(hash)
    parts.after(ms, `block n${node}`, () => void missing.delete(hash))
  }

  /** What a node sees. A node that starts again asks again; the life before it hears nothing more. */
  function source(node: number): ChainSource {
    const sight = sightOf(node)
    const listeners = new Set<(event: HeadEvent) => void>()
    sight.listeners = listeners
    return {
      head: async () => sight.at.head,
      block: async hash => (sight.missing.has(hash) ? null : (blocks.get(hash)?.block ?? null)),
      hashAt: async number => canonicalAt(sight.at, number)?.head.hash ?? null,
      async accounts(addresses, at): Promise<Answer<readonly AccountView[]>> {
        const found = blocks.get(at)
        if (found === undefined) return failed('chain/unknown-block')
        const { accounts } = found
        if (accounts === undefined || sight.missing.has(at)) return failed('chain/state-missing')
        return ok(addresses.map(address => accountView(accounts.get(address), keccak256)))
      },
      onHead(listener) {
        listeners.add(listener)
        notice(sight)
        return () => void listeners.delete(listener)
      },
      status: (): SourceStatus => ({ state: 'following' }),
    }
  }

  return {
    grow,
    reorg,
    stall,
    hide,
    source,
    get head(): Head {
      return best.head
    },
    /** Tells the node at once what it would hear a little later. */
    settle: (node: number) => tell(sightOf(node)),
  }
}

function rootOf(genesis: Genesis, keccak256: SimChainParts['keccak256']): SimBlock {
  const { header, encoded, accounts } = genesisBlock(genesis, keccak256)
  const seal = new Uint8Array(0)
  const block: Block = { header, txs: [], seal, size: encoded.length }
  return { block, head: headOf(header), parent: undefined, accounts }
}

function canonicalAt(top: SimBlock, number: number): SimBlock | undefined {
  if (number > top.head.number) return undefined
  let at: SimBlock | undefined = top
  while (at !== undefined && at.head.number > number) at = at.parent
  return at
}

/** How `to` follows `from`: newest removed first, oldest added first. */
function pathOf(from: SimBlock, to: SimBlock): HeadEvent {
  const removed: Block[] = []
  const added: Block[] = []
  let left = from
  let right = to
  while (left !== right) {
    const isLeft = left.head.number >= right.head.number
    const isRight = right.head.number >= left.head.number
    if (isLeft) removed.push(left.block)
    if (isRight) added.unshift(right.block)
    if (isLeft) left = parentOf(left)
    if (isRight) right = parentOf(right)
  }
  const { hash, number } = left.head
  return { old: from.head, new: to.head, ancestor: { hash, number }, removed, added }
}

function parentOf({ parent }: SimBlock): SimBlock {
  if (parent === undefined) throw new RangeError('all blocks have one root')
  return parent
}
