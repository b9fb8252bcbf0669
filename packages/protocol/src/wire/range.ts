import { limits } from '../limits.ts'
import type { BlockFrame } from '../values/block.ts'
import { fromHex, type Hash, hashOf } from '../values/bytes.ts'
import { createCodec } from './codec.ts'
import { type Decoded, okay, refused } from './decoded.ts'
import { decodeBlockFrame, encodeBlockFrame } from './envelope.ts'
import { bytes, integer, list, quantity, u32 } from './layout.ts'

/** What a node asks another about its canonical branch. */
export type RangeRequest =
  | { readonly kind: 'status' }
  /** Canonical hashes at these heights. */
  | { readonly kind: 'hashes'; readonly numbers: readonly number[] }
  /** Up to `count` blocks of the canonical branch after this one. */
  | { readonly kind: 'range'; readonly after: Hash; readonly count: number }
  | { readonly kind: 'bodies'; readonly hashes: readonly Hash[] }

/** One frame of an answer: status to a status, hashes to hashes, blocks and then an end to a range or bodies; busy to any of them. */
export type RangeAnswer =
  | {
      readonly kind: 'status'
      readonly number: number
      readonly hash: Hash
      readonly totalWeight: number
    }
  /** One per height asked; null above the head. */
  | { readonly kind: 'hashes'; readonly hashes: readonly (Hash | null)[] }
  | { readonly kind: 'block'; readonly frame: BlockFrame }
  | { readonly kind: 'end'; readonly more: boolean }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }

const hash32 = bytes(32, 32)

const requestCodec = createCodec({
  version: 1,
  kinds: {
    0: [],
    2: [list(u32, limits.hashesMax, 1)],
    4: [hash32, integer(1, limits.rangeBlocksMax)],
    5: [list(hash32, limits.bodiesMax, 1)],
  },
})

/** Kind 1 is a block after a range or bodies request, and is read as one then. */
const answerCodec = createCodec({
  version: 1,
  kinds: {
    1: [u32, hash32, quantity(8)],
    3: [list(bytes(0, 32), limits.hashesMax)],
    6: [integer(0, 1)],
    7: [u32],
  },
})

export function encodeRangeRequest(request: RangeRequest): Uint8Array {
  switch (request.kind) {
    case 'status':
      return requestCodec.encode(0, [])
    case 'hashes':
      return requestCodec.encode(2, [request.numbers])
    case 'range':
      return requestCodec.encode(4, [fromHex(request.after), request.count])
    case 'bodies':
      return requestCodec.encode(5, [request.hashes.map(fromHex)])
  }
}

export function decodeRangeRequest(frame: Uint8Array): Decoded<RangeRequest> {
  const decoded = requestCodec.decode(frame, limits.rangeRequestBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  switch (kind) {
    case 0:
      return okay({ kind: 'status' })
    case 2:
      return okay({ kind: 'hashes', numbers: slots[0] })
    case 4:
      return okay({ kind: 'range', after: hashOf(slots[0]), count: slots[1] })
    case 5:
      return okay({ kind: 'bodies', hashes: slots[0].map(hashOf) })
  }
}

export function encodeRangeAnswer(answer: RangeAnswer): Uint8Array {
  switch (answer.kind) {
    case 'status': {
      const { number, hash, totalWeight } = answer
      return answerCodec.encode(1, [number, fromHex(hash), BigInt(totalWeight)])
    }
    case 'hashes': {
      const hashes = answer.hashes.map(hash => (hash === null ? new Uint8Array(0) : fromHex(hash)))
      return answerCodec.encode(3, [hashes])
    }
    case 'block':
      return encodeBlockFrame(answer.frame)
    case 'end':
      return answerCodec.encode(6, [answer.more ? 1 : 0])
    case 'busy':
      return answerCodec.encode(7, [answer.retryAfterSeconds])
  }
}

/** One frame that answers a request of that kind. A frame that answers another kind of request is `bad-shape`. */
export function decodeRangeAnswer(
  frame: Uint8Array,
  asked: RangeRequest['kind'],
): Decoded<RangeAnswer> {
  if ((asked === 'range' || asked === 'bodies') && frame.length > limits.rangeAnswerBytesMax) {
    return blockAnswer(frame)
  }
  const decoded = answerCodec.decode(frame, limits.rangeAnswerBytesMax)
  if (asked === 'range' || asked === 'bodies') {
    const isBlock = !decoded.ok || decoded.value.kind === 1
    if (isBlock) return blockAnswer(frame)
  }
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  switch (kind) {
    case 1: {
      if (asked !== 'status') return refused('bad-shape')
      const totalWeight = Number(slots[2])
      if (!Number.isSafeInteger(totalWeight)) return refused('bad-shape')
      return okay({ kind: 'status', number: slots[0], hash: hashOf(slots[1]), totalWeight })
    }
    case 3: {
      const isHash = (hash: Uint8Array) => hash.length === 0 || hash.length === 32
      if (asked !== 'hashes' || !slots[0].every(isHash)) return refused('bad-shape')
      const hashes = slots[0].map(hash => (hash.length === 0 ? null : hashOf(hash)))
      return okay({ kind: 'hashes', hashes })
    }
    case 6:
      if (asked !== 'range' && asked !== 'bodies') return refused('bad-shape')
      return okay({ kind: 'end', more: slots[0] === 1 })
    case 7:
      return okay({ kind: 'busy', retryAfterSeconds: slots[0] })
  }
}

function blockAnswer(frame: Uint8Array): Decoded<RangeAnswer> {
  const decoded = decodeBlockFrame(frame)
  return decoded.ok ? okay({ kind: 'block', frame: decoded.value }) : decoded
}
