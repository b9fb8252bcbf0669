import { describe, expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { fromHex, type Hash, toHex } from '../values/bytes.ts'
import { encodeBlockFrame } from './envelope.ts'
import {
  decodeRangeAnswer,
  decodeRangeRequest,
  encodeRangeAnswer,
  encodeRangeRequest,
  type RangeAnswer,
  type RangeRequest,
} from './range.ts'

const a = `0x${'aa'.repeat(32)}` as Hash
const b = `0x${'bb'.repeat(32)}` as Hash
const bin = (hash: Hash) => `c420${hash.slice(2)}`

const requests: readonly [RangeRequest, string][] = [
  [{ kind: 'status' }, '920100'],
  [{ kind: 'hashes', numbers: [1, 300] }, '9301029201cd012c'],
  [{ kind: 'range', after: a, count: 128 }, `940104${bin(a)}cc80`],
  [{ kind: 'bodies', hashes: [a, b] }, `93010592${bin(a)}${bin(b)}`],
]

test.each(requests)('request %j', (request, hex) => {
  expect(toHex(encodeRangeRequest(request))).toBe(`0x${hex}`)
  expect(decodeRangeRequest(fromHex(hex))).toEqual({ ok: true, value: request })
})

const block: RangeAnswer = {
  kind: 'block',
  frame: { header: fromHex('c0'), txs: [], seal: new Uint8Array(65).fill(1) },
}
const answers: readonly [RangeAnswer, RangeRequest['kind'], string][] = [
  [{ kind: 'status', number: 7, hash: a, totalWeight: 300 }, 'status', `95010107${bin(a)}c402012c`],
  [{ kind: 'hashes', hashes: [a, null] }, 'hashes', `93010392${bin(a)}c400`],
  [block, 'range', `950101c401c090c441${'01'.repeat(65)}`],
  [block, 'bodies', `950101c401c090c441${'01'.repeat(65)}`],
  [{ kind: 'end', more: true }, 'range', '93010601'],
  [{ kind: 'end', more: false }, 'bodies', '93010600'],
  [{ kind: 'busy', retryAfterSeconds: 5 }, 'status', '93010705'],
  [{ kind: 'busy', retryAfterSeconds: 5 }, 'range', '93010705'],
]

test.each(answers)('answer %j to %s', (answer, asked, hex) => {
  expect(toHex(encodeRangeAnswer(answer))).toBe(`0x${hex}`)
  expect(decodeRangeAnswer(fromHex(hex), asked)).toEqual({ ok: true, value: answer })
})

test.each([
  ['a status to hashes', answers[0], 'hashes'],
  ['a status to a range', answers[0], 'range'],
  ['hashes to a status', answers[1], 'status'],
  ['hashes to bodies', answers[1], 'bodies'],
  ['a block to a status', answers[2], 'status'],
  ['an end to hashes', answers[4], 'hashes'],
] as const)('%s is refused', (_name, row, asked) => {
  expect(decodeRangeAnswer(fromHex(row?.[2] ?? ''), asked)).toEqual({
    ok: false,
    code: 'bad-shape',
  })
})

describe('bounds', () => {
  const decodes = (request: RangeRequest) => decodeRangeRequest(encodeRangeRequest(request)).ok

  test('hold on both sides, the last that fits and the first that does not', () => {
    const numbers = (count: number) => Array(count).fill(0xffffffff) as number[]
    const hashes = (count: number) => Array(count).fill(a) as Hash[]

    expect(decodes({ kind: 'hashes', numbers: numbers(64) })).toBe(true)
    expect(() => encodeRangeRequest({ kind: 'hashes', numbers: numbers(65) })).toThrow(TypeError)
    expect(() => encodeRangeRequest({ kind: 'hashes', numbers: [] })).toThrow(TypeError)
    expect(decodes({ kind: 'bodies', hashes: hashes(16) })).toBe(true)
    expect(() => encodeRangeRequest({ kind: 'bodies', hashes: hashes(17) })).toThrow(TypeError)
    expect(decodes({ kind: 'range', after: a, count: 1 })).toBe(true)
    expect(decodes({ kind: 'range', after: a, count: 128 })).toBe(true)
    expect(() => encodeRangeRequest({ kind: 'range', after: a, count: 129 })).toThrow(TypeError)
    expect(decodeRangeRequest(fromHex(`940104${bin(a)}cc81`))).toMatchObject({ code: 'bad-shape' })
    expect(decodeRangeRequest(fromHex(`940104${bin(a)}00`))).toMatchObject({ code: 'bad-shape' })
    expect(decodeRangeRequest(fromHex('93010290'))).toMatchObject({ code: 'bad-shape' })
    expect(decodeRangeRequest(new Uint8Array(1_025))).toMatchObject({ code: 'too-big' })
  })

  test('an answer with 64 hashes fits its cap', () => {
    const answer = encodeRangeAnswer({ kind: 'hashes', hashes: Array(64).fill(a) as Hash[] })

    expect(decodeRangeAnswer(answer, 'hashes').ok).toBe(true)
  })

  test('a hash has 32 bytes or none', () => {
    expect(decodeRangeAnswer(fromHex('93010391c40101'), 'hashes')).toMatchObject({
      code: 'bad-shape',
    })
  })

  test('a total weight beyond 2^53 is refused', () => {
    const weighing = (hex: string) => fromHex(`95010107${bin(a)}${hex}`)

    expect(decodeRangeAnswer(weighing('c4071fffffffffffff'), 'status')).toMatchObject({
      value: { totalWeight: Number.MAX_SAFE_INTEGER },
    })
    expect(decodeRangeAnswer(weighing('c40720000000000000'), 'status')).toMatchObject({
      code: 'bad-shape',
    })
  })

  test('a block of 4 MiB is taken, a larger one is not', () => {
    const sized = (rest: number) => {
      const txs = [...Array(32).fill(new Uint8Array(131_000)), new Uint8Array(rest)]
      return encodeBlockFrame({ header: fromHex('c0'), txs, seal: new Uint8Array(65) })
    }
    const rest = limits.blockBytesMax - sized(1_000).length + 1_000
    const last = sized(rest)
    const next = sized(rest + 1)

    expect(last.length).toBe(4_194_304)
    expect(decodeRangeAnswer(last, 'range').ok).toBe(true)
    expect(decodeRangeAnswer(next, 'range')).toEqual({ ok: false, code: 'too-big' })
  })
})

test('garbage is refused with a code, whatever was asked', () => {
  for (const asked of ['status', 'hashes', 'range', 'bodies'] as const) {
    expect(decodeRangeAnswer(fromHex('93'), asked)).toEqual({ ok: false, code: 'undecodable' })
    expect(decodeRangeAnswer(fromHex('93020000'), asked)).toEqual({
      ok: false,
      code: 'bad-version',
    })
    expect(decodeRangeAnswer(fromHex('93010900'), asked)).toEqual({
      ok: false,
      code: 'unknown-kind',
    })
  }
})
