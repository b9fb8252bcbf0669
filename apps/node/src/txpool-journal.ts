import { readFileSync, writeFileSync } from 'node:fs'
import { fromHex, toHex } from '@rockpool/protocol'
import { callNode } from './client.ts'
import type { Paths } from './datadir.ts'
import { exit, Refusal } from './exit.ts'

/** What an export or import came to. */
interface JournalReport {
  readonly text: string
  /** Where reading stopped, and why. */
  readonly stopped?: { readonly at: number; readonly why: string }
}

/** Own transactions in geth's file: one after the other, legacy ones as they are, typed ones as a byte string. No checksum. */
export function encodeJournal(raws: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(
    raws.flatMap(raw => ((raw[0] ?? 0) >= 0xc0 ? [raw] : [stringHeader(raw.length), raw])),
  )
  return new Uint8Array(whole)
}

function stringHeader(length: number): Uint8Array {
  if (length < 56) return Buffer.of(0x80 + length)
  const size = bigEndian(length)
  return Buffer.from([0xb7 + size.length, ...size])
}

function bigEndian(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return bytes
}

/** The transactions of such a file up to the first that cannot be read. */
export function decodeJournal(bytes: Uint8Array): {
  readonly raws: readonly Uint8Array[]
  readonly stopped?: { readonly at: number; readonly why: string }
} {
  const raws: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const item = itemAt(bytes, at)
    if (typeof item === 'string') return { raws, stopped: { at, why: item } }
    raws.push(item.isList ? bytes.slice(at, item.to) : bytes.slice(item.from, item.to))
    at = item.to
  }
  return { raws }
}

function itemAt(bytes: Uint8Array, at: number) {
  const first = bytes[at] ?? 0
  const isList = first >= 0xc0
  const base = isList ? 0xc0 : 0x80
  if (first < 0x80) return 'rlp: a single byte is no transaction'
  const short = first - base
  if (short < 56) return within(bytes, { isList, from: at + 1, length: short })
  const sizeBytes = short - 55
  let length = 0
  for (let index = 1; index <= sizeBytes; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) return 'rlp: unexpected end of file'
    if (index === 1 && byte === 0) return 'rlp: length with leading zero'
    length = length * 256 + byte
  }
  if (length < 56) return 'rlp: non-canonical length'
  return within(bytes, { isList, from: at + 1 + sizeBytes, length })
}

function within(
  bytes: Uint8Array,
  { isList, from, length }: { isList: boolean; from: number; length: number },
) {
  if (length === 0) return 'rlp: empty item'
  if (from + length > bytes.length) return 'rlp: unexpected end of file'
  return { isList, from, to: from + length }
}

export async function exportJournal(paths: Paths, file: string): Promise<JournalReport> {
  const raws = ((await callNode(paths, 'txpool_journal')) as string[]).map(raw => fromHex(raw))
  writeFileSync(file, encodeJournal(raws), { mode: 0o600 })
  return { text: `exported ${raws.length} to ${file}` }
}

/** Submits every transaction of the file; what the node already has counts as imported. */
export async function importJournal(paths: Paths, file: string): Promise<JournalReport> {
  const { raws, stopped } = decodeJournal(readJournal(file))
  let imported = 0
  const refusals: string[] = []
  for (const raw of raws) {
    try {
      await callNode(paths, 'txpool_sendRaw', [toHex(raw), { idempotent: true }])
      imported++
    } catch (error) {
      if (!(error instanceof Refusal) || error.exitCode !== exit.no) throw error
      refusals.push(error.message)
    }
  }
  const end = stopped === undefined ? '' : `, stopped at byte ${stopped.at}: ${stopped.why}`
  const lines = [`imported ${imported}, rejected ${refusals.length}${end}`, ...new Set(refusals)]
  return { text: lines.join('\n  '), ...(stopped && { stopped }) }
}

function readJournal(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(exit.usage, `cannot read ${file}: ${why}`, { cause: error })
  }
}
