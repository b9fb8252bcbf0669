import type { ActorRef } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type Block,
  type BlockAnswer,
  type ChainHead,
  type ChainMessage,
  type ChainStatus,
  errors,
  fromHex,
  limits,
  type PoolMessage,
  type TowerCrypto,
} from '@rockpool/protocol'
import { openEvmBlob } from './evm.ts'
import type { Home, HomeBlock } from './home.ts'
import { plainHex } from './signing.ts'
import type { Sent } from './tracker.ts'

export interface EvmHomeParts {
  readonly chain: ActorRef<ChainMessage>
  readonly pool: ActorRef<PoolMessage>
  readonly crypto: Pick<TowerCrypto, 'sha256' | 'open'>
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly chainId: bigint
}

/**
 * The node's own chain as a tower watches it: appointments wait for a transaction whose hash is known in advance and are answered by one
 * signed in advance. That fits an account that signs its close once and never again; it does not fit contracts anybody may call, since
 * their transactions cannot be foretold.
 */
export function evmHome({ chain, pool, crypto, keccak256, chainId }: EvmHomeParts): Home {
  return {
    kind: 'evm-txid',
    open: openEvmBlob({ crypto, keccak256, chainId }),
    shown: plainHex,
    headOf: (fact: ChainHead) => ({ hash: fact.new.hash, height: fact.new.number }),
    tip(ctx, map) {
      ctx.ask<ChainMessage, ChainStatus>(
        chain,
        reply => ({ type: 'chain.getStatus', reply }),
        limits.towerBlockAskMs,
        outcome => {
          if (!outcome.ok) return map(undefined)
          const { hash, number } = outcome.value.head
          return map({ hash, height: number })
        },
      )
    },
    block(ctx, height, map) {
      ctx.ask<ChainMessage, Answer<BlockAnswer | null>>(
        chain,
        reply => ({ type: 'chain.getBlock', id: { number: height }, reply }),
        limits.towerBlockAskMs,
        outcome => {
          if (!outcome.ok) return map(outcome)
          const answer = outcome.value
          if (!answer.ok) return map({ ok: false, error: answer.code })
          return map({ ok: true, value: answer.value && homeBlock(answer.value.block) })
        },
      )
    },
    send(ctx, raw, map) {
      ctx.ask<PoolMessage, Answer<Added>>(
        pool,
        reply => ({ type: 'pool.submit', raw, reply }),
        limits.towerSendMs,
        outcome =>
          map(outcome.ok ? sentOf(outcome.value) : { class: 'deferred', reason: outcome.error }),
      )
    },
  }
}

/** What the pool said of a penalty. Only what is wrong for everybody and for ever is invalid; all else may change. */
export function sentOf(answer: Answer<Added>): Sent {
  if (answer.ok) {
    const { deferred } = answer.value
    return deferred === undefined ? { class: 'satisfied' } : { class: 'deferred', reason: deferred }
  }
  const { code } = answer
  if (code === 'pool/known') return { class: 'satisfied' }
  // Somebody has used the nonce: the penalty itself, which a block then shows, or another transaction of its sender.
  if (code === 'pool/nonce-too-low') return { class: 'losing', reason: code }
  if (errors[code].fault === 'peer') return { class: 'invalid', reason: code }
  return { class: 'deferred', reason: code }
}

function homeBlock({ header, txs }: Block): HomeBlock {
  return {
    hash: header.hash,
    parent: header.parentHash,
    height: header.number,
    txs: txs.map(({ hash, raw }) => ({ txid: fromHex(hash), raw })),
  }
}
