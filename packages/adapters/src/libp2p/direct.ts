import type { Connection, Libp2p, Stream, StreamCloseEvent } from '@libp2p/interface'
import {
  type Code,
  CodedError,
  limits,
  type NetworkPort,
  type PeerId,
  type RequestBounds,
} from '@rockpool/protocol'
import { deadline, type NetworkClock } from './clock.ts'
import { createFrameReader, type FrameBounds, toFrame } from './frames.ts'
import type { NetworkMeter } from './metrics.ts'

type Handler = Parameters<NetworkPort['serve']>[1]
type ServeOptions = NonNullable<Parameters<NetworkPort['serve']>[2]>

interface Parts {
  readonly libp2p: Libp2p
  readonly clock: NetworkClock
  readonly meter: NetworkMeter
  connectionTo(id: PeerId): Connection | undefined
}

/** Streams we open towards one peer under one protocol. */
const OUTBOUND_STREAMS_MAX = 64

/**
 * Request streams. The asker sends one frame and closes its half; the other side answers with frames and closes the other half. Anything
 * else, a stream that ends before its half is closed or a bound that is passed, aborts the stream and rejects.
 */
export function createDirect({ libp2p, clock, meter, connectionTo }: Parts) {
  /** Streams whose question is being answered. */
  const answering = new Set<Stream>()

  async function request(
    id: PeerId,
    protocol: string,
    bytes: Uint8Array,
    { bytesMax, deadlineMs }: RequestBounds,
  ): Promise<readonly Uint8Array[]> {
    const connection = connectionTo(id)
    if (connection === undefined) throw new CodedError('p2p/not-connected')
    const timer = deadline(clock, deadlineMs)
    const { signal } = timer
    let stream: Stream | undefined
    try {
      stream = await connection.newStream(protocol, {
        signal,
        maxOutboundStreams: OUTBOUND_STREAMS_MAX,
      })
      const bounds = { bytesMax, framesMax: limits.answerFramesMax }
      const [frames] = await Promise.all([
        readFrames(stream, bounds, signal),
        sendAll(stream, [bytes], signal),
      ])
      meter.request('out', 'ok')
      return frames
    } catch (error) {
      stream?.abort(asError(error))
      meter.request('out', 'failed')
      throw coded(error, signal)
    } finally {
      timer.clear()
    }
  }

  /** Answers `protocol` with `handler`. More streams of one peer than `streamsPerPeer` are reset unread. */
  async function serve(
    protocol: string,
    handler: Handler,
    {
      requestBytesMax = limits.requestBytesMax,
      streamsPerPeer = limits.requestStreamsPerPeer,
    }: ServeOptions = {},
  ): Promise<void> {
    const open = new Map<PeerId, number>()

    const onStream = (stream: Stream, connection: Connection): void => {
      const from = connection.remotePeer.toString()
      const count = open.get(from) ?? 0
      if (count >= streamsPerPeer) {
        meter.request('in', 'refused')
        return stream.abort(new Error('too many streams of one peer'))
      }
      open.set(from, count + 1)
      void answer(stream, from, handler, requestBytesMax).finally(() => {
        const left = (open.get(from) ?? 1) - 1
        if (left === 0) open.delete(from)
        else open.set(from, left)
      })
    }
    // libp2p counts by connection and a peer may have two; the count above is by peer and decides.
    await libp2p.handle(protocol, onStream, {
      maxInboundStreams: 2 * streamsPerPeer,
      maxOutboundStreams: OUTBOUND_STREAMS_MAX,
      runOnLimitedConnection: false,
    })
  }

  async function answer(
    stream: Stream,
    from: PeerId,
    handler: Handler,
    requestBytesMax: number,
  ): Promise<void> {
    const reading = deadline(clock, limits.requestReadMs)
    const whole = deadline(clock, limits.requestReadMs + limits.answerMs)
    answering.add(stream)
    try {
      const bounds = { bytesMax: requestBytesMax, framesMax: 1 }
      const [asked] = await readFrames(stream, bounds, reading.signal)
      if (asked === undefined) throw new CodedError('p2p/stream-closed')
      const frames = await unlessGone(handler(from, asked), stream, whole.signal)
      await sendAll(stream, frames, whole.signal)
      meter.request('in', 'ok')
    } catch (error) {
      stream.abort(asError(error))
      meter.request('in', 'failed')
    } finally {
      reading.clear()
      whole.clear()
      answering.delete(stream)
    }
  }

  /** Resets what is being answered on a connection about to close: a close in good order would end it like a complete answer. */
  function abandon(connection: Connection): void {
    for (const stream of connection.streams)
      if (answering.has(stream)) stream.abort(new Error('connection is closing'))
  }

  return { request, serve, abandon }
}

/** Sends frames, waiting when the other side is slow, and closes our half. */
export async function sendAll(
  stream: Stream,
  payloads: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  for (const payload of payloads)
    if (!stream.send(toFrame(payload))) await stream.onDrain({ signal })
  await stream.close({ signal })
}

/**
 * Reads frames until the other side closes its half. Events instead of the stream's own iterator: that one waits for ever when the half was
 * closed before anybody listened, which on the answering side is the usual case.
 */
export function readFrames(
  stream: Stream,
  bounds: FrameBounds,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const reader = createFrameReader(bounds)
    let finished = stream.remoteWriteStatus === 'closed'

    const leave = (): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('remoteCloseWrite', onFinish)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onClose)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: unknown): void => {
      leave()
      reject(asError(error))
    }
    const onMessage = (event: { data: Uint8Array | Iterable<Uint8Array> }): void => {
      const chunks = event.data instanceof Uint8Array ? [event.data] : event.data
      for (const chunk of chunks)
        if (!reader.push(chunk)) return fail(new CodedError('p2p/answer-too-big'))
    }
    const onFinish = (): void => {
      finished = true
    }
    const onEnd = (): void => {
      const broken = stream.status === 'reset' || stream.status === 'aborted'
      if (broken || !finished || reader.isPartial())
        return fail(new CodedError('p2p/stream-closed'))
      leave()
      resolve(reader.frames)
    }
    const onClose = ({ error }: StreamCloseEvent): void => {
      if (error !== undefined || stream.readBufferLength === 0)
        fail(new CodedError('p2p/stream-closed', undefined, { cause: error }))
    }
    const onAbort = (): void => fail(signal.reason)

    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    stream.addEventListener('remoteCloseWrite', onFinish)
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onClose)
    stream.addEventListener('message', onMessage)
    if (stream.readableEnded) onEnd()
  })
}

/** The result of `work`, unless its asker leaves or the time is over before. */
function unlessGone<T>(work: Promise<T>, stream: Stream, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new CodedError('p2p/stream-closed'))
    stream.addEventListener('close', gone)
    signal.addEventListener('abort', gone)
    work.then(resolve, reject).finally(() => {
      stream.removeEventListener('close', gone)
      signal.removeEventListener('abort', gone)
    })
  })
}

function coded(error: unknown, signal: AbortSignal): CodedError {
  if (signal.aborted) return new CodedError('p2p/request-timeout', undefined, { cause: error })
  if (error instanceof CodedError) return error
  const code: Code =
    asError(error).name === 'UnsupportedProtocolError'
      ? 'p2p/unsupported-protocol'
      : 'p2p/stream-closed'
  return new CodedError(code, undefined, { cause: error })
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
