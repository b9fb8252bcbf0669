import { limits } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDispatcher, type DispatcherOptions, nestsDeeper } from './json-rpc.ts'
import { JsonStream } from './json-stream.ts'
import { method } from './method.ts'
import { anything, optional, text } from './rpc/params.ts'
import { busy, plain, refused } from './rpc-error.ts'
import { createRpcMeter } from './rpc-meter.ts'

function aDispatcher(options: Partial<DispatcherOptions> = {}) {
  const bugs: unknown[] = []
  const asked: string[] = []
  const waiting: (() => void)[] = []
  const meter = createRpcMeter()
  const methods = [
    method('echo', [text('word')], ([word]) => {
      asked.push(word)
      return word
    }),
    method('later', [text('word')], async ([word]) => {
      asked.push(word)
      await new Promise<void>(resolve => waiting.push(resolve))
      return word
    }),
    method('maybe', [optional(anything('value'))], ([value]) => value),
    method('large', [], () => 'x'.repeat(100), { answer: 'large' }),
    method('huge', [], () => new JsonStream(['{"a":', '1}']), { answer: 'huge' }),
    method('refuse', [], () => {
      throw refused('pool/nonce-too-low', 'nonce too low: next nonce 5, tx nonce 4', { next: 5n })
    }),
    method('plain', [], () => Promise.reject(plain('filter not found'))),
    method('busy', [], () => Promise.reject(busy())),
    method('bug', [], () => Promise.reject(new TypeError('secret internals'))),
    method('costly', [], () => true, { cost: 5 }),
  ]
  const dispatcher = createDispatcher({ methods, meter, onBug: bug => bugs.push(bug), ...options })

  async function raw(request: string, caller = {}) {
    const { status, body } = await dispatcher.answer(request, caller)
    const given = typeof body === 'string' ? body : body?.text()
    return { status, body: given === undefined ? undefined : (JSON.parse(given) as unknown) }
  }

  const ask = async (request: unknown, caller = {}) =>
    (await raw(JSON.stringify(request), caller)).body
  return { dispatcher, raw, ask, bugs, asked, meter, waiting }
}

const call = (id: unknown, name: string, ...params: unknown[]) => ({
  ...{ jsonrpc: '2.0', id, method: name, params },
})
const failure = (id: unknown, code: number, message: string) => ({
  ...{ jsonrpc: '2.0', id, error: { code, message } },
})

describe('one call', () => {
  test('is answered under its id, whatever kind of id that is', async () => {
    const { ask } = aDispatcher()

    for (const id of [0, 7, -1, 'seven', 'with "quotes"', null, 1.5])
      expect(await ask(call(id, 'echo', 'hi'))).toEqual({ jsonrpc: '2.0', id, result: 'hi' })
  })

  test('without id is carried out and not answered', async () => {
    const { raw, asked } = aDispatcher()

    const { status, body } = await raw('{"jsonrpc":"2.0","method":"echo","params":["quiet"]}')

    expect({ status, body, asked }).toEqual({ status: 200, body: undefined, asked: ['quiet'] })
  })

  test('to an unknown method names it', async () => {
    const { ask } = aDispatcher()

    const text = 'the method eth_mine does not exist/is not available'
    expect(await ask(call(1, 'eth_mine'))).toEqual(failure(1, -32601, text))
    expect(await ask(call(1, '__proto__'))).toMatchObject({ error: { code: -32601 } })
    expect(await ask(call(1, 'constructor'))).toMatchObject({ error: { code: -32601 } })
  })

  test('that is no JSON is a parse error with id null', async () => {
    const { raw } = aDispatcher()

    for (const request of ['', '{', '{"jsonrpc":"2.0",}', 'hello', '\u0000'])
      expect((await raw(request)).body).toEqual(failure(null, -32700, 'parse error'))
  })

  test('that is JSON but no request is an invalid request', async () => {
    const { ask } = aDispatcher()
    const invalid = (id: unknown) => failure(id, -32600, 'invalid request')

    expect(await ask(5)).toEqual(invalid(null))
    expect(await ask({})).toEqual(invalid(null))
    expect(await ask({ jsonrpc: '1.0', id: 3, method: 'echo' })).toEqual(invalid(3))
    expect(await ask({ jsonrpc: '2.0', id: 3 })).toEqual(invalid(3))
    expect(await ask({ jsonrpc: '2.0', id: {}, method: 'echo' })).toEqual(invalid(null))
    expect(await ask({ jsonrpc: '2.0', id: [1], method: 'echo' })).toEqual(invalid(null))
  })

  test('nested 32 deep is read and 33 deep is not', async () => {
    const { raw } = aDispatcher()
    const nested = (depth: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"maybe","params":[${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}]}`

    expect((await raw(nested(limits.rpcDepthMax))).body).toHaveProperty('result')
    expect((await raw(nested(limits.rpcDepthMax + 1))).body).toEqual(
      failure(null, -32700, 'parse error'),
    )
  })

  test('a million brackets are refused without a deep stack', async () => {
    const { raw } = aDispatcher()

    const request = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`

    expect((await raw(request)).body).toMatchObject({ error: { code: -32700 } })
  })
})

