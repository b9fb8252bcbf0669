import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Edge } from '@rockpool/actor'
import { afterAll, expect, test } from 'vitest'
import {
  openRecording,
  type RecordingHeader,
  readRecording,
  redact,
  type StopReason,
} from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'rockpool-recording-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const header: RecordingHeader = {
  ...{ wallMs: 1_700_000_000_000, nodeVersion: 'v20.20.0', commit: 'abc', seed: '1', quantum: 64 },
  ...{ sliceMs: 5, configDigest: 'aa…bb', protocolVersion: 1, chainId: 1337 },
}

let made = 0

async function fileOf(options: { maxBytes?: number; waitingBytesMax?: number } = {}) {
  const stops: StopReason[] = []
  const file = await openRecording({
    path: join(folder, `${++made}`, 'a.rprec'),
    header,
    maxBytes: 1_000_000,
    flush: () => {},
    stopped: reason => stops.push(reason),
    ...options,
  })
  return { file, stops }
}

const bytes = (size: number, fill: number) => new Uint8Array(size).fill(fill)
const input = (turn: number, message: object): Edge => [3, turn, '/a', message]

test('what is written is read back, in a file only its owner may read', async () => {
  const { file } = await fileOf()
  const edges = Array.from({ length: 2_000 }, (_, n) =>
    input(n, { type: 'a', n, raw: bytes(90, n) }),
  )
  for (const edge of edges) file.add(edge)
  await file.close()
  await file.close()

  const read = readRecording(file.path)
  expect(read.header).toEqual(header)
  expect([...read.edges()]).toEqual(edges)
  expect([...read.edges()]).toEqual(edges)
  expect(read.tornBytes).toBe(0)
  expect(statSync(file.path).mode & 0o777).toBe(0o600)
  expect(statSync(file.path).size).toBe(file.bytes)
})

test('a torn tail is cut at the last whole frame', async () => {
  const { file } = await fileOf()
  for (let n = 0; n < 3_000; n++) file.add(input(n, { type: 'a', raw: bytes(90, n) }))
  await file.close()
  truncateSync(file.path, file.bytes - 5)

  const read = readRecording(file.path)
  const edges = [...read.edges()]
  expect(read.tornBytes).toBeGreaterThan(0)
  expect(edges.length).toBeGreaterThan(1_000)
  expect(edges.length).toBeLessThan(3_000)
  expect(edges.at(-1)).toEqual(
    input(edges.length - 1, { type: 'a', raw: bytes(90, edges.length - 1) }),
  )
})

test('no recording is refused', async () => {
  expect(() => readRecording(join(import.meta.dirname, 'index.ts'))).toThrow(/not a recording/)
})

test('the disk falls too far behind: the recording stops and says so once', async () => {
  const { file, stops } = await fileOf({ waitingBytesMax: 100_000 })
  for (let n = 0; n < 5_000; n++) file.add(input(n, { type: 'a', raw: bytes(200, n) }))

  expect(stops).toEqual(['record/overrun'])
  await file.close()
  expect([...readRecording(file.path).edges()].length).toBeGreaterThan(100)
})

test('the file stops at its size and not a byte later', async () => {
  const { file, stops } = await fileOf({ maxBytes: 200_000 })
  for (let n = 0; n < 5_000; n++) file.add(input(n, { type: 'a', raw: bytes(200, n) }))
  await file.close()

  expect(stops).toEqual(['record/full'])
  expect(statSync(file.path).size).toBeLessThanOrEqual(200_000)
  expect(statSync(file.path).size).toBeGreaterThan(120_000)
})

test('what cannot be encoded stops the recording, not the node', async () => {
  const { file, stops } = await fileOf()
  file.add(input(1, { type: 'a', then: () => 1 }))
  file.add(input(2, { type: 'a' }))
  await file.close()

  expect(stops).toEqual(['record/failed'])
})

test('an export hides who somebody is: equal stays equal, addresses stay addresses', async () => {
  const { file } = await fileOf()
  const opened = (ip: string): Edge =>
    input(1, { type: 'peer.opened', peer: { id: 'a', ip, agent: 'secretive/1.0', protocols: [] } })
  const ips = [
    '203.0.113.7',
    '203.0.113.7',
    '203.0.113.8',
    '2001:db8:aa:bb::1',
    '2001:db8:aa:cc::1',
  ]
  for (const ip of ips) file.add(opened(ip))
  file.add([6, 1, bytes(40, 3)])
  await file.close()
  const target = join(folder, 'redacted.rprec')
  redact(readRecording(file.path), target)

  const text = readFileSync(target).toString('latin1')
  for (const secret of [...ips, 'secretive', 'db8']) expect(text).not.toContain(secret)
  const edges = [...readRecording(target).edges()]
  const hidden = edges.slice(0, 5).map(edge => (edge[3] as { peer: { ip: string } }).peer.ip)
  expect(hidden[0]).toBe(hidden[1])
  expect(new Set(hidden).size).toBe(4)
  expect(hidden[0]).toMatch(/^\d{3}\.\d\.\d{3}\.\d$/)
  // One customer's two networks share what they shared.
  expect(hidden[3]?.slice(0, 11)).toBe(hidden[4]?.slice(0, 11))
  expect(edges[5]?.[2]).toHaveLength(40)
  expect(edges[5]?.[2]).not.toEqual(bytes(40, 3))
})
