import { hashOf, type TowerCrypto, type UtxoBackend } from '@rockpool/protocol'
import { parseBlock, parseTransaction, reversed } from './bitcoin.ts'
import { openBitcoinBlob } from './blob.ts'
import type { Home, HomeBlock } from './home.ts'
import { plainHex } from './signing.ts'
import type { Sent } from './tracker.ts'

export interface BitcoinHomeParts {
  readonly backend: Pick<UtxoBackend, 'head' | 'block' | 'broadcast' | 'spender'>
  readonly crypto: Pick<TowerCrypto, 'sha256' | 'open'>
}

/** Bitcoin as a tower watches it: appointments wait for a transaction whose id is known and hide one that spends it. */
export function bitcoinHome({ backend, crypto }: BitcoinHomeParts): Home {
  const { sha256 } = crypto
  return {
    kind: 'utxo-locator',
    open: openBitcoinBlob(crypto),
    shown: txid => plainHex(reversed(txid)),
    headOf: () => undefined,
    tip(ctx, map) {
      ctx.pipe(
        () => backend.head(),
        outcome => map(outcome.ok ? outcome.value : undefined),
      )
    },
    block(ctx, height, map) {
      ctx.pipe(
        () => backend.block(height),
        outcome => {
          if (!outcome.ok) return map(outcome)
          if (outcome.value === null) return map({ ok: true, value: null })
          if (outcome.value === 'pruned') return map({ ok: false, error: 'pruned' })
          const value = homeBlock(outcome.value.bytes, height, sha256)
          const isAsked = value?.hash === outcome.value.hash
          return map(isAsked ? { ok: true, value } : { ok: false, error: 'not-the-block' })
        },
      )
    },
    send(ctx, raw, map) {
      ctx.pipe(
        () => sendTo(backend, raw, sha256),
        outcome => map(outcome.ok ? outcome.value : { class: 'deferred', reason: 'transport' }),
      )
    },
  }
}

function homeBlock(
  bytes: Uint8Array,
  height: number,
  sha256: (bytes: Uint8Array) => Uint8Array,
): HomeBlock | undefined {
  const block = parseBlock(bytes, sha256)
  if (block === undefined) return undefined
  return {
    height,
    hash: hashOf(reversed(block.hash)),
    parent: hashOf(reversed(block.parent)),
    txs: block.txs.map(({ txid, from, to, inputs }) => ({
      ...{ txid, inputs },
      raw: bytes.subarray(from, to),
    })),
  }
}

const missing = 'bad-txns-inputs-missingorspent'

/** Words of bitcoin nodes for what may pass, and what an operator reads. */
const passing: readonly (readonly [words: string, reason: string])[] = [
  ['mempool min fee not met', 'fee'],
  ['min relay fee not met', 'fee'],
  ['insufficient fee', 'fee'],
  ['mempool full', 'full'],
  ['txn-mempool-conflict', 'conflict'],
  ['too-long-mempool-chain', 'conflict'],
  ['non-BIP68-final', 'final'],
  ['non-final', 'final'],
]

async function sendTo(
  backend: BitcoinHomeParts['backend'],
  raw: Uint8Array,
  sha256: (bytes: Uint8Array) => Uint8Array,
): Promise<Sent> {
  const answer = await backend.broadcast(raw)
  if (answer.ok) return { class: 'satisfied' }
  const { code, message } = answer
  if (code === 'transport') return { class: 'deferred', reason: 'transport' }
  if (code === -27) return { class: 'satisfied', isConfirmed: true }
  if (code === -22) return { class: 'invalid', reason: 'not-a-transaction' }
  if (message.includes('script-verify-flag')) return { class: 'invalid', reason: 'script' }
  if (message.includes(missing)) return withoutInputs(backend, raw, sha256)
  const reason = passing.find(([words]) => message.includes(words))?.[1] ?? 'unknown'
  return { class: 'deferred', reason }
}

/** The same words for an input that is not there yet, one that is taken, and a penalty that was confirmed and spent long ago. */
async function withoutInputs(
  backend: BitcoinHomeParts['backend'],
  raw: Uint8Array,
  sha256: (bytes: Uint8Array) => Uint8Array,
): Promise<Sent> {
  for (const input of parseTransaction(raw, sha256)?.inputs ?? []) {
    const spender = await backend.spender(input)
    if (spender === 'mempool') return { class: 'deferred', reason: 'conflict' }
    // Who knows its dispute in a block knows that an output nobody has any more is spent.
    if (spender !== 'unspent') return { class: 'losing', reason: 'missing' }
  }
  return { class: 'deferred', reason: 'missing' }
}
