import {
  type Added,
  type Address,
  type Answer,
  type Explanation,
  type Hash,
  hashOf,
  type PoolDiff,
  type PoolInfo,
} from '@rockpool/protocol'
import { invalidParams, type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { RpcError, rpcCode } from '../rpc-error.ts'
import { type PoolEventsWish, requireSubscriber, type SendersWish } from '../subscriptions.ts'
import { anything, bytes, filterId, optional, param, readRecord, text } from './params.ts'

const subject = param('subject', readSubject)
const since = param('since', readSince)

/** What geth does not tell of its pool. `all`: private transactions too, for the operator. */
export function txpoolWhyMethods({ pool, parts }: Backend, all?: true): Method[] {
  const rules = {
    allowUnprotected: parts.allowUnprotected,
    ...(parts.txFeeCapWei > 0n && { feeCapWei: parts.txFeeCapWei }),
  }

  function explain(about: Hash | Address): Promise<Explanation> {
    return pool.ask<Explanation>(reply => ({
      type: 'pool.explain',
      subject: about,
      ...(all && { all }),
      reply,
    }))
  }

  const sendersOf: SendersWish['sendersOf'] = hashes =>
    pool.ask(reply => ({ type: 'pool.getSenders', hashes, reply }))

  async function send(raw: Uint8Array, wish: SendWish) {
    const answer = await pool.ask<Answer<Added>>(reply => ({
      type: 'pool.submit',
      raw,
      ...rules,
      ...(wish.private && { isPrivate: true }),
      reply,
    }))
    if (!answer.ok && answer.code === 'pool/known' && wish.idempotent) {
      const hash = hashOf(parts.keccak256(raw))
      const { state, reason, tracked = false } = await explain(hash)
      return { hash, state, reason, tracked }
    }
    const { hash, half, deferred, replaced, tracked = true } = valueOf(answer)
    return {
      hash,
      state: deferred === undefined ? half : 'waiting',
      ...(deferred !== undefined && { reason: deferred }),
      tracked,
      ...(replaced !== undefined && { replaced }),
    }
  }

  return [
    method('txpool_explain', [subject], async ([about]) => hexed(await explain(about)), {
      answer: 'large',
    }),
    method(
      'txpool_diff',
      [since],
      async ([after]) => {
        const diff = await pool.ask<PoolDiff>(reply => ({
          type: 'pool.getDiff',
          since: after,
          ...(all && { all }),
          reply,
        }))
        return hexed(diff)
      },
      { cost: 50, answer: 'huge' },
    ),
    method('txpool_info', [], async () => {
      const info = await pool.ask<PoolInfo>(reply => ({ type: 'pool.getInfo', reply }))
      return hexed(info)
    }),
    method(
      'txpool_sendRaw',
      [bytes, optional(anything('options'))],
      ([raw, options]) => send(raw, sendWish(options)),
      { cost: 4 },
    ),
    method(
      'txpool_subscribe',
      [text('name'), optional(anything('options'))],
      ([name, options], { subscriber }) => {
        if (name !== 'events') {
          throw new RpcError(rpcCode.method, `no "${name}" subscription in txpool namespace`)
        }
        return requireSubscriber(subscriber).subscribe('poolEvents', eventsWish(options, sendersOf))
      },
    ),
    method('txpool_unsubscribe', [filterId], ([id], { subscriber }) => {
      requireSubscriber(subscriber).unsubscribe(id)
      return true
    }),
  ]
}

interface SendWish {
  readonly private: boolean
  readonly idempotent: boolean
}

function sendWish(options: unknown): SendWish {
  if (options === undefined) return { private: false, idempotent: false }
  const wish = readRecord(options, 'txpool.SendOptions')
  const flag = (key: keyof SendWish): boolean => {
    const value = wish[key] ?? false
    if (typeof value === 'boolean') return value
    throw invalidParams(`invalid argument 1: ${key} is true or false`)
  }
  for (const key of Object.keys(wish)) {
    if (key !== 'private' && key !== 'idempotent')
      throw invalidParams(`invalid argument 1: unknown option "${key}"`)
  }
  return { private: flag('private'), idempotent: flag('idempotent') }
}

/** Which events of the pool are wanted. */
function eventsWish(options: unknown, sendersOf: SendersWish['sendersOf']): PoolEventsWish {
  if (options === undefined) return {}
  const { reasons, from, ...rest } = readRecord(options, 'txpool.EventOptions')
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw invalidParams(`invalid argument 1: unknown option "${unknown}"`)
  if (reasons !== undefined && !isTexts(reasons))
    throw invalidParams('invalid argument 1: reasons is a list of strings')
  const list = typeof from === 'string' ? [from] : from
  if (list !== undefined && !(isTexts(list) && list.every(each => addressText.test(each))))
    throw invalidParams('invalid argument 1: from is an address or a list of them')
  const senders = list === undefined ? undefined : new Set(list.map(each => each.toLowerCase()))
  return {
    ...(reasons !== undefined && { reasons }),
    ...(senders !== undefined && { from: { senders: senders as Set<Address>, sendersOf } }),
  }
}

const addressText = /^0x[0-9a-f]{40}$/i

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string')
}

/** Two instants of one pool: a message number. A peer's pool is not to be had: peers tell digests, which pool sync compares. */
function readSince(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error('expected the number of a message, as "cause" of an event has it')
}

function readSubject(value: unknown): Hash | Address {
  if (typeof value === 'string' && /^0x([0-9a-f]{64}|[0-9a-f]{40})$/i.test(value))
    return value.toLowerCase() as Hash | Address
  throw new Error('expected a 32-byte hash or a 20-byte address')
}

/** Quantities as hex; counts and times stay numbers. */
function hexed(value: unknown): unknown {
  if (typeof value === 'bigint')
    return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
  if (Array.isArray(value)) return value.map(hexed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hexed(item)]))
}
