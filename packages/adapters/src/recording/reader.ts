import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Edge } from '@rockpool/actor'
import { CodedError, RecordingDecoder } from '@rockpool/protocol'
import { type RecordingHeader, recordingVersion } from './file.ts'

export interface StoredRecording {
  readonly header: RecordingHeader
  /** From the first edge on; may be asked for again. */
  edges(): Iterable<Edge>
  /** Bytes behind the last whole frame; 0 for a whole file. */
  readonly tornBytes: number
}

/** A recording read back. What is torn at its end is left out; a file that begins with no header is refused with `record/unreadable`. */
export function readRecording(path: string): StoredRecording {
  const file = readFileSync(path)
  const payloads = [...payloadsOf(file)]
  const [head, ...rest] = payloads
  if (head === undefined) throw new CodedError('record/unreadable')
  const header = headerOf(head)
  const whole = payloads.reduce((sum, payload) => sum + payload.length + 8, 0)

  function* edges(): Generator<Edge> {
    const decoder = new RecordingDecoder()
    decoder.read(head as Uint8Array)
    for (const payload of rest) yield* decoder.read(payload) as unknown as Edge[]
  }

  return { header, edges, tornBytes: file.length - whole }
}

function* payloadsOf(file: Buffer): Generator<Uint8Array> {
  for (let at = 0; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at)
    const payload = file.subarray(at + 8, at + 8 + length)
    if (payload.length < length || crc32(payload) !== file.readUInt32LE(at + 4)) return
    yield payload
    at += 8 + length
  }
}

function headerOf(payload: Uint8Array): RecordingHeader {
  const [fields] = new RecordingDecoder().read(payload)
  if (fields?.[0] !== recordingVersion) {
    throw new CodedError('record/unreadable', `recording of version ${String(fields?.[0])}`)
  }
  const [, wallMs, nodeVersion, commit, seed, quantum, sliceMs, configDigest, protocol, chainId] =
    fields as [number, number, string, string, string, number, number, string, number, number]
  const run = { wallMs, nodeVersion, commit, seed, quantum, sliceMs }
  return { ...run, configDigest, protocolVersion: protocol, chainId }
}
