import type { Address, PoolContent, PoolStats, TrackedTx, TxRecord } from '@rockpool/protocol'
import { JsonStream } from '../json-stream.ts'
import { type Method, method } from '../method.ts'
import type { Backend } from '../parts.ts'
import { checksumAddress, pendingTxJson, quantity } from './encode.ts'
import { address } from './params.ts'

type Half = PoolContent['pending']

/** geth's views of the pool, and what it tracks. `all`: private transactions too, for the operator. */
export function txpoolMethods({ pool, parts }: Backend, all?: true): Method[] {
  const named = (account: Address) => checksumAddress(account, parts.keccak256)

  function content(from?: Address): Promise<PoolContent> {
    return pool.ask<PoolContent>(reply => ({
      type: 'pool.getContent',
      ...(from !== undefined && { from }),
      ...(all && { all }),
      reply,
    }))
  }

  /** A whole pool, sender by sender: thousands of transactions never exist as one string. */
  function whole({ pending, queued }: PoolContent, entry: (tx: TxRecord) => string): JsonStream {
    function* senders(half: Half) {
      let comma = ''
      for (const [sender, txs] of half) {
        yield `${comma}"${named(sender)}":${byNonce(txs, entry)}`
        comma = ','
      }
    }
    function* pieces() {
      yield '{"pending":{'
      yield* senders(pending)
      yield '},"queued":{'
      yield* senders(queued)
      yield '}}'
    }
    return new JsonStream(pieces())
  }

  /** One line a transaction, as geth prints it for people. */
  function summary({ to, value, gas, feeCap }: TxRecord): string {
    const target = to === null ? 'contract creation' : named(to)
    return JSON.stringify(`${target}: ${value} wei + ${gas} gas × ${feeCap} wei`)
  }

  return [
    method('txpool_status', [], async () => {
      const stats = await pool.ask<PoolStats>(reply => ({ type: 'pool.getStatus', reply }))
      return { pending: quantity(stats.pending), queued: quantity(stats.queued) }
    }),
    method('txpool_content', [], async () => whole(await content(), entryText), {
      cost: 50,
      answer: 'huge',
    }),
    method('txpool_inspect', [], async () => whole(await content(), summary), {
      cost: 50,
      answer: 'huge',
    }),
    method(
      'txpool_tracked',
      [],
      async () => {
        const tracked = await pool.ask<readonly TrackedTx[]>(reply => ({
          type: 'pool.getTracked',
          ...(all && { all }),
          reply,
        }))
        return tracked.map(({ hash, from, nonce, state, reason, tries, lastTryMs }) => ({
          hash,
          from: named(from),
          nonce: quantity(nonce),
          state,
          reason: reason ?? null,
          tries: quantity(tries),
          lastTry: lastTryMs === undefined ? null : quantity(lastTryMs),
        }))
      },
      { answer: 'large' },
    ),
    method(
      'txpool_contentFrom',
      [address],
      async ([from]) => {
        const { pending, queued } = await content(from)
        const half = (of: Half) => byNonce(of.get(from) ?? [], entryText)
        return new JsonStream([`{"pending":${half(pending)},"queued":${half(queued)}}`])
      },
      { answer: 'large' },
    ),
  ]
}

function entryText(tx: TxRecord): string {
  return JSON.stringify(pendingTxJson(tx))
}

function byNonce(txs: readonly TxRecord[], entry: (tx: TxRecord) => string): string {
  return `{${txs.map(tx => `"${tx.nonce}":${entry(tx)}`).join(',')}}`
}
