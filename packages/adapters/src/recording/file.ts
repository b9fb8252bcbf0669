import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Edge } from '@rockpool/actor'
import { limits, RecordingEncoder } from '@rockpool/protocol'

/** What a recording is of. Version, wall at start, node version, commit, seed, quantum, slice, config digest, protocol version, chain id. */
export interface RecordingHeader {
  readonly wallMs: number
  readonly nodeVersion: string
  readonly commit: string
  readonly seed: string
  readonly quantum: number
  readonly sliceMs: number
  readonly configDigest: string
  readonly protocolVersion: number
  readonly chainId: number
}

export type StopReason = 'record/overrun' | 'record/full' | 'record/failed'

export interface RecordingOptions {
  readonly path: string
  readonly header: RecordingHeader
  /** Bytes of the file. */
  readonly maxBytes: number
  /** Bytes that may wait for the disk. */
  readonly waitingBytesMax?: number
  /** Told once when no more is written. The node goes on. */
  readonly stopped: (reason: StopReason, error?: unknown) => void
  /** Has held-back edges handed over before a frame is closed. */
  readonly flush: () => void
}

export interface RecordingFile {
  readonly path: string
  readonly bytes: number
  readonly reason: StopReason | undefined
  add(edge: Edge): void
  /** Writes what waits. Twice is harmless. */
  close(): Promise<void>
}

/** Version of the form; the first slot of a header. */
export const recordingVersion = 1

export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('base64')

/** Length and CRC-32 before the payload, both little-endian. */
export function framed(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(payload.length + 8)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt32LE(crc32(payload), 4)
  frame.set(payload, 8)
  return frame
}

export function headerFrame(header: RecordingHeader, encoder: RecordingEncoder): Uint8Array {
  const { wallMs, nodeVersion, commit, seed, quantum, sliceMs } = header
  const { configDigest, protocolVersion, chainId } = header
  const place = [wallMs, nodeVersion, commit, seed, quantum, sliceMs]
  encoder.add([recordingVersion, ...place, configDigest, protocolVersion, chainId])
  return framed(encoder.take())
}

/**
 * A file that edges are appended to. It never makes the node wait: frames are written one after the other behind its back, and when they
 * cannot follow, the recording ends and the node does not.
 */
export async function openRecording(options: RecordingOptions): Promise<RecordingFile> {
  const { path, maxBytes, stopped, flush } = options
  const waitingMax = options.waitingBytesMax ?? limits.recordWaitingBytesMax
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle: FileHandle = await open(path, 'wx', 0o600)
  const encoder = new RecordingEncoder(digestOf)
  const first = headerFrame(options.header, encoder)
  await handle.write(first)
  let bytes = first.length
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let reason: StopReason | undefined
  let writing: Promise<void> | undefined
  let closed = false
  const timer = setInterval(tick, limits.recordFrameMs)
  timer.unref()

  function stop(why: StopReason, error?: unknown): void {
    if (reason !== undefined) return
    reason = why
    stopped(why, error)
  }

  function tick(): void {
    flush()
    seal()
  }

  function add(edge: Edge): void {
    if (reason !== undefined || closed) return
    try {
      encoder.add(edge)
    } catch (error) {
      return stop('record/failed', error)
    }
    if (encoder.size >= limits.recordFrameBytes) seal()
  }

  function seal(): void {
    if (encoder.size === 0 || reason !== undefined) return
    if (bytes + encoder.size + 8 > maxBytes) return stop('record/full')
    if (waitingBytes + encoder.size > waitingMax) return stop('record/overrun')
    const frame = framed(encoder.take())
    bytes += frame.length
    waiting.push(frame)
    waitingBytes += frame.length
    writing ??= write()
  }

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const frames = Buffer.concat(waiting)
      waiting = []
      try {
        await handle.write(frames)
      } catch (error) {
        stop('record/failed', error)
      }
      waitingBytes -= frames.length
    }
    writing = undefined
  }

  async function close(): Promise<void> {
    if (closed) return
    flush()
    seal()
    closed = true
    clearInterval(timer)
    await writing
    await handle.close()
  }

  return {
    path,
    get bytes() {
      return bytes
    },
    get reason() {
      return reason
    },
    add,
    close,
  }
}
