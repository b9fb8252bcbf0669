import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, test } from 'vitest'
import { bytesEqual, fromHex, toHex } from '../values/bytes.ts'
import { createCodec, decodeRecord, decodeSoleFrame, encodeRecord } from './codec.ts'
import * as layout from './layout.ts'
import { packed } from './pack.ts'

const { bytes, integer, list, number, quantity, text, tuple, u32 } = layout

const small = createCodec({
  version: 1,
  kinds: { 0: [u32], 1: [bytes(0, 4), text(4)], 2: [list(u32, 3)] },
})
const answer = (hex: string, cap = 64) => {
  const decoded = small.decode(fromHex(hex), cap)
  return decoded.ok ? 'ok' : decoded.code
}

describe('encoding', () => {
  const everything = createCodec({
    version: 1,
    kinds: {
      2: [bytes(0, 70_000), text(64), list(u32, 16)],
      0: [bytes(0, 4), text(4), list(u32, 1)],
    },
  })
  const sole = <T>(value: T, of: layout.Layout<T>) =>
    toHex(encodeRecord({ version: 1, slots: [of] }, [value])).slice(6)

  test('writes integers, bytes, text and lists in their shortest form', () => {
    const integers = [0, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295]

    expect(toHex(everything.encode(2, [Uint8Array.of(1, 2, 3), 'abc', integers]))).toBe(
      '0x950102c403010203a361626398007fcc80ccffcd0100cdffffce00010000ceffffffff',
    )
    expect(toHex(everything.encode(0, [new Uint8Array(0), '', []]))).toBe('0x950100c400a090')
  })

  test.each([
    [15, `9f${'00'.repeat(15)}`],
    [16, `dc0010${'00'.repeat(16)}`],
  ])('a list of %d', (count, hex) => {
    expect(sole(Array(count).fill(0), list(u32, 16))).toBe(hex)
  })

  test.each([
    [255, 'c4ff'],
    [256, 'c50100'],
    [65_535, 'c5ffff'],
    [65_536, 'c600010000'],
  ])('%d bytes', (length, prefix) => {
    expect(sole(new Uint8Array(length), bytes(0, 70_000))).toBe(prefix + '00'.repeat(length))
  })

  test.each([
    ['x'.repeat(31), `bf${'78'.repeat(31)}`],
    ['x'.repeat(32), `d920${'78'.repeat(32)}`],
    ['é'.repeat(15), `be${'c3a9'.repeat(15)}`],
    ['é'.repeat(16), `d920${'c3a9'.repeat(16)}`],
  ])('text %s', (value, hex) => {
    expect(sole(value, text())).toBe(hex)
  })

  test('gives bytes of its own, that a later frame does not touch', () => {
    const first = small.encode(0, [1])
    small.encode(0, [2])

    expect(toHex(first)).toBe('0x93010001')
    expect(first.constructor).toBe(Uint8Array)
    expect(first.buffer.byteLength).toBe(4)
  })

  test('takes a Buffer for the bytes it holds', () => {
    expect(toHex(small.encode(1, [Buffer.from([1, 2]), '']))).toBe('0x940101c4020102a0')
  })

  test.each([
    ['Uint32Array', new Uint32Array(1)],
    ['DataView', new DataView(new ArrayBuffer(4))],
    ['ArrayBuffer', new ArrayBuffer(4)],
    ['Date', new Date(0)],
    ['text for bytes', 'abcd'],
    ['nothing', undefined],
    ['null', null],
    ['five bytes', new Uint8Array(5)],
  ])('refuses %s where bytes belong', (_name, value) => {
    expect(() => small.encode(1, [value as Uint8Array, ''])).toThrow(TypeError)
  })

  test.each([-1, 1.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, true, null])(
    'refuses %s where a u32 belongs',
    value => {
      expect(() => small.encode(0, [value as number])).toThrow(TypeError)
    },
  )

  test('refuses text that is too long in UTF-8 or not well-formed', () => {
    expect(() => small.encode(1, [new Uint8Array(0), 'ééé'])).toThrow(TypeError)
    expect(() => small.encode(1, [new Uint8Array(0), '\ud800'])).toThrow(TypeError)
    expect(toHex(small.encode(1, [new Uint8Array(0), 'éé']))).toBe('0x940101c400a4c3a9c3a9')
  })

  test('refuses a list too long, and another count of slots', () => {
    expect(() => small.encode(2, [[1, 2, 3, 4]])).toThrow(TypeError)
    expect(() => small.encode(0, [] as unknown as [number])).toThrow(TypeError)
    expect(() => small.encode(9 as 0, [1])).toThrow(TypeError)
  })
})

