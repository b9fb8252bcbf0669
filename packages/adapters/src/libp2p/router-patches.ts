import type { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { limits, type PeerId } from '@rockpool/protocol'
import type { NetworkClock } from './clock.ts'
import { asError } from './direct.ts'
import { type FrameSource, methodOf, type RawFrame, type Router } from './router.ts'

export interface FrameTapOptions {
  readonly clock: NetworkClock
  /** Something a peer did that the router itself neither sees nor charges. */
  fault(id: PeerId, reason: string, evidence: string): void
  frameDropped(): void
  isConnected(id: PeerId): boolean
}

export interface FrameTap {
  /** A peer has left; what was counted about it is dropped. */
  forget(id: PeerId): void
}

const RATE_REPORT_MS = 1_000
const CHURN_WINDOW_MS = 600_000
const CHURN_MAX = 5

/** Names of it-length-prefixed for a length over the limit, and for a length that does not end. */
const OVERSIZE = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError'])

interface Watched {
  bytes: number
  frames: number
  refilledMs: number
  dropped: number
  reportedMs: number
  streams: readonly number[]
}

/**
 * The frame tap: stands between a peer's gossip stream and the router's decoder, where the router has neither a rate, nor a charge for
 * bytes that do not decode, nor a word to the sender when it stops listening. Installed once, before start; a router without the wrapped
 * methods refuses to start.
 *
 * - A byte and a frame bucket per peer, before protobuf: above it a frame is dropped whole, `rate/wire`. A frame is never delayed, for
 *   the stream behind it has no back-pressure.
 * - What does not decode is `wire/malformed-rpc`; a message with a signature, a number, a key or an author is `wire/invalid-envelope`.
 *   The router lets an author alone pass and relays it at any length: an empty key beside it makes the router refuse the message.
 * - A stream that ends in an error is reset first, or its sender goes on writing into it for ever; an oversize frame is
 *   `wire/oversize-frame`, a sixth new stream within ten minutes is
 *   `wire/stream-churn`.
 */
export function installFrameTap(router: Router, options: FrameTapOptions): FrameTap {
  const { clock, fault, frameDropped, isConnected } = options
  const watched = new Map<PeerId, Watched>()
  const decode = methodOf(router, 'decodeRpc')
  const pipe = methodOf(router, 'pipePeerReadStream')
  /** What the last call of the decoder found. The router decodes a frame and asks for the next one in the same go. */
  let malformed = false
  let enveloped = 0

  function decodeRpc(bytes: Uint8Array): RPC {
    try {
      const rpc = decode.call(router, bytes)
      enveloped = refuseEnvelopes(rpc)
      malformed = false
      return rpc
    } catch (error) {
      enveloped = 0
      malformed = true
      throw error
    }
  }

  async function* tap(id: PeerId, source: FrameSource): AsyncGenerator<RawFrame> {
    const inbound = router.streamsInbound.get(id)
    streamOpened(id)
    try {
      for await (const frame of source) {
        if (!admit(id, frame.byteLength)) continue
        yield frame
        if (malformed) fault(id, 'wire/malformed-rpc', `frame of ${frame.byteLength} bytes`)
        if (enveloped > 0) fault(id, 'wire/invalid-envelope', `${enveloped} messages`)
      }
    } catch (error) {
      inbound?.rawStream.abort(asError(error))
      readFailed(id, asError(error))
      // The router would forget the peer also for the end of a stream that a newer one has replaced.
      if (inbound === router.streamsInbound.get(id)) throw error
    } finally {
      // Frames still in the buffer are read after the peer has left.
      if (!isConnected(id)) watched.delete(id)
    }
  }

  function readFailed(id: PeerId, error: Error): void {
    if (OVERSIZE.has(error.name)) return fault(id, 'wire/oversize-frame', error.message)
  }

  /** A peer opens one stream and keeps it; a few more are bad luck. */
  function streamOpened(id: PeerId): void {
    const now = clock.now()
    const state = watch(id)
    state.streams = [...state.streams.filter(at => now - at < CHURN_WINDOW_MS), now]
    const changes = state.streams.length - 1
    if (changes <= CHURN_MAX) return
    fault(id, 'wire/stream-churn', `${changes} streams`)
    state.streams = [now]
  }

  function admit(id: PeerId, bytes: number): boolean {
    const state = watch(id)
    const now = clock.now()
    const seconds = Math.max(0, now - state.refilledMs) / 1_000
    state.refilledMs = now
    state.bytes = Math.min(limits.wireBytesBurst, state.bytes + seconds * limits.wireBytesPerSecond)
    state.frames = Math.min(
      limits.wireFramesBurst,
      state.frames + seconds * limits.wireFramesPerSecond,
    )
    if (state.bytes >= bytes && state.frames >= 1) {
      state.bytes -= bytes
      state.frames -= 1
      return true
    }
    frameDropped()
    state.dropped++
    // Every dropped frame is counted; one report a second carries their number.
    if (now - state.reportedMs >= RATE_REPORT_MS) {
      state.reportedMs = now
      fault(id, 'rate/wire', `${state.dropped} frames`)
      state.dropped = 0
    }
    return false
  }

  function watch(id: PeerId): Watched {
    const known = watched.get(id)
    if (known !== undefined) return known
    const made: Watched = {
      bytes: limits.wireBytesBurst,
      frames: limits.wireFramesBurst,
      refilledMs: clock.now(),
      dropped: 0,
      reportedMs: Number.NEGATIVE_INFINITY,
      streams: [],
    }
    watched.set(id, made)
    return made
  }

  Object.assign(router, {
    decodeRpc,
    pipePeerReadStream: (id: Parameters<typeof pipe>[0], source: FrameSource) =>
      pipe.call(router, id, tap(id.toString(), source)),
  })
  return { forget: id => void watched.delete(id) }
}

/** Marks messages that carry what StrictNoSign forbids so that the router refuses each; how many there were. */
function refuseEnvelopes(rpc: RPC): number {
  let found = 0
  for (const message of rpc.messages) {
    if (message.from !== undefined) message.key ??= new Uint8Array(0)
    const { key, seqno, signature } = message
    if (key !== undefined || seqno !== undefined || signature !== undefined) found++
  }
  return found
}
