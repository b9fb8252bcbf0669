import { limits } from '../limits.ts'
import { createCodec } from './codec.ts'
import { type Decoded, okay, refused } from './decoded.ts'
import { bytes, integer, list } from './layout.ts'

const codec = createCodec({
  version: 1,
  kinds: {
    0: [integer(1, limits.exchangePeersMax)],
    1: [list(bytes(1, limits.exchangeRecordBytesMax), limits.exchangePeersMax)],
  },
})

/** Asks for so many peers. */
export function encodePeersRequest(wanted: number): Uint8Array {
  return codec.encode(0, [wanted])
}

export function decodePeersRequest(frame: Uint8Array): Decoded<number> {
  const decoded = codec.decode(frame, limits.exchangeRequestBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  return kind === 0 ? okay(slots[0]) : refused('bad-shape')
}

/** Addresses of peers, each sealed by the peer itself: nobody can be named who is not there. */
export function encodePeersAnswer(records: readonly Uint8Array[]): Uint8Array {
  return codec.encode(1, [records])
}

export function decodePeersAnswer(frame: Uint8Array): Decoded<readonly Uint8Array[]> {
  const decoded = codec.decode(frame, limits.exchangeAnswerBytesMax)
  if (!decoded.ok) return decoded
  const { kind, slots } = decoded.value
  return kind === 1 ? okay(slots[0]) : refused('bad-shape')
}
