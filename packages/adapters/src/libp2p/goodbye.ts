import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import {
  decodeGoodbye,
  encodeGoodbye,
  type Goodbye,
  goodbyeProtocol,
  limits,
  type PeerId,
} from '@rockpool/protocol'
import { deadline, type NetworkClock } from './clock.ts'
import { asError, readFrames, sendAll } from './direct.ts'
import type { NetworkMeter } from './metrics.ts'

interface Parts {
  readonly libp2p: Libp2p
  readonly clock: NetworkClock
  readonly meter: NetworkMeter
  connectionTo(id: PeerId): Connection | undefined
}

/** Told before hanging up, so that the other side knows why and when to come back. One stream, one frame, no answer. */
export function createGoodbyes({ libp2p, clock, meter, connectionTo }: Parts) {
  const heard = new Map<PeerId, Goodbye>()

  /** Resolves when the other side has read it, when it cannot be told, or after a second. Never rejects. */
  async function say(id: PeerId, bye: Goodbye): Promise<void> {
    const frame = encodeGoodbye(bye)
    const connection = connectionTo(id)
    if (connection === undefined) return
    const timer = deadline(clock, limits.goodbyeMs)
    let stream: Stream | undefined
    try {
      stream = await connection.newStream(goodbyeProtocol, { signal: timer.signal })
      // The other side closes its half when it has read: hanging up earlier could overtake the frame.
      await Promise.all([
        readFrames(stream, { bytesMax: 0, framesMax: 0 }, timer.signal),
        sendAll(stream, [frame], timer.signal),
      ])
      meter.goodbye(bye.code, 'out')
    } catch (error) {
      // Nobody to tell: it does not speak the protocol, is gone, or stalls. The connection is closed all the same.
      stream?.abort(asError(error))
    } finally {
      timer.clear()
    }
  }

  async function listen(): Promise<void> {
    const onStream = (stream: Stream, connection: Connection): void =>
      void hear(stream, connection.remotePeer.toString())
    await libp2p.handle(goodbyeProtocol, onStream, {
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      runOnLimitedConnection: false,
    })
  }

  async function hear(stream: Stream, from: PeerId): Promise<void> {
    const timer = deadline(clock, limits.goodbyeMs)
    try {
      const bounds = { bytesMax: limits.goodbyeBytesMax, framesMax: 1 }
      const [frame] = await readFrames(stream, bounds, timer.signal)
      const decoded = frame === undefined ? undefined : decodeGoodbye(frame)
      // One of a peer that is gone already would stay for ever.
      if (decoded?.ok === true && connectionTo(from) !== undefined) {
        heard.set(from, decoded.value)
        meter.goodbye(decoded.value.code, 'in')
      }
      await stream.close({ signal: timer.signal })
    } catch (error) {
      // A goodbye that cannot be read says nothing; the connection ends or does not.
      stream.abort(asError(error))
    } finally {
      timer.clear()
    }
  }

  /** What a peer said last, forgotten by asking. */
  function take(id: PeerId): Goodbye | undefined {
    const bye = heard.get(id)
    heard.delete(id)
    return bye
  }

  return { say, listen, take }
}
