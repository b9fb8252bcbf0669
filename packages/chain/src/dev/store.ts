import type { Address, Answer, Hash, Header, Store } from '@rockpool/protocol'
import { failed, hashOf, limits, ok, toHex } from '@rockpool/protocol'
import type { Via } from './fork-choice.ts'
import type { Genesis } from './genesis.ts'
import { genesisBlock } from './genesis.ts'
import { decodeHeader } from './header.ts'
import type { Keccak } from './keccak.ts'
import {
  decodeAccount,
  decodeMeta,
  decodeNode,
  decodeSigned,
  decodeUndo,
  genesisWrites,
  keys,
  letterRange,
} from './records.ts'
import { stateRoot } from './roots.ts'
import type { Account, Changes } from './state.ts'
import { State } from './state.ts'

/** A block of the tree without its body. */
export interface StoredNode {
  readonly header: Header
  readonly encodedHeader: Uint8Array
  readonly seal: Uint8Array
  /** Encoded size. Bytes. */
  readonly size: number
  readonly totalWeight: number
  readonly via: Via
}

/** Everything a chain goes on from. */
export interface Loaded {
  /** Block 0. */
  readonly genesis: StoredNode
  readonly state: State
  /** Ascending, without gaps; the last is the head. At most `limits.reorgDepthMax` + 1. */
  readonly canonical: readonly StoredNode[]
  /** Blocks beside it, ascending by height. */
  readonly sides: readonly StoredNode[]
  /** What this node signed, by parent. */
  readonly signed: ReadonlyMap<Hash, { readonly height: number; readonly hash: Hash }>
}

/** Undo steps whose state roots are recomputed at start: a torn state shows within a few blocks. */
const rootChecks = 16
const page = 1_000

/**
 * The chain as the store has it; a fresh store is given block 0 first (synced). `chain/other-genesis` for a store of another network,
 * `store/corrupt` when a record is missing, does not decode, or the accounts do not hash to the head's state root.
 */
export async function loadChain(
  store: Store,
  genesis: Genesis,
  keccak256: Keccak,
): Promise<Answer<Loaded>> {
  const first = genesisBlock(genesis, keccak256)
  const root: StoredNode = {
    header: first.header,
    encodedHeader: first.encoded,
    seal: new Uint8Array(0),
    size: first.encoded.length,
    totalWeight: 0,
    via: 'fetch',
  }
  const meta = await store.get(keys.meta())
  if (meta === undefined) {
    await store.batch(genesisWrites(root.header, root, first.accounts), { sync: true })
    const state = new State(first.accounts, keccak256)
    return ok({ genesis: root, state, canonical: [root], sides: [], signed: new Map() })
  }
  const decoded = decodeMeta(meta)
  if (!decoded.ok) return corrupt('m')
  if (decoded.value.genesis !== root.header.hash) return failed('chain/other-genesis')
  const read = createReader(store, keccak256, root)
  try {
    const canonical = await read.canonical(decoded.value.head)
    const state = await read.state()
    await read.checkRoots(state, canonical)
    const sides = await read.sides()
    return ok({ genesis: root, state, canonical, sides, signed: await read.signed() })
  } catch (error) {
    if (error instanceof Torn) return corrupt(error.message)
    throw error
  }
}

/** Leaves the reading of a store whose records do not fit together; the message names the key. */
class Torn extends Error {}

