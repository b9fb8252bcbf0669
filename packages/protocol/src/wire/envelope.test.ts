import { describe, expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { fromHex, type Hash, toHex } from '../values/bytes.ts'
import {
  decodeBlockFrame,
  decodeBlockTopicFrame,
  decodeGoodbye,
  decodeTxFrame,
  encodeBlockAnnounce,
  encodeBlockFrame,
  encodeGoodbye,
  encodeTxAnnounce,
  encodeTxBatch,
} from './envelope.ts'

const tx = Uint8Array.of(0xc0)
const hash = `0x${'ab'.repeat(32)}` as Hash

describe('transactions', () => {
  test.each([
    ['9401010091c401c0', { salt: 0, txs: [tx] }],
    ['9401010092c40202aac403f8bbcc', { salt: 0, txs: [fromHex('02aa'), fromHex('f8bbcc')] }],
    ['940101ce0badcafe91c401c0', { salt: 0x0badcafe, txs: [tx] }],
  ])('batch %s', (hex, batch) => {
    expect(toHex(encodeTxBatch(batch))).toBe(`0x${hex}`)
    expect(decodeTxFrame(fromHex(hex))).toEqual({ ok: true, value: { kind: 'batch', ...batch } })
  })

  test('announcement', () => {
    const hex = `9301029192c420${'ab'.repeat(32)}ce00011170`
    const entries = [{ hash, size: 70_000 }]

    expect(toHex(encodeTxAnnounce(entries))).toBe(`0x${hex}`)
    expect(decodeTxFrame(fromHex(hex))).toEqual({ ok: true, value: { kind: 'announce', entries } })
  })

  test('a batch holds 1 to 64 entries', () => {
    const batchOf = (count: number) => {
      const entries = `c401c0`.repeat(count)
      const head = count < 16 ? (0x90 + count).toString(16) : `dc00${count.toString(16)}`
      return fromHex(`94010100${head}${entries}`)
    }

    expect(decodeTxFrame(batchOf(0))).toEqual({ ok: false, code: 'bad-shape' })
    expect(decodeTxFrame(batchOf(1)).ok).toBe(true)
    expect(decodeTxFrame(batchOf(64)).ok).toBe(true)
    expect(decodeTxFrame(batchOf(65))).toEqual({ ok: false, code: 'bad-shape' })
    expect(() => encodeTxBatch({ salt: 0, txs: [] })).toThrow(TypeError)
    expect(() => encodeTxBatch({ salt: 0, txs: Array(65).fill(tx) })).toThrow(TypeError)
  })

  test('a frame of 65,600 bytes is read, one of 65,601 is not', () => {
    const overhead = 11
    const at = (size: number) =>
      encodeTxBatch({
        salt: 0,
        txs: [new Uint8Array(32_768), new Uint8Array(size - 32_768 - overhead)],
      })

    expect(at(limits.gossipTxBytesMax).length).toBe(65_600)
    expect(decodeTxFrame(at(65_600)).ok).toBe(true)
    expect(decodeTxFrame(at(65_601))).toEqual({ ok: false, code: 'too-big' })
  })

  test('only what is too large to travel is announced', () => {
    const sized = (size: string) => fromHex(`9301029192c420${'ab'.repeat(32)}ce${size}`)

    expect(decodeTxFrame(sized('00010001')).ok).toBe(true)
    expect(decodeTxFrame(sized('00020000')).ok).toBe(true)
    expect(decodeTxFrame(sized('00010000'))).toEqual({ ok: false, code: 'bad-shape' })
    expect(decodeTxFrame(sized('00020001'))).toEqual({ ok: false, code: 'bad-shape' })
    expect(() => encodeTxAnnounce([{ hash, size: 65_536 }])).toThrow(TypeError)
    expect(() => encodeTxAnnounce(Array(17).fill({ hash, size: 70_000 }))).toThrow(TypeError)
  })

  test('a kind of a newer node is nobody’s fault, a newer version inside our topic is', () => {
    expect(decodeTxFrame(fromHex('930103c0'))).toEqual({ ok: false, code: 'unknown-kind' })
    expect(decodeTxFrame(fromHex('9402010091c401c0'))).toEqual({ ok: false, code: 'bad-version' })
  })
})

describe('blocks', () => {
  const header = fromHex('c3010203')
  const seal = new Uint8Array(65).fill(7)
  const frame = { header, txs: [tx, fromHex('02aa')], seal }
  const frameHex = `950101c404c301020392c401c0c40202aac441${'07'.repeat(65)}`
  const announceHex = `940102c404c3010203c441${'07'.repeat(65)}`

  test('whole', () => {
    expect(toHex(encodeBlockFrame(frame))).toBe(`0x${frameHex}`)
    expect(decodeBlockFrame(fromHex(frameHex))).toEqual({ ok: true, value: frame })
    expect(decodeBlockTopicFrame(fromHex(frameHex))).toEqual({
      ok: true,
      value: { kind: 'block', frame },
    })
  })

  test('announced', () => {
    expect(toHex(encodeBlockAnnounce({ header, seal }))).toBe(`0x${announceHex}`)
    expect(decodeBlockTopicFrame(fromHex(announceHex))).toEqual({
      ok: true,
      value: { kind: 'announce', announce: { header, seal } },
    })
    expect(decodeBlockFrame(fromHex(announceHex))).toEqual({ ok: false, code: 'bad-shape' })
  })

  test('genesis lies on disk without a seal', () => {
    const genesis = { header, txs: [], seal: new Uint8Array(0) }

    expect(decodeBlockFrame(encodeBlockFrame(genesis))).toEqual({ ok: true, value: genesis })
  })

  test('a block of 262,144 bytes travels whole, a larger one only by fetch', () => {
    const sized = (size: number) => {
      const small = encodeBlockFrame({ header, txs: [new Uint8Array(70_000)], seal }).length
      const rest = size - small - 10
      const txs = [70_000, 100_000, rest - 100_000].map(length => new Uint8Array(length))
      return encodeBlockFrame({ header, txs, seal })
    }
    const last = sized(limits.gossipBlockBytesMax)
    const next = sized(limits.gossipBlockBytesMax + 1)

    expect([last.length, next.length]).toEqual([262_144, 262_145])
    expect(decodeBlockTopicFrame(last).ok).toBe(true)
    expect(decodeBlockTopicFrame(next)).toEqual({ ok: false, code: 'too-big' })
    expect(decodeBlockFrame(next).ok).toBe(true)
  })

  test('an announcement of 1,024 bytes is read, a larger one is not', () => {
    const sized = (size: number) =>
      encodeBlockAnnounce({ header: new Uint8Array(size - 73).fill(1), seal })

    expect(sized(1_024).length).toBe(1_024)
    expect(decodeBlockTopicFrame(sized(1_024)).ok).toBe(true)
    expect(decodeBlockTopicFrame(sized(1_025))).toEqual({ ok: false, code: 'too-big' })
  })
})

describe('goodbye', () => {
  test.each([
    ['9401ccfbcd0e10b1676f737369702f696e76616c69642d7478', 251, 3_600, 'gossip/invalid-tx'],
    ['94010100a0', 1, 0, ''],
  ])('%s', (hex, code, retryAfterSeconds, text) => {
    const bye = { code, retryAfterSeconds, text }

    expect(toHex(encodeGoodbye(bye))).toBe(`0x${hex}`)
    expect(decodeGoodbye(fromHex(hex))).toEqual({ ok: true, value: bye })
  })

  test('text ends at 64 bytes, the frame at its cap', () => {
    const bye = { code: 1, retryAfterSeconds: 0, text: 'x'.repeat(64) }

    expect(decodeGoodbye(encodeGoodbye(bye)).ok).toBe(true)
    expect(() => encodeGoodbye({ ...bye, text: 'x'.repeat(65) })).toThrow(TypeError)
    expect(decodeGoodbye(new Uint8Array(129))).toEqual({ ok: false, code: 'too-big' })
    expect(decodeGoodbye(fromHex('93010100'))).toEqual({ ok: false, code: 'bad-shape' })
  })
})