test('packs like the library', () => {
  const library = new Packr({ useRecords: false, moreTypes: false })
  const leaf = fc.oneof(
    fc.nat(0xffffffff),
    fc.nat(300),
    fc.constantFrom(127, 128, 255, 256, 65_535, 65_536),
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ maxLength: 40, unit: 'grapheme' }),
    fc.array(fc.nat(70_000), { maxLength: 20 }),
  )

  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 20 }), values => {
      expect(toHex(packed(values))).toBe(toHex(library.pack(values)))
    }),
    { numRuns: 1_000 },
  )
  const long = [new Uint8Array(70_000), 'x'.repeat(70_000), 'x'.repeat(300), Array(70_000).fill(0)]
  expect(bytesEqual(packed(long), library.pack(long))).toBe(true)
})

describe('quantities', () => {
  const wallet = createCodec({ version: 1, kinds: { 0: [quantity(8)] } })

  test.each([
    [0n, '0x930100c400'],
    [1n, '0x930100c40101'],
    [256n, '0x930100c4020100'],
    [(1n << 64n) - 1n, '0x930100c408ffffffffffffffff'],
  ])('%s', (value, hex) => {
    expect(toHex(wallet.encode(0, [value]))).toBe(hex)
    expect(wallet.decode(fromHex(hex), 64)).toEqual({
      ok: true,
      value: { kind: 0, slots: [value] },
    })
  })

  test.each(['0x930100c40100', '0x930100c4020001', '0x930100c409010000000000000000', '0x93010001'])(
    '%s is none',
    hex => {
      expect(wallet.decode(fromHex(hex), 64)).toEqual({ ok: false, code: 'bad-shape' })
    },
  )

  test('out of bounds are our bug', () => {
    expect(() => wallet.encode(0, [1n << 64n])).toThrow(TypeError)
    expect(() => wallet.encode(0, [-1n])).toThrow(TypeError)
  })
})

test.each([
  ['93010000', 'ok'],
  ['930100ceffffffff', 'ok'],
  ['940101c403010203a161', 'ok'],
  ['93010293000102', 'ok'],
  ['93010290', 'ok'],
  ['', 'undecodable'],
  ['93', 'undecodable'],
  ['9301', 'undecodable'],
  ['9301000000', 'undecodable'],
  ['ddffffffff', 'undecodable'],
  ['c0', 'bad-shape'],
  ['9101', 'bad-shape'],
  ['81a16101', 'bad-shape'],
  ['93020000', 'bad-version'],
  ['93017f00', 'unknown-kind'],
  ['930100cd0001', 'not-canonical'],
  ['930100cb3ff0000000000000', 'not-canonical'],
  ['930100ca3f800000', 'not-canonical'],
  ['930100cb41f0000000000000', 'bad-shape'],
  ['dc0003010000', 'not-canonical'],
  ['940101c40161d90161', 'not-canonical'],
  ['930100cf0000000000000001', 'bad-shape'],
  ['930100d30000000000000001', 'bad-shape'],
  ['930100ff', 'bad-shape'],
  ['930100c0', 'bad-shape'],
  ['930100c3', 'bad-shape'],
  ['930100c1', 'bad-shape'],
  ['930100d40000', 'bad-shape'],
  ['930100d6ff00000001', 'bad-shape'],
  ['930100d4724091a16101', 'bad-shape'],
  ['930100d473009193010203', 'bad-shape'],
  ['930100d4780092a161a0', 'bad-shape'],
  ['930100c403010203', 'bad-shape'],
  ['930100a131', 'bad-shape'],
  ['940101a161a161', 'bad-shape'],
  ['940101c4050102030405a161', 'bad-shape'],
  ['9301029400010203', 'bad-shape'],
  ['93010281a16101', 'bad-shape'],
  ['9401000000', 'bad-shape'],
  ['940101c5000161a161', 'not-canonical'],
  ['940101c40161a1ff', 'not-canonical'],
])('frame %s is %s', (hex, expected) => {
  expect(answer(hex)).toBe(expected)
})

test('a frame one byte over the cap is not even looked at', () => {
  expect(answer(`930100${'00'.repeat(62)}`)).toBe('too-big')
  expect(answer(`930100${'00'.repeat(61)}`)).toBe('undecodable')
})

test('nested arrays are refused, however deep, without a stack overflow escaping', () => {
  const nested = (depth: number) => answer(`${'91'.repeat(depth)}c0`, depth + 1)

  // Where the stack ends depends on the thread; either way the sender is at fault.
  expect(['undecodable', 'bad-shape']).toContain(nested(6_000))
  expect(nested(200_000)).toBe('undecodable')
})

