import {
  type Address,
  emptyCodeHash,
  fromHex,
  type Hash,
  type Head,
  hashOf,
  type PathBlock,
  reorgPath,
  type TxRecord,
  zeroHash,
} from '@rockpool/protocol'
import type { PoolAccountView } from '../entry.ts'
import type { ResetPath } from '../op.ts'
import type { TraceBlock } from './format.ts'
import { type PreparedTxs, recordsOf } from './prepare.ts'

type State = ReadonlyMap<Address, PoolAccountView>
const nobody: PoolAccountView = { nonce: 0n, balance: 0n, codeHash: zeroHash }

export interface DeclaredBlock {
  readonly head: Head
  readonly isMerged: boolean
  readonly state: State
  readonly isMissing: boolean
  readonly isStateMissing: boolean
  readonly walk: PathBlock<TxRecord>
}

/** The chain of a trace: blocks as they are declared, each with the state after it. */
export class TraceChain {
  /** How often each kind of path was walked. */
  readonly paths = new Map<string, number>()
  private readonly blocks = new Map<string, DeclaredBlock>()
  private readonly byHash = new Map<Hash, DeclaredBlock>()
  private readonly txs: PreparedTxs
  private readonly keccak256: (bytes: Uint8Array) => Uint8Array

  constructor(txs: PreparedTxs, keccak256: (bytes: Uint8Array) => Uint8Array) {
    this.txs = txs
    this.keccak256 = keccak256
  }

  declare(block: TraceBlock): DeclaredBlock {
    const parent = block.parent === undefined ? undefined : this.blocks.get(block.parent)
    const state = new Map(parent?.state)
    for (const [address, { nonce, balance, code }] of Object.entries(block.set)) {
      const isAbsent = nonce === '0' && balance === '0' && code === '0x'
      state.set(address as Address, {
        nonce: BigInt(nonce),
        balance: BigInt(balance),
        codeHash: isAbsent ? zeroHash : this.codeHash(code),
      })
    }
    const { number, gasLimit, gasUsed } = block
    const hash = this.hashOfText(`block ${block.label}`)
    const parentHash = this.hashOfText(
      block.parent === undefined ? `parent of ${block.label}` : `block ${block.parent}`,
    )
    const head = {
      hash,
      number,
      parentHash,
      timeMs: block.time * 1000,
      gasLimit,
      gasUsed,
      baseFee: BigInt(block.baseFee ?? 0),
    }
    const declared: DeclaredBlock = {
      head,
      isMerged: block.difficulty === '0',
      state,
      isMissing: block.missing === true,
      isStateMissing: block.stateMissing === true,
      walk: { hash, parent: parentHash, number, txs: recordsOf(block.raws, this.txs) },
    }
    this.blocks.set(block.label, declared)
    this.byHash.set(hash, declared)
    return declared
  }

  /** A declared block; a label nobody declared is a fault of the file. */
  at(label: string): DeclaredBlock {
    const block = this.blocks.get(label)
    if (block === undefined) throw new Error(`no block "${label}" was declared`)
    return block
  }

  pathTo(old: DeclaredBlock | undefined, next: DeclaredBlock, newestFirst: boolean): ResetPath {
    const find = (hash: Hash) => {
      const block = this.byHash.get(hash)
      return block === undefined || block.isMissing ? undefined : block.walk
    }
    const path = reorgPath(find, old?.walk ?? null, next.walk)
    this.count(path.kind === 'missing' ? `missing ${path.what}` : path.kind)
    if (next.isStateMissing) this.count('missing state')
    if (path.kind === 'missing') return path
    if (next.isStateMissing) return { kind: 'missing', what: 'state' }
    const removed = newestFirst ? path.removed : [...path.removed].reverse()
    return { ...path, discarded: removed.flatMap(({ txs }) => txs) }
  }

  private count(kind: string): void {
    this.paths.set(kind, (this.paths.get(kind) ?? 0) + 1)
  }

  private codeHash(code: string): Hash {
    return code === '0x' ? emptyCodeHash : hashOf(this.keccak256(fromHex(code)))
  }

  private hashOfText(text: string): Hash {
    return hashOf(this.keccak256(new TextEncoder().encode(text)))
  }
}

export function viewIn(state: State, address: Address): PoolAccountView {
  return state.get(address) ?? nobody
}

export function viewsIn(state: State, addresses: readonly Address[]) {
  return new Map(addresses.map(address => [address, viewIn(state, address)]))
}
