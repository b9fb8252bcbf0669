import { concatBytes } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFrameReader, toFrame } from './frames.ts'

const wide = { bytesMax: 1 << 20, framesMax: 1_000 }

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const edges = [0, ...at.map(point => point % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  )
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
}

test('a frame is its length in four bytes, the highest first, and its payload', () => {
  expect(Buffer.from(toFrame(Uint8Array.of(0xab, 0xcd))).toString('hex')).toBe('00000002abcd')
  expect(toFrame(new Uint8Array(0x01_02_03)).subarray(0, 4)).toEqual(Uint8Array.of(0, 1, 2, 3))
})

test('however the bytes are cut, the frames come out as they went in', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(4_000), { maxLength: 20 }), (frames, cuts) => {
      const reader = createFrameReader(wide)

      const taken = cut(concatBytes(...frames.map(toFrame)), cuts).every(reader.push)

      expect(taken).toBe(true)
      expect(reader.frames).toEqual(frames)
      expect(reader.isPartial()).toBe(false)
    }),
  )
})

test('a frame larger than the room first taken for it is whole', () => {
  const payload = new Uint8Array(200_000).map((_, index) => index % 251)
  const reader = createFrameReader(wide)

  for (const chunk of cut(toFrame(payload), [3, 5, 70_000, 140_001])) reader.push(chunk)

  expect(Buffer.compare(reader.frames[0] ?? new Uint8Array(0), payload)).toBe(0)
})

test('the last byte and the last frame that fit are taken, the next are refused by their length alone', () => {
  const fits = createFrameReader({ bytesMax: 10, framesMax: 2 })
  expect(fits.push(toFrame(new Uint8Array(4)))).toBe(true)
  expect(fits.push(toFrame(new Uint8Array(6)))).toBe(true)
  expect(fits.push(Uint8Array.of(0, 0, 0, 0))).toBe(false)

  const over = createFrameReader({ bytesMax: 10, framesMax: 2 })
  over.push(toFrame(new Uint8Array(4)))
  expect(over.push(Uint8Array.of(0, 0, 0, 7))).toBe(false)
  expect(createFrameReader(wide).push(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe(false)
})

test('a frame that has begun is partial until its last byte', () => {
  const reader = createFrameReader(wide)
  reader.push(Uint8Array.of(0, 0))
  expect(reader.isPartial()).toBe(true)
  reader.push(Uint8Array.of(0, 1))
  expect(reader.isPartial()).toBe(true)
  reader.push(Uint8Array.of(9))
  expect(reader.isPartial()).toBe(false)
})
