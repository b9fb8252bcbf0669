import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import {
  decodePeersAnswer,
  decodePeersRequest,
  encodePeersAnswer,
  encodePeersRequest,
} from './peer-exchange.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('frames are these bytes', () => {
  expect(hex(encodePeersRequest(16))).toBe('93010010')
  expect(hex(encodePeersAnswer([Uint8Array.of(1, 2)]))).toBe('93010191c4020102')
})

test('sixteen peers fit, none and seventeen are no request', () => {
  expect(decodePeersRequest(encodePeersRequest(16))).toEqual({ ok: true, value: 16 })
  for (const count of ['00', '11']) {
    expect(decodePeersRequest(Buffer.from(`930100${count}`, 'hex')).ok).toBe(false)
  }
})

test('an answer of full size fits its bound, and one record more is refused', () => {
  const record = new Uint8Array(limits.exchangeRecordBytesMax)
  const full = encodePeersAnswer(Array(limits.exchangePeersMax).fill(record))

  expect(decodePeersAnswer(full).ok).toBe(true)
  expect(decodePeersAnswer(Buffer.from('93010191c400', 'hex')).ok).toBe(false)
})

test('a request is no answer and an answer no request', () => {
  expect(decodePeersAnswer(encodePeersRequest(1)).ok).toBe(false)
  expect(decodePeersRequest(encodePeersAnswer([])).ok).toBe(false)
})
