import fc from 'fast-check'
import { toRlp } from 'viem'
import { describe, expect, test } from 'vitest'
import { bytesEqual, bytesToQuantity, fromHex, quantityToBytes, toHex } from '../values/bytes.ts'
import { encodeRlp, headerLength, type RlpItem, RlpReader, writeListHeader } from './rlp.ts'

type Nested = Uint8Array | Nested[]
const { tree } = fc.letrec<{ tree: Nested; leaf: Uint8Array; branch: Nested[] }>(tie => ({
  leaf: fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 1 })),
  branch: fc.array(tie('tree'), { maxLength: 5 }),
  tree: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('branch')),
}))

/** The value as the reader sees it: depth of the test's own making, so recursion is fine here. */
function readAll(reader: RlpReader): RlpItem {
  if (!reader.atList()) return reader.view('leaf').slice()
  const outer = reader.openList('branch')
  const items: RlpItem[] = []
  while (reader.more()) items.push(readAll(reader))
  reader.closeList(outer, 'branch')
  return items
}

const toHexTree = (item: Nested): `0x${string}` | readonly never[] =>
  item instanceof Uint8Array ? toHex(item) : (item.map(toHexTree) as never)

test('encodes like another implementation', () => {
  fc.assert(
    fc.property(tree, value => {
      expect(toHex(encodeRlp(value))).toBe(toRlp(toHexTree(value)))
    }),
  )
})

test('reads back what was encoded', () => {
  fc.assert(
    fc.property(tree, value => {
      const encoded = encodeRlp([value])
      const reader = new RlpReader(encoded)

      const [read] = readAll(reader) as readonly RlpItem[]
      reader.finish()

      expect(reader.problem).toBeUndefined()
      expect(read).toEqual(value)
    }),
  )
})

test('whatever is read encodes to the same bytes', () => {
  fc.assert(
    fc.property(tree, fc.nat(), fc.nat(255), (value, position, byte) => {
      const bytes = encodeRlp([value])
      bytes[position % bytes.length] = byte
      const reader = new RlpReader(bytes)

      const read = readAll(reader)
      reader.finish()

      if (reader.problem === undefined) expect(bytesEqual(encodeRlp(read), bytes)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('long strings and lists carry the length of their length', () => {
  for (const length of [55, 56, 255, 256, 65_535, 65_536]) {
    const bytes = new Uint8Array(length).fill(0x81)

    expect(toHex(encodeRlp(bytes))).toBe(toRlp(toHex(bytes)))
    expect(toHex(encodeRlp([bytes, bytes]))).toBe(toRlp([toHex(bytes), toHex(bytes)]))
  }
})

describe('integers', () => {
  test('of every width come back', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (shift, low) => {
        const value = (1n << BigInt(shift)) | low
        const reader = new RlpReader(encodeRlp(quantityToBytes(value)))

        expect(reader.uint('value')).toBe(value)
        expect(reader.problem).toBeUndefined()
      }),
    )
    for (let width = 0; width <= 40; width += 1) {
      const bytes = new Uint8Array(width).fill(0xa7)
      expect(new RlpReader(encodeRlp(bytes)).uint('value')).toBe(bytesToQuantity(bytes))
    }
  })

  test('are refused one byte above their width, not at it', () => {
    const widest = new RlpReader(encodeRlp(new Uint8Array(8).fill(0xff)))
    const wider = new RlpReader(encodeRlp(new Uint8Array(9).fill(0xff)))

    expect(widest.uint('nonce', 8)).toBe((1n << 64n) - 1n)
    expect(wider.uint('nonce', 8)).toBe(0n)
    expect(wider.problem).toBe('rlp: nonce is wider than 64 bits')
  })

  test.each(['0x00', '0x820001'])('with a leading zero are refused: %s', hex => {
    const reader = new RlpReader(fromHex(hex))

    reader.uint('nonce')

    expect(reader.problem).toBe('rlp: nonce has a leading zero byte')
  })
})

test('the first problem stays and nothing is read after it', () => {
  const reader = new RlpReader(fromHex('0xc3000102'))

  reader.openList('list')
  reader.uint('first')
  const second = reader.uint('second')
  reader.view('third')
  reader.finish()

  expect(second).toBe(0n)
  expect(reader.problem).toBe('rlp: first has a leading zero byte')
  expect(reader.more()).toBe(false)
})

test('an element may not reach behind its list, nor a list behind the input', () => {
  const inside = new RlpReader(fromHex('0xc2820102'))
  inside.openList('list')
  inside.view('element')
  const outside = new RlpReader(fromHex('0xc401'))
  outside.openList('list')

  expect(inside.problem).toBe('rlp: element is larger than containing list')
  expect(outside.problem).toBe('rlp: value size exceeds available input length')
})

test('a list must be read to its end', () => {
  const reader = new RlpReader(fromHex('0xc20102'))

  const outer = reader.openList('pair')
  reader.uint('first')
  reader.closeList(outer, 'pair')

  expect(reader.problem).toBe('rlp: pair has too many elements')
})

test('ten thousand nested lists cost no stack', () => {
  let deep = Uint8Array.of(0xc0)
  for (let depth = 0; depth < 10_000; depth += 1) {
    const wrapped = new Uint8Array(headerLength(deep.length) + deep.length)
    wrapped.set(deep, writeListHeader(wrapped, 0, deep.length))
    deep = wrapped
  }
  const skipping = new RlpReader(deep)
  const typed = new RlpReader(deep)

  skipping.skip('list')
  skipping.finish()
  typed.openList('list')
  typed.uint('nonce')

  expect(skipping.problem).toBeUndefined()
  expect(typed.problem).toBe('rlp: nonce is a list, expected bytes')
})
