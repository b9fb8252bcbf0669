import { describe, expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { fromHex, type Hash, toHex } from '../values/bytes.ts'
import {
  decodePoolSyncAnswer,
  decodePoolSyncRequest,
  encodePoolSyncAnswer,
  encodePoolSyncRequest,
  type HashPrefix,
  type PoolSyncAnswer,
  type PoolSyncRequest,
  poolDigestBytes,
  prefixOf,
} from './pool-sync.ts'

const first: HashPrefix = '0x0001020304050607'
const second: HashPrefix = '0x7f22222222222222'
const hash = `0x${'aa'.repeat(32)}` as Hash
const digest = new Uint8Array(poolDigestBytes)

const requests: readonly [PoolSyncRequest, string][] = [
  [{ kind: 'get', prefixes: [first] }, '93010291c4080001020304050607'],
  [
    { kind: 'hello', head: { number: 300, hash }, total: 3, digest },
    `960100cd012cc420${'aa'.repeat(32)}03c50a00${'00'.repeat(2_560)}`,
  ],
]

test.each(requests)('request %#', (request, hex) => {
  expect(toHex(encodePoolSyncRequest(request))).toBe(`0x${hex}`)
  expect(decodePoolSyncRequest(fromHex(hex))).toEqual({ ok: true, value: request })
})

const answers: readonly [PoolSyncAnswer, PoolSyncRequest['kind'], string][] = [
  [
    { kind: 'ids', more: false, prefixes: [first, second] },
    'hello',
    '9401010092c4080001020304050607c4087f22222222222222',
  ],
  [{ kind: 'ids', more: true, prefixes: [] }, 'hello', '9401010190'],
  [{ kind: 'txs', txs: [fromHex('c0')], missing: [] }, 'get', '94010391c401c090'],
  [{ kind: 'txs', txs: [], missing: [first] }, 'get', '9401039091c4080001020304050607'],
  [{ kind: 'busy', retryAfterSeconds: 5 }, 'hello', '93010405'],
  [{ kind: 'busy', retryAfterSeconds: 5 }, 'get', '93010405'],
]

test.each(answers)('answer %#', (answer, asked, hex) => {
  expect(toHex(encodePoolSyncAnswer(answer))).toBe(`0x${hex}`)
  expect(decodePoolSyncAnswer(fromHex(hex), asked)).toEqual({ ok: true, value: answer })
})

test('a prefix is the first eight bytes of a hash', () => {
  expect(prefixOf(hash)).toBe('0xaaaaaaaaaaaaaaaa')
})

describe('refused is', () => {
  test.each([
    ['ids to a get', answers[0]?.[2], 'get'],
    ['transactions to a hello', answers[2]?.[2], 'hello'],
    ['a get to a hello', requests[0]?.[1], 'hello'],
  ] as const)('%s', (_name, hex = '', asked) => {
    expect(decodePoolSyncAnswer(fromHex(hex), asked)).toEqual({ ok: false, code: 'bad-shape' })
  })

  test.each([
    ['an answer where a request belongs', '93010405', 'bad-shape'],
    ['a get of nothing', '93010290', 'bad-shape'],
    ['a prefix of seven bytes', '93010291c40700010203040506', 'bad-shape'],
    ['another kind', '930109c0', 'unknown-kind'],
    ['another version', '93020291c4080001020304050607', 'bad-version'],
    ['a list in a longer form', '930102dc0001c4080001020304050607', 'not-canonical'],
    ['half a frame', '93', 'undecodable'],
  ])('%s', (_name, hex, code) => {
    expect(decodePoolSyncRequest(fromHex(hex))).toEqual({ ok: false, code })
  })

  test('what is too long', () => {
    const long = new Uint8Array(limits.poolSyncAnswerBytesMax + 1)
    expect(decodePoolSyncAnswer(long, 'get')).toMatchObject({ code: 'too-big' })
    expect(decodePoolSyncRequest(new Uint8Array(4_097))).toMatchObject({ code: 'too-big' })
  })
})

test('each list holds its most and not one more, and the largest frames fit their caps', () => {
  const prefixes = (count: number) => Array<HashPrefix>(count).fill(first)
  const txs = [new Uint8Array(131_072).fill(1)]
  const ids = encodePoolSyncAnswer({ kind: 'ids', more: true, prefixes: prefixes(4_096) })
  const get = encodePoolSyncRequest({ kind: 'get', prefixes: prefixes(256) })
  const one = encodePoolSyncAnswer({ kind: 'txs', txs, missing: prefixes(256) })
  const many = Array.from({ length: 256 }, () => new Uint8Array(512).fill(1))
  const full = encodePoolSyncAnswer({ kind: 'txs', txs: many, missing: [] })

  expect(decodePoolSyncAnswer(ids, 'hello').ok).toBe(true)
  expect(decodePoolSyncRequest(get).ok).toBe(true)
  expect(decodePoolSyncAnswer(one, 'get').ok).toBe(true)
  expect(decodePoolSyncAnswer(full, 'get').ok).toBe(true)
  expect(() =>
    encodePoolSyncAnswer({ kind: 'ids', more: true, prefixes: prefixes(4_097) }),
  ).toThrow(TypeError)
  expect(() => encodePoolSyncRequest({ kind: 'get', prefixes: prefixes(257) })).toThrow(TypeError)
})
