import { limits } from '../limits.ts'
import type { BlockAnnounce, BlockFrame } from '../values/block.ts'
import { fromHex, type Hash, hashOf } from '../values/bytes.ts'
import type { Goodbye } from '../values/peer.ts'
import { createCodec, decodeSoleFrame, encodeRecord } from './codec.ts'
import { type Decoded, okay, refused } from './decoded.ts'
import { bytes, integer, list, text, tuple, u32 } from './layout.ts'

/** Encoded transactions that travel together. `salt` is 0 at first and random when they are sent again, to give the message a new id. */
export interface TxBatch {
  readonly salt: number
  readonly txs: readonly Uint8Array[]
}

/** A transaction too large for gossip: its body is fetched. Size in bytes. */
export interface TxAnnounce {
  readonly hash: Hash
  readonly size: number
}

export type TxFrame =
  | ({ readonly kind: 'batch' } & TxBatch)
  | { readonly kind: 'announce'; readonly entries: readonly TxAnnounce[] }

export type BlockTopicFrame =
  | { readonly kind: 'block'; readonly frame: BlockFrame }
  | { readonly kind: 'announce'; readonly announce: BlockAnnounce }

const hash32 = bytes(32, 32)
/** 21 fields of at most 33 bytes, the bloom of 256 and 32 bytes of extra data stay below this. */
const headerBytes = bytes(1, 1_024)
/** 65 bytes, or none in genesis. Which of the two it must be is the chain's rule. */
const sealBytes = bytes(0, 65)
const goodbyeBytesMax = 128

const txCodec = createCodec({
  version: 1,
  kinds: {
    1: [u32, list(bytes(1, limits.gossipTxAloneBytesMax), limits.gossipTxsMax, 1)],
    2: [
      list(
        tuple(hash32, integer(limits.gossipTxAloneBytesMax + 1, limits.txBytesMax)),
        limits.gossipAnnouncesMax,
        1,
      ),
    ],
  },
})

const blockCodec = createCodec({
  version: 1,
  kinds: {
    1: [headerBytes, list(bytes(1, limits.txBytesMax), limits.blockTxsMax), sealBytes],
    2: [headerBytes, sealBytes],
  },
})

/** Code, seconds, text. The code stands where others have a kind. */
const goodbyeLayout = { version: 1, slots: [u32, u32, text(64)] } as const

export function encodeTxBatch({ salt, txs }: TxBatch): Uint8Array {
  return txCodec.encode(1, [salt, txs])
}

export function encodeTxAnnounce(entries: readonly TxAnnounce[]): Uint8Array {
  return txCodec.encode(2, [entries.map(({ hash, size }) => [fromHex(hash), size])])
}

/** A message of the topic `tx`. One transaction twice in it is for the receiver to find. */
export function decodeTxFrame(frame: Uint8Array): Decoded<TxFrame> {
  const decoded = txCodec.decode(frame, limits.gossipTxBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  if (kind === 1) return okay({ kind: 'batch', salt: slots[0], txs: slots[1] })
  return okay({
    kind: 'announce',
    entries: slots[0].map(([hash, size]) => ({ hash: hashOf(hash), size })),
  })
}

/** A block as it travels and lies on disk. */
export function encodeBlockFrame({ header, txs, seal }: BlockFrame): Uint8Array {
  return blockCodec.encode(1, [header, txs, seal])
}

export function encodeBlockAnnounce({ header, seal }: BlockAnnounce): Uint8Array {
  return blockCodec.encode(2, [header, seal])
}

/** A message of the topic `block`: each kind has its own size limit. */
export function decodeBlockTopicFrame(frame: Uint8Array): Decoded<BlockTopicFrame> {
  const decoded = blockCodec.decode(frame, limits.gossipBlockBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  if (kind === 1) {
    return okay({ kind: 'block', frame: { header: slots[0], txs: slots[1], seal: slots[2] } })
  }
  if (frame.length > limits.gossipAnnounceBytesMax) return refused('too-big')
  return okay({ kind: 'announce', announce: { header: slots[0], seal: slots[1] } })
}

/** A whole block from disk or from the range protocol. */
export function decodeBlockFrame(frame: Uint8Array): Decoded<BlockFrame> {
  const decoded = blockCodec.decode(frame, limits.blockBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  if (kind !== 1) return refused('bad-shape')
  return okay({ header: slots[0], txs: slots[1], seal: slots[2] })
}

/** The frame of the goodbye protocol; the text is a reason code of at most 64 bytes. */
export function encodeGoodbye({ code, retryAfterSeconds, text }: Goodbye): Uint8Array {
  return encodeRecord(goodbyeLayout, [code, retryAfterSeconds, text])
}

export function decodeGoodbye(frame: Uint8Array): Decoded<Goodbye> {
  const decoded = decodeSoleFrame(goodbyeLayout, frame, goodbyeBytesMax)
  if (!decoded.ok) return decoded
  const [code, retryAfterSeconds, reason] = decoded.value
  return okay({ code, retryAfterSeconds, text: reason })
}
