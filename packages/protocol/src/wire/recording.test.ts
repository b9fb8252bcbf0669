import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CodedError } from '../errors.ts'
import { RecordingDecoder, RecordingEncoder } from './recording.ts'

const digest = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

function roundTrip(lists: readonly (readonly unknown[])[]) {
  const encoder = new RecordingEncoder(digest)
  for (const list of lists) encoder.add(list)
  return new RecordingDecoder().read(encoder.take())
}

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  fc.uint8Array({ maxLength: 300 }),
)
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('value'), { noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie('value'))).map(entries => new Map(entries)),
    fc.array(fc.string()).map(items => new Set(items)),
  ),
}))

test('what plain data goes into a recording comes out of it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(value, { maxLength: 6 }), { maxLength: 8 }), lists => {
      expect(roundTrip(lists)).toEqual(lists)
    }),
    { numRuns: 60 },
  )
})

test('large bytes stand there once', () => {
  const large = new Uint8Array(10_000).fill(7)
  const encoder = new RecordingEncoder(digest)
  for (let i = 0; i < 10; i++) encoder.add([{ raw: large }])

  expect(encoder.size).toBeLessThan(10_200)
  const lists = new RecordingDecoder().read(encoder.take())
  expect(lists).toHaveLength(10)
  expect(lists[9]).toEqual([{ raw: large }])
})

test('names of a record are written once, in one piece or the next', () => {
  const encoder = new RecordingEncoder(digest)
  const decoder = new RecordingDecoder()
  encoder.add([{ first: 1, second: 2n }])
  const first = encoder.take()
  encoder.add([{ first: 3, second: 4n }])
  const second = encoder.take()

  expect(Buffer.from(second).includes('first')).toBe(false)
  expect(decoder.read(first)).toEqual([[{ first: 1, second: 2n }]])
  expect(decoder.read(second)).toEqual([[{ first: 3, second: 4n }]])
})

test('errors keep their name, text and code', () => {
  const [[coded, other] = []] = roundTrip([
    [new CodedError('p2p/not-connected'), Object.assign(new RangeError('no'), { code: 'E_NO' })],
  ])

  expect(coded).toBeInstanceOf(CodedError)
  expect(coded).toMatchObject({ code: 'p2p/not-connected' })
  expect(String(other)).toBe('RangeError: no')
  expect(other).toMatchObject({ code: 'E_NO' })
})

test('a function is refused and leaves nothing behind', () => {
  const encoder = new RecordingEncoder(digest)
  expect(() => encoder.add([{ then: () => 1 }])).toThrow('a function cannot be recorded')
  expect(encoder.size).toBe(0)
})
