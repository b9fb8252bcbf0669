import type { Block, BlockFrame, Header, TxReceipt, TxRecord } from '@rockpool/protocol'
import { concatBytes, encodeBlockFrame } from '@rockpool/protocol'
import { buildBlock, envOn } from '../dev/block.ts'
import type { Genesis } from '../dev/genesis.ts'
import { genesisBlock } from '../dev/genesis.ts'
import type { HeaderFields } from '../dev/header.ts'
import { encodeHeader, hashHeader, sealDigest } from '../dev/header.ts'
import { turnOf } from '../dev/rank.ts'
import { State } from '../dev/state.ts'
import { signWith } from './crypto.ts'
import { keccak256 } from './keccak.ts'
import type { Wallet } from './wallets.ts'

/** A block made by hand, with the state after it. */
export interface Forged {
  readonly header: Header
  readonly frame: BlockFrame
  readonly block: Block
  readonly receipts: readonly TxReceipt[]
  readonly state: State
}

export interface ForgeWish {
  /** Index of the producer in the genesis; by default the one in turn. */
  readonly producer?: number
  readonly txs?: readonly TxRecord[]
  /** Later than it might be. Milliseconds. */
  readonly delayMs?: number
  readonly timeMs?: number
}

/** Makes right blocks on any parent, and wrong ones from them. It shares no state with a chain under test. */
export class Forge {
  readonly genesis: Genesis
  readonly root: Forged
  readonly #producers: readonly Wallet[]

  constructor(genesis: Genesis, producers: readonly Wallet[]) {
    this.genesis = genesis
    this.#producers = producers
    const { header, encoded, accounts } = genesisBlock(genesis, keccak256)
    const seal = new Uint8Array(0)
    this.root = {
      header,
      frame: { header: encoded, txs: [], seal },
      block: { header, txs: [], seal, size: encoded.length },
      receipts: [],
      state: new State(accounts, keccak256),
    }
  }

  /** The next right block on `parent`. */
  next(parent: Forged, wish: ForgeWish = {}): Forged {
    const number = parent.header.number + 1
    const wallet = this.wallet(wish.producer ?? number % this.genesis.producers.length)
    const gapMs = turnOf(this.genesis, wallet.address, number)?.gapMs ?? 0
    const timeMs = wish.timeMs ?? parent.header.timeMs + gapMs + (wish.delayMs ?? 0)
    const env = envOn(parent.header, this.genesis, { producer: wallet.address, timeMs }, keccak256)
    const built = buildBlock(parent.header, parent.state, env, wish.txs ?? [])
    if (built.included.length !== (wish.txs ?? []).length)
      throw new Error('a transaction is left out')
    const state = new State(parent.state.entries(), keccak256)
    state.commit(built.changes)
    return this.#sealed(built.header, built.encodedHeader, built.included, wallet, {
      receipts: built.receipts,
      state,
    })
  }

  /** `count` blocks in a row, oldest first. */
  row(
    parent: Forged,
    count: number,
    wish: (index: number, parent: Forged) => ForgeWish = () => ({}),
  ): Forged[] {
    const blocks: Forged[] = []
    for (let index = 0; index < count; index++) {
      const top = blocks.at(-1) ?? parent
      blocks.push(this.next(top, wish(index, top)))
    }
    return blocks
  }

  /** The same block with other header fields or transactions, sealed again. */
  altered(
    forged: Forged,
    change: Partial<HeaderFields>,
    txs: readonly TxRecord[] = forged.block.txs,
    by?: Wallet,
  ): Forged {
    const { hash: _, ...fields } = forged.header
    const encoded = encodeHeader({ ...fields, ...change })
    const header = { ...fields, ...change, hash: hashHeader(encoded, keccak256) }
    const producer = this.#producers.find(({ address }) => address === header.producer)
    const wallet = by ?? producer ?? this.wallet(0)
    return this.#sealed(header, encoded, txs, wallet, forged)
  }

  wallet(index: number): Wallet {
    const wallet = this.#producers[index]
    if (wallet === undefined) throw new RangeError(`no producer ${index}`)
    return wallet
  }

  #sealed(
    header: Header,
    encodedHeader: Uint8Array,
    txs: readonly TxRecord[],
    wallet: Wallet,
    rest: Pick<Forged, 'receipts' | 'state'>,
  ): Forged {
    const seal = sealOf(wallet, header)
    const frame = { header: encodedHeader, txs: txs.map(({ raw }) => raw), seal }
    const block = { header, txs, seal, size: encodeBlockFrame(frame).length }
    return { ...rest, header, frame, block }
  }
}

export function sealOf(wallet: Wallet, header: Header): Uint8Array {
  const { r, s, yParity } = signWith(wallet.key, sealDigest(header.hash, keccak256))
  return concatBytes(r, s, Uint8Array.of(yParity))
}