test('a record defined in one frame does not change how the next one reads', () => {
  expect(answer('930100d4724091a16101')).toBe('bad-shape')
  expect(small.decode(fromHex('0x93010040'), 64)).toEqual({
    ok: true,
    value: { kind: 0, slots: [0x40] },
  })
})

test('decoded bytes are copies, also out of a Buffer', () => {
  const frame = Buffer.from('940101c403010203a161', 'hex')

  const decoded = small.decode(frame, 64)
  frame.fill(0)

  expect(decoded).toEqual({ ok: true, value: { kind: 1, slots: [Uint8Array.of(1, 2, 3), 'a'] } })
})

test('twenty thousand mutated frames: none throws, none accepted twice over', () => {
  const codec = createCodec({
    version: 1,
    kinds: {
      0: [u32],
      1: [bytes(0, 40), text(20), quantity(8)],
      2: [list(u32, 20), list(tuple(bytes(2, 2), integer(5, 9)), 4)],
    },
  })
  const anyBytes = (maxLength: number) => fc.uint8Array({ maxLength })
  const frames = fc.oneof(
    fc.nat(0xffffffff).map(value => codec.encode(0, [value])),
    fc
      .tuple(
        anyBytes(40),
        fc.string({ maxLength: 6, unit: 'grapheme-ascii' }),
        fc.bigInt(0n, 1n << 60n),
      )
      .map(slots => codec.encode(1, slots)),
    fc
      .tuple(
        fc.array(fc.nat(70_000), { maxLength: 20 }),
        fc.array(
          fc.tuple(fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.integer({ min: 5, max: 9 })),
          {
            maxLength: 4,
          },
        ),
      )
      .map(slots => codec.encode(2, slots)),
  )
  const codes = new Map<string, number>()
  let accepted = 0

  fc.assert(
    fc.property(
      frames,
      fc.nat(),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(255),
      (frame, at, how, byte) => {
        const position = at % frame.length
        const mutated =
          how === 0
            ? frame.slice(0, position)
            : how === 1
              ? Uint8Array.from([...frame, byte])
              : Uint8Array.from(frame, (old, index) =>
                  index === position ? (how === 2 ? byte : old ^ (1 << (byte % 8))) : old,
                )

        const decoded = codec.decode(mutated, 256)

        if (!decoded.ok) return void codes.set(decoded.code, (codes.get(decoded.code) ?? 0) + 1)
        accepted += 1
        const { kind, slots } = decoded.value
        expect(bytesEqual(codec.encode(kind, slots as never), mutated)).toBe(true)
      },
    ),
    { numRuns: 20_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
  expect([...codes.keys()].sort()).toEqual([
    'bad-shape',
    'bad-version',
    'not-canonical',
    'undecodable',
    'unknown-kind',
  ])
})

describe('records', () => {
  const record = { version: 3, slots: [number, text(1_000), bytes(0, 8)] } as const

  test('hold what frames may not: large integers, floats, long text', () => {
    const values: [number, string, Uint8Array] = [2 ** 41 + 0.5, 'x'.repeat(500), Uint8Array.of(1)]

    expect(decodeRecord(record, encodeRecord(record, values))).toEqual({ ok: true, value: values })
    for (const value of [Number.MAX_SAFE_INTEGER, -1, 0.1]) {
      const round = decodeRecord(record, encodeRecord(record, [value, '', new Uint8Array(0)]))
      expect(round).toEqual({ ok: true, value: [value, '', new Uint8Array(0)] })
    }
    expect(() => encodeRecord(record, [2 ** 53, '', new Uint8Array(0)])).toThrow(TypeError)
  })

  test.each(['', 'c0', '90', '9402', '940301a0c400c0', '940300a0c0', '9303a0a0', '940200a0c400'])(
    '%s is corrupt',
    hex => {
      expect(decodeRecord(record, fromHex(hex))).toMatchObject({ ok: false, code: 'store/corrupt' })
    },
  )

  test('between nodes the same layout is strict', () => {
    const sole = { version: 1, slots: [u32] } as const

    expect(decodeSoleFrame(sole, fromHex('920105'), 8)).toEqual({ ok: true, value: [5] })
    expect(decodeSoleFrame(sole, fromHex('9201cd0005'), 8)).toMatchObject({ code: 'not-canonical' })
    expect(decodeSoleFrame(sole, fromHex('9201c0'), 8)).toMatchObject({ code: 'bad-shape' })
    expect(decodeSoleFrame(sole, fromHex('920205'), 8)).toMatchObject({ code: 'bad-version' })
    expect(decodeSoleFrame(sole, new Uint8Array(9), 8)).toMatchObject({ code: 'too-big' })
  })
})
