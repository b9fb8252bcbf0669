import { Bus, RealClock } from '@rockpool/actor'
import type {
  BlockFrame,
  ChainMessage,
  Hash,
  Header,
  ImportOutcome,
  Recovery,
  Store,
  TxRecord,
} from '@rockpool/protocol'
import { failed, limits, ok, withSigners } from '@rockpool/protocol'
import { chainActor } from '../chain.actor.ts'
import { buildBlock, envOn } from '../dev/block.ts'
import type { Genesis } from '../dev/genesis.ts'
import { genesisBlock } from '../dev/genesis.ts'
import { turnOf } from '../dev/rank.ts'
import { State } from '../dev/state.ts'
import { testCrypto } from './crypto.ts'
import { sealOf } from './forge.ts'
import { keccak256 } from './keccak.ts'
import type { Wallet } from './wallets.ts'

/** Nobody else lives on the bus of a chain that is only written. */
const wiring = { 'chain.head': [], 'chain.syncing': [] }

export interface LongChainWish {
  readonly genesis: Genesis
  /** In the order of the genesis. */
  readonly producers: readonly Wallet[]
  /** Who pay; the genesis must have given them enough. */
  readonly wallets: readonly Wallet[]
  readonly blocks: number
  /** Transfers of the block at this height. */
  readonly transfersAt: (height: number) => number
}

/** A block that was made offline, and who signed its transactions. */
export interface MadeBlock {
  readonly header: Header
  readonly frame: BlockFrame
  readonly txs: readonly TxRecord[]
}

/**
 * A long chain without waiting for it: right blocks one after the other, each at the earliest time its rank allows, every seventh by the
 * second in line. One state moves along, so the cost of a block does not grow.
 */
export function* longChain(wish: LongChainWish): Generator<MadeBlock> {
  const { genesis, producers, wallets, blocks, transfersAt } = wish
  const first = genesisBlock(genesis, keccak256)
  const state = new State(first.accounts, keccak256)
  const nonces = wallets.map(() => 0)
  let parent: Header = first.header
  let turn = 0
  for (let height = 1; height <= blocks; height++) {
    const txs = Array.from({ length: transfersAt(height) }, () => {
      const index = turn++ % wallets.length
      const wallet = wallets[index]
      const target = wallets[(turn * 7 + 3) % wallets.length]
      if (wallet === undefined || target === undefined) throw new RangeError('no wallets')
      const nonce = nonces[index] ?? 0
      nonces[index] = nonce + 1
      return wallet.tx({ nonce, to: target.address, value: BigInt(turn) })
    })
    const producer = producers[(height + (height % 7 === 0 ? 1 : 0)) % producers.length]
    if (producer === undefined) throw new RangeError('no producers')
    const { address } = producer
    const timeMs = parent.timeMs + (turnOf(genesis, address, height)?.gapMs ?? 0)
    const env = envOn(parent, genesis, { producer: address, timeMs }, keccak256)
    const built = buildBlock(parent, state, env, txs)
    if (built.included.length !== txs.length) throw new Error('a transfer is left out')
    state.commit(built.changes)
    parent = built.header
    const raws = txs.map(({ raw }) => raw)
    const seal = sealOf(producer, parent)
    yield { header: parent, frame: { header: built.encodedHeader, txs: raws, seal }, txs }
  }
}

/** Knows who signed what it was told, and nobody else: importing a chain made here needs no second look at its signatures. */
export function rememberingRecovery(): Recovery & { learn(txs: readonly TxRecord[]): void } {
  const records = new Map<Hash, TxRecord>()
  return {
    learn(txs) {
      for (const tx of txs) records.set(tx.hash, tx)
    },
    recover: async txs =>
      txs.map(tx => {
        const known = records.get(tx.hash)
        return known === undefined
          ? failed('pool/invalid-sender')
          : ok(withSigners(tx, known.sender, known.authoritySlots))
      }),
    known: hash => records.get(hash),
  }
}

/** Writes blocks into a store through the chain itself, as if a peer had sent them. Throws when one is refused. */
export async function writeChain(
  store: Store,
  genesis: Genesis,
  blocks: Iterable<MadeBlock>,
): Promise<void> {
  const bus = new Bus({ clock: new RealClock(), wiring, trace: 0 })
  const recovery = rememberingRecovery()
  const sync = { tell: () => undefined }
  const behavior = chainActor({ genesis, store, crypto: testCrypto, recovery, sync })
  const chain = bus.spawn<ChainMessage, never>('chain', behavior as never)
  const offer = async ({ frame }: MadeBlock): Promise<void> => {
    const outcome = await bus.ask<ChainMessage, ImportOutcome>(
      chain,
      reply => ({ type: 'chain.offer', frame, from: 'testkit', via: 'fetch', reply }),
      60_000,
    )
    const code = outcome.ok ? outcome.value.code : outcome.error
    if (code !== 'chain/imported') throw new Error(`a block was refused: ${code}`)
  }
  const underWay: Promise<void>[] = []
  for (const block of blocks) {
    recovery.learn(block.txs)
    underWay.push(offer(block))
    if (underWay.length >= limits.catchUpOffersMax) await underWay.shift()
  }
  await Promise.all(underWay)
  bus.stopAll('dead')
}
