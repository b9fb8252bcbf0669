import { concatBytes, type Hash, hashOf } from '@rockpool/protocol'
import { parseTransaction } from '../bitcoin.ts'
import { openBitcoinBlob } from '../blob.ts'
import type { Home, HomeBlock, HomeTx, Place } from '../home.ts'
import { keyOf, plainHex, u32 } from '../signing.ts'
import type { Sent } from '../tracker.ts'
import { sha256, testCrypto } from './crypto.ts'

/** A transaction of one input and one output, with `salt` in its script. */
export function aTransaction(spends: Uint8Array, salt: number): HomeTx {
  const raw = concatBytes(
    Uint8Array.of(2, 0, 0, 0, 1),
    spends,
    Uint8Array.of(0, 0, 0, 0, 0, 0xfd, 0xff, 0xff, 0xff, 1, 0, 1, 0, 0, 0, 0, 0, 0),
    Uint8Array.of(4),
    u32(salt),
    new Uint8Array(4),
  )
  const tx = parseTransaction(raw, sha256)
  if (tx === undefined) throw new TypeError('the test makes no transaction')
  return { txid: tx.txid, raw, inputs: tx.inputs }
}

/** A dispute and the penalty that spends it. */
export function aPair(salt: number) {
  const dispute = aTransaction(sha256(u32(salt)), salt)
  const penalty = aTransaction(dispute.txid, salt)
  const seal = (plain: Uint8Array) => testCrypto.seal(keyOf(sha256, dispute.txid), plain)
  return { dispute, penalty, blob: seal(penalty.raw), seal }
}

/** A chain whose blocks the test makes; transactions that were sent wait for the next block if the network takes them. */
export class TestChain {
  private branch: HomeBlock[] = []
  private made = 0
  /** Everything that was sent, in order. */
  readonly sent: string[] = []
  /** What the network answers to what is sent; by default it takes all. */
  answer: (txid: string) => Sent = () => ({ class: 'satisfied' })
  /** Blocks cannot be had. */
  isDown = false

  constructor(height = 100) {
    for (let at = 0; at <= height; at += 1) this.mine()
  }

  get tip(): HomeBlock {
    return this.branch.at(-1) as HomeBlock
  }

  mine(...txs: readonly HomeTx[]): Place {
    const { branch } = this
    this.made += 1
    const block: HomeBlock = {
      hash: hashOf(sha256(u32(this.made))) as Hash,
      parent: branch.at(-1)?.hash ?? hashOf(new Uint8Array(32)),
      height: branch.length,
      txs: [aTransaction(sha256(u32(0xffff_0000 + this.made)), this.made), ...txs],
    }
    branch.push(block)
    return block
  }

  /** The last `depth` blocks are gone. */
  undo(depth: number): void {
    this.branch = this.branch.slice(0, -depth)
  }

  home(): Home {
    return {
      kind: 'utxo-locator',
      open: openBitcoinBlob(testCrypto),
      shown: txid => plainHex(txid.slice().reverse()),
      headOf: () => undefined,
      tip: (ctx, map) => {
        const { isDown, tip } = this
        ctx.pipe(
          async () => (isDown ? undefined : tip),
          outcome => map(outcome.ok ? outcome.value : undefined),
        )
      },
      block: (ctx, height, map) => {
        const block = this.branch[height] ?? null
        const isDown = this.isDown
        ctx.pipe(async () => {
          if (isDown) throw new Error('no chain')
          return block
        }, map)
      },
      send: (ctx, raw, map) => {
        const tx = parseTransaction(raw, sha256)
        const txid = plainHex(tx?.txid ?? new Uint8Array(0))
        this.sent.push(txid)
        ctx.pipe(
          async () => this.answer(txid),
          outcome => map(outcome.ok ? outcome.value : { class: 'deferred', reason: 'transport' }),
        )
      },
    }
  }
}
