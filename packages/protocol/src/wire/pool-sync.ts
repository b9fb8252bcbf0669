import { limits } from '../limits.ts'
import { fromHex, type Hash, type Hex, hashOf, toHex } from '../values/bytes.ts'
import { createCodec } from './codec.ts'
import { type Decoded, okay, refused } from './decoded.ts'
import { bytes, integer, list, u32 } from './layout.ts'

/** The first eight bytes of a transaction hash. Whoever makes two transactions with one prefix hides only their own. */
export type HashPrefix = Hex

/** Bytes of the digest: 256 buckets of a count (u16) and a sum (u64), big-endian. */
export const poolDigestBytes = 2_560

export type PoolSyncRequest =
  /** What the asker has, so that the other side can tell what it lacks. */
  | {
      readonly kind: 'hello'
      readonly head: { readonly number: number; readonly hash: Hash }
      readonly total: number
      readonly digest: Uint8Array
    }
  | { readonly kind: 'get'; readonly prefixes: readonly HashPrefix[] }

export type PoolSyncAnswer =
  /** To a hello: what the other side has in the buckets that differ and in four others. `more`: not all of it. */
  | { readonly kind: 'ids'; readonly more: boolean; readonly prefixes: readonly HashPrefix[] }
  /** To a get; `missing`: not there, or no room left in this answer. */
  | {
      readonly kind: 'txs'
      readonly txs: readonly Uint8Array[]
      readonly missing: readonly HashPrefix[]
    }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }

const prefix8 = bytes(8, 8)

const codec = createCodec({
  version: 1,
  kinds: {
    0: [u32, bytes(32, 32), u32, bytes(poolDigestBytes, poolDigestBytes)],
    1: [integer(0, 1), list(prefix8, limits.poolSyncIdsMax)],
    2: [list(prefix8, limits.poolSyncGetMax, 1)],
    3: [
      list(bytes(1, limits.txBytesMax), limits.poolSyncGetMax),
      list(prefix8, limits.poolSyncGetMax),
    ],
    4: [u32],
  },
})

export function prefixOf(hash: Hash): HashPrefix {
  return hash.slice(0, 18) as HashPrefix
}

export function encodePoolSyncRequest(request: PoolSyncRequest): Uint8Array {
  if (request.kind === 'get') return codec.encode(2, [request.prefixes.map(fromHex)])
  const { head, total, digest } = request
  return codec.encode(0, [head.number, fromHex(head.hash), total, digest])
}

export function decodePoolSyncRequest(frame: Uint8Array): Decoded<PoolSyncRequest> {
  const decoded = codec.decode(frame, limits.poolSyncRequestBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  switch (kind) {
    case 0: {
      const [number, hash, total, digest] = slots
      return okay({ kind: 'hello', head: { number, hash: hashOf(hash) }, total, digest })
    }
    case 2:
      return okay({ kind: 'get', prefixes: slots[0].map(toHex) })
    default:
      return refused('bad-shape')
  }
}

export function encodePoolSyncAnswer(answer: PoolSyncAnswer): Uint8Array {
  switch (answer.kind) {
    case 'ids':
      return codec.encode(1, [answer.more ? 1 : 0, answer.prefixes.map(fromHex)])
    case 'txs':
      return codec.encode(3, [answer.txs, answer.missing.map(fromHex)])
    case 'busy':
      return codec.encode(4, [answer.retryAfterSeconds])
  }
}

/** The frame that answers a request of that kind. A frame that answers another kind of request is `bad-shape`. */
export function decodePoolSyncAnswer(
  frame: Uint8Array,
  asked: PoolSyncRequest['kind'],
): Decoded<PoolSyncAnswer> {
  const decoded = codec.decode(frame, limits.poolSyncAnswerBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  if (kind === 4) return okay({ kind: 'busy', retryAfterSeconds: slots[0] })
  if (kind === 1 && asked === 'hello') {
    return okay({ kind: 'ids', more: slots[0] === 1, prefixes: slots[1].map(toHex) })
  }
  if (kind === 3 && asked === 'get') {
    return okay({ kind: 'txs', txs: slots[0], missing: slots[1].map(toHex) })
  }
  return refused('bad-shape')
}