function createReader(store: Store, keccak256: Keccak, root: StoredNode) {
  async function canonical(head: Hash): Promise<readonly StoredNode[]> {
    const headNode = await node(head)
    const heights: number[] = []
    const lowest = Math.max(0, headNode.header.number - limits.reorgDepthMax)
    for (let height = lowest; height < headNode.header.number; height++) heights.push(height)
    const hashes = (await many(heights.map(keys.canonical))).map(hashOf)
    const nodes = [...(await allNodes(hashes)), headNode]
    for (const [index, { header }] of nodes.entries()) {
      const parent = nodes[index - 1]
      if (parent !== undefined && header.parentHash !== parent.header.hash) {
        throw new Torn(`h ${header.number}`)
      }
    }
    return nodes
  }

  async function state(): Promise<State> {
    const accounts = new State([], keccak256)
    await scanAll('a', entries => {
      const found = new Map<Address, Account>()
      for (const { key, value } of entries) {
        found.set(toHex(key.subarray(1)) as Address, good(decodeAccount(value), key))
      }
      accounts.commit(found)
    })
    return accounts
  }

  /** Walks the state back and recomputes on the way what each block's header says. */
  async function checkRoots(accounts: State, nodes: readonly StoredNode[]): Promise<void> {
    const overlay = accounts.overlay()
    const last = nodes.length - 1
    for (let index = last; index > 0 && index > last - rootChecks; index--) {
      const block = nodes[index]
      const parent = nodes[index - 1]
      if (block === undefined || parent === undefined) return
      const key = keys.undo(block.header.hash)
      const [value] = await many([key])
      const undo = good(decodeUndo(value ?? new Uint8Array(0)), key)
      const changes: Changes = new Map(
        [...undo.keys()].map(address => [address, overlay.get(address) ?? null]),
      )
      const rootHash = stateRoot(parent.header.stateRoot, changes, keccak256)
      if (rootHash !== block.header.stateRoot)
        throw new Torn(`state of block ${block.header.number}`)
      overlay.apply(undo)
    }
  }

  async function sides(): Promise<readonly StoredNode[]> {
    const hashes: Hash[] = []
    await scanAll('x', entries => {
      for (const { key } of entries) hashes.push(hashOf(key.subarray(7)))
    })
    return allNodes(hashes)
  }

  async function signed(): Promise<Loaded['signed']> {
    const found = new Map<Hash, { height: number; hash: Hash }>()
    await scanAll('s', entries => {
      for (const { key, value } of entries) {
        found.set(hashOf(key.subarray(1)), good(decodeSigned(value), key))
      }
    })
    return found
  }

  async function allNodes(hashes: readonly Hash[]): Promise<readonly StoredNode[]> {
    const values = await many(hashes.map(keys.node))
    return hashes.map((hash, index) => nodeFrom(hash, values[index] ?? new Uint8Array(0)))
  }

  async function node(hash: Hash): Promise<StoredNode> {
    const [value] = await many([keys.node(hash)])
    return nodeFrom(hash, value ?? new Uint8Array(0))
  }

  function nodeFrom(hash: Hash, value: Uint8Array): StoredNode {
    if (hash === root.header.hash) return root
    const record = good(decodeNode(value), keys.node(hash))
    const header = decodeHeader(record.encodedHeader, keccak256)
    if (!header.ok || header.value.hash !== hash) throw new Torn(`w ${hash}`)
    return { ...record, header: header.value }
  }

  async function many(wanted: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const values = await store.getMany(wanted)
    return values.map((value, index) => {
      if (value === undefined) throw new Torn(nameOf(wanted[index]))
      return value
    })
  }

  async function scanAll(
    letter: 'a' | 'x' | 's',
    take: (entries: readonly { key: Uint8Array; value: Uint8Array }[]) => void,
  ): Promise<void> {
    const range = letterRange(letter)
    let gte: Uint8Array = range.gte
    for (;;) {
      const entries = await store.scan({ gte, lt: range.lt, limit: page })
      take(entries)
      const last = entries.at(-1)
      if (last === undefined || entries.length < page) return
      // The next key in byte order after the last one read.
      gte = new Uint8Array(last.key.length + 1)
      gte.set(last.key)
    }
  }

  return { canonical, state, checkRoots, sides, signed }
}

function good<T>(answer: Answer<T>, key: Uint8Array): T {
  if (!answer.ok) throw new Torn(nameOf(key))
  return answer.value
}

function nameOf(key: Uint8Array | undefined): string {
  if (key === undefined) return 'a key'
  return `${String.fromCharCode(key[0] ?? 0)} ${toHex(key.subarray(1))}`
}

function corrupt(what: string): Answer<never> {
  return failed('store/corrupt', `the chain's record ${what} does not fit`)
}