describe('errors', () => {
  test('of the domain carry their code and details, quantities in hex', async () => {
    const { ask } = aDispatcher()

    expect(await ask(call(1, 'refuse'))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32000,
        message: 'nonce too low: next nonce 5, tx nonce 4',
        data: { reason: 'pool/nonce-too-low', details: { next: '0x5' } },
      },
    })
  })

  test('without a code of ours carry no data', async () => {
    const { ask } = aDispatcher()

    expect(await ask(call(1, 'plain'))).toEqual(failure(1, -32000, 'filter not found'))
  })

  test('busy is -32005, HTTP 503 for one call and 200 in a batch', async () => {
    const { raw } = aDispatcher()
    const error = { code: -32005, data: { reason: 'actor/busy', details: {} } }

    const one = await raw(JSON.stringify(call(1, 'busy')))
    const many = await raw(JSON.stringify([call(1, 'busy'), call(2, 'echo', 'hi')]))

    expect(one).toMatchObject({ status: 503, body: { error } })
    expect(many).toMatchObject({ status: 200, body: [{ error }, { result: 'hi' }] })
  })

  test('a bug says nothing to the caller and everything to the log', async () => {
    const { raw, bugs } = aDispatcher()

    const { body } = await raw(JSON.stringify(call(1, 'bug')))

    expect(body).toMatchObject({ error: { code: -32603, message: 'internal failure' } })
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(bugs).toEqual([new TypeError('secret internals')])
  })

  test('while draining every request is refused with 503', async () => {
    const { raw, asked } = aDispatcher({ draining: () => true })

    const { status, body } = await raw(JSON.stringify(call(1, 'echo', 'hi')))

    expect(status).toBe(503)
    expect(body).toMatchObject({ error: { code: -32005, data: { reason: 'load/draining' } } })
    expect(asked).toEqual([])
  })
})

describe('a batch', () => {
  test('is answered in the order of its calls', async () => {
    const { ask, waiting } = aDispatcher()

    const answer = ask([call(1, 'later', 'slow'), call(2, 'echo', 'quick'), call(3, 'huge')])
    await Promise.resolve()
    waiting.shift()?.()

    expect(await answer).toMatchObject([
      { id: 1, result: 'slow' },
      { id: 2, result: 'quick' },
      { id: 3, result: { a: 1 } },
    ])
  })

  test('is asked whole before its first answer is awaited', () => {
    const { dispatcher, asked } = aDispatcher()

    const calls = ['a', 'b', 'c'].map((word, id) => call(id, 'later', word))
    void dispatcher.answer(JSON.stringify(calls), {})

    expect(asked).toEqual(['a', 'b', 'c'])
  })

  test('does not suffer from a bad item', async () => {
    const { ask } = aDispatcher()

    const answer = await ask([call(1, 'echo', 'a'), 5, call(2, 'bug'), [], call(3, 'echo', 'b')])

    expect(answer).toMatchObject([
      { id: 1, result: 'a' },
      { id: null, error: { code: -32600 } },
      { id: 2, error: { code: -32603 } },
      { id: null, error: { code: -32600 } },
      { id: 3, result: 'b' },
    ])
  })

  test('answers no notification, and nothing at all when there is nothing else', async () => {
    const { raw, ask, asked } = aDispatcher()
    const quiet = { jsonrpc: '2.0', method: 'echo', params: ['quiet'] }

    expect(await ask([quiet, call(1, 'echo', 'a'), quiet])).toEqual([
      { jsonrpc: '2.0', id: 1, result: 'a' },
    ])
    expect(await raw(JSON.stringify([quiet, quiet]))).toEqual({ status: 200, body: undefined })
    expect(asked).toEqual(['quiet', 'a', 'quiet', 'quiet', 'quiet'])
  })

  test('of nothing is one error, not a list', async () => {
    const { ask } = aDispatcher()

    expect(await ask([])).toEqual(failure(null, -32600, 'empty batch'))
  })

  test('of 1,000 calls is answered and one of 1,001 refused under the id of its first call', async () => {
    const { ask, asked } = aDispatcher()
    const calls = (count: number) =>
      Array.from({ length: count }, (_, index) => call(index + 10, 'echo', 'a'))

    expect(await ask(calls(limits.rpcBatchMax))).toHaveLength(limits.rpcBatchMax)
    expect(await ask([{ jsonrpc: '2.0', method: 'echo' }, ...calls(limits.rpcBatchMax)])).toEqual([
      failure(10, -32600, 'batch too large'),
    ])
    expect(asked).toHaveLength(limits.rpcBatchMax)
  })

  test('whose answers grow too large refuses the one that does not fit and all after it', async () => {
    const one = '{"jsonrpc":"2.0","id":1,"result":"a"}'.length
    const { ask, asked } = aDispatcher({ responseBytesMax: 2 * one })
    const calls = (count: number) => Array.from({ length: count }, (_, id) => call(id, 'echo', 'a'))

    expect(await ask(calls(2))).toMatchObject([{ result: 'a' }, { result: 'a' }])
    expect(await ask(calls(4))).toMatchObject([
      { id: 0, result: 'a' },
      { id: 1, result: 'a' },
      failure(2, -32003, 'response too large'),
      failure(3, -32003, 'response too large'),
    ])
    expect(asked).toHaveLength(6)
  })

  test('stops asking for large answers once they are too many', async () => {
    const { ask, meter } = aDispatcher({ responseBytesMax: 250 })

    const answer = await ask([...[1, 2, 3, 4].map(id => call(id, 'large')), call(5, 'echo', 'a')])
    expect(answer).toMatchObject([
      { id: 1, result: 'x'.repeat(100) },
      ...[2, 3, 4, 5].map(id => ({ id, error: { code: -32003 } })),
    ])
    const requests = meter.series().find(({ name }) => name === 'rockpool_rpc_requests_total')
    const asked = requests?.samples.find(({ labels }) => labels?.method === 'large')
    expect(asked).toMatchObject({ value: 2 })
  })
})

