import { createHmac, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type Edge, edgeKinds } from '@rockpool/actor'
import { limits, personalFields, RecordingEncoder } from '@rockpool/protocol'
import { digestOf, framed, headerFrame } from './file.ts'
import type { StoredRecording } from './reader.ts'

/**
 * The recording without what the protocol marks as personal or secret, as a new file. Equal values stay equal and keep their length, so it
 * replays to the same trace; the key is thrown away. Without `hides` it is a plain copy.
 */
export function redact(recording: StoredRecording, path: string, hides = true): void {
  const key = randomBytes(32)
  const encoder = new RecordingEncoder(digestOf)
  const frames = [headerFrame(recording.header, encoder)]
  for (const edge of recording.edges()) {
    encoder.add(hides ? redacted(edge, key) : edge)
    if (encoder.size >= limits.recordFrameBytes) frames.push(framed(encoder.take()))
  }
  if (encoder.size > 0) frames.push(framed(encoder.take()))
  writeFileSync(path, Buffer.concat(frames), { mode: 0o600, flag: 'wx' })
}

function redacted(edge: Edge, key: Uint8Array): Edge {
  const [kind, turn, first, second, ...rest] = edge
  if (kind === edgeKinds.entropy) return [kind, turn, hidden(first, key)]
  if (kind === edgeKinds.mark) return [kind, turn, hidden(first, key)]
  if (kind !== edgeKinds.input && kind !== edgeKinds.ask) return edge
  const message = second as { readonly type: string } | null
  const paths = message === null ? undefined : personalFields.get(message.type)
  if (paths === undefined) return edge
  let replaced: unknown = message
  for (const path of paths) replaced = replace(replaced, path.split('.'), key)
  return [kind, turn, first, replaced, ...rest]
}

function replace(value: unknown, [name, ...below]: readonly string[], key: Uint8Array): unknown {
  if (name === undefined) return hidden(value, key)
  if (typeof value !== 'object' || value === null || !(name in value)) return value
  const record = value as Record<string, unknown>
  return { ...record, [name]: replace(record[name], below, key) }
}

function hidden(value: unknown, key: Uint8Array): unknown {
  if (typeof value === 'string') return isIp(value) ? hiddenIp(value, key) : letters(value, key)
  if (!(value instanceof Uint8Array)) return value
  const out = new Uint8Array(value.length)
  for (let at = 0; at < out.length; at += 32) {
    out.set(mac(key, at, value).subarray(0, out.length - at), at)
  }
  return out
}

function letters(text: string, key: Uint8Array): string {
  let hex = ''
  for (let at = 0; hex.length < text.length; at++) {
    hex += mac(key, at, Buffer.from(text)).toString('hex')
  }
  return hex.slice(0, text.length)
}

const isIp = (text: string) => /^[\d.]+$/.test(text) || /^[\da-f:.]*:[\da-f:.]*$/i.test(text)

/**
 * Each part of an address is shifted by what the parts before it give: an address stays one, differs from every other as before, and shares
 * with its neighbours what it shared, since who counts addresses by network must count the same.
 */
function hiddenIp(ip: string, key: Uint8Array): string {
  const radix = ip.includes(':') ? 16 : 10
  let before = ''
  return ip.replaceAll(/[\da-f]+/gi, part => {
    const span = radix ** part.length
    const shift = mac(key, part.length, Buffer.from(before)).readUInt32BE(0) % span
    before += `${part}.`
    const value = (Number.parseInt(part, radix) + shift) % span
    return value.toString(radix).padStart(part.length, '0')
  })
}

function mac(key: Uint8Array, at: number, value: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${at} `).update(value).digest()
}