describe('bounds', () => {
  test('huge answers are made four at a time, and a place is free again when one has been sent', async () => {
    const { dispatcher, ask } = aDispatcher()
    const huge = JSON.stringify(call(1, 'huge'))
    const held: JsonStream[] = []
    for (let count = 0; count < limits.rpcExpensiveMax; count++) {
      const { body } = await dispatcher.answer(huge, {})
      if (body instanceof JsonStream) held.push(body)
    }

    expect(held).toHaveLength(limits.rpcExpensiveMax)
    expect(await ask(call(1, 'huge'))).toMatchObject({ error: { code: -32005 } })
    held[0]?.end()
    held[0]?.end()
    expect(await ask(call(1, 'huge'))).toMatchObject({ result: { a: 1 } })
    held[1]?.text()
    expect(await ask([call(1, 'huge'), call(2, 'huge')])).toMatchObject([
      { result: { a: 1 } },
      { result: { a: 1 } },
    ])
  })

  test('a call whose price the caller cannot pay is refused with 429', async () => {
    const { raw } = aDispatcher()
    let tokens = 6
    const bucket = {
      take(cost: number) {
        if (tokens < cost) return false
        tokens -= cost
        return true
      },
    }

    expect(await raw(JSON.stringify(call(1, 'costly')), { bucket })).toMatchObject({ status: 200 })
    expect(await raw(JSON.stringify(call(1, 'costly')), { bucket })).toMatchObject({
      status: 429,
      body: { error: { code: -32005, data: { reason: 'rpc/rate' } } },
    })
    expect(await raw(JSON.stringify(call(1, 'echo', 'a')), { bucket })).toMatchObject({
      status: 200,
    })
  })

  test('depth counts containers on the longest way down, and nothing inside strings', () => {
    expect(nestsDeeper('5', 0)).toBe(false)
    expect(nestsDeeper('[]', 0)).toBe(true)
    expect(nestsDeeper('[1,{"a":[]},[]]', 3)).toBe(false)
    expect(nestsDeeper('[1,{"a":[]},[]]', 2)).toBe(true)
    expect(nestsDeeper('["[[[[","\\"[[[","\\\\"]', 1)).toBe(false)
    expect(nestsDeeper('["\\\\",[]]', 1)).toBe(true)
    expect(nestsDeeper('["open [[[', 1)).toBe(false)
  })

  test('depth agrees with the parsed value', () => {
    const depthOf = (value: unknown): number =>
      typeof value !== 'object' || value === null
        ? 0
        : 1 + Math.max(0, ...Object.values(value).map(depthOf))
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(8), (value, max) => {
        expect(nestsDeeper(JSON.stringify(value), max)).toBe(depthOf(value) > max)
      }),
    )
  })
})

test('every call is counted once, by method and outcome', async () => {
  const { ask, meter } = aDispatcher()

  await ask([call(1, 'echo', 'a'), call(2, 'refuse'), call(3, 'nope'), call(4, 'busy')])

  const requests = meter.series().find(({ name }) => name === 'rockpool_rpc_requests_total')
  expect(requests?.samples).toEqual([
    { labels: { method: 'echo', outcome: 'ok' }, value: 1 },
    { labels: { method: 'refuse', outcome: 'error' }, value: 1 },
    { labels: { method: 'other', outcome: 'error' }, value: 1 },
    { labels: { method: 'busy', outcome: 'busy' }, value: 1 },
  ])
})
