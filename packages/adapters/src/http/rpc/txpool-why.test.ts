import type { Address, Fact, Hash } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { subscriptionsOf } from '../subscriptions.ts'
import { createTestNode, transferOf } from '../test-node.ts'

const hash = `0x${'ab'.repeat(32)}`
const word = 'invalid argument 0: expected a 32-byte hash or a 20-byte address'

describe('txpool_explain', () => {
  test('answers with quantities as hex; what nobody knows is an answer', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_explain', hash)).toMatchObject({
      result: { subject: `tx ${hash}`, state: 'unknown', unblock: [{ do: 'send', nonce: '0x7' }] },
    })
  })

  test.each([['0x12'], [7], [`${hash}00`]])('refuses %j', async subject => {
    const { call } = await createTestNode()

    expect(await call('txpool_explain', subject)).toMatchObject({
      error: { code: -32_602, message: word },
    })
  })

  test('tells the operator of private ones, others not', async () => {
    const { call, adminCall } = await createTestNode()

    expect(await adminCall('txpool_explain', hash)).toMatchObject({ result: { why: 'Of all.' } })
    expect(await call('txpool_explain', hash)).toMatchObject({ result: { why: 'Never seen.' } })
  })
})

describe('txpool_diff', () => {
  test.each([['0x1'], [-1], [1.5], ['12D3KooW']])('refuses %j', async since => {
    const { call } = await createTestNode()

    expect(await call('txpool_diff', since)).toMatchObject({
      error: {
        code: -32_602,
        message:
          'invalid argument 0: expected the number of a message, as "cause" of an event has it',
      },
    })
  })
})

describe('txpool_sendRaw', () => {
  test('answers with what became of it', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_sendRaw', await transferOf(5), { private: true })).toMatchObject({
      result: { state: 'pending', tracked: true },
    })
  })

  test('a second time is refused as known, or answered with what is, as the caller wants', async () => {
    const { call } = await createTestNode()
    const raw = await transferOf(5)
    const first = await call('txpool_sendRaw', raw)
    const { hash: sent } = first.result as { hash: string }

    expect(await call('txpool_sendRaw', raw)).toMatchObject({
      error: {
        ...{ code: -32_000, message: 'already known' },
        data: { reason: 'pool/known', details: {} },
      },
    })
    expect(await call('txpool_sendRaw', raw, { idempotent: true })).toMatchObject({
      result: { hash: sent, state: 'pending', reason: 'executable', tracked: true },
    })
  })

  test.each([
    [{ secret: true }, 'invalid argument 1: unknown option "secret"'],
    [{ private: 1 }, 'invalid argument 1: private is true or false'],
  ])('refuses the options %j', async (options, message) => {
    const { call } = await createTestNode()

    expect(await call('txpool_sendRaw', await transferOf(5), options)).toMatchObject({
      error: { code: -32_602, message },
    })
  })

  test('an error of the pool carries its code and details', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_sendRaw', await transferOf(4))).toMatchObject({
      error: { code: -32_000, data: { reason: 'pool/nonce-too-low', details: { next: '0x5' } } },
    })
  })
})

describe('what only an operator may do', () => {
  test.each([
    ['txpool_drop', hash],
    ['txpool_untrack', hash],
    ['txpool_setGasTip', '0x1'],
    ['miner_setGasPrice', '0x1'],
    ['txpool_find', '0xabcd'],
    ['txpool_journal'],
  ])('is not served in public: %s', async (method, ...params) => {
    const { call, adminCall } = await createTestNode()

    expect(await call(method, ...params)).toMatchObject({ error: { code: -32_601 } })
    expect((await adminCall(method, ...params)).error?.code).not.toBe(-32_601)
  })

  test('says what there is not', async () => {
    const { adminCall } = await createTestNode()

    expect(await adminCall('txpool_drop', hash)).toMatchObject({
      error: { code: -32_000, message: `not in the pool: ${hash}` },
    })
    expect(await adminCall('txpool_untrack', hash)).toMatchObject({
      error: { code: -32_000, message: `not tracked: ${hash}` },
    })
    expect(await adminCall('txpool_find', '0x')).toMatchObject({
      error: { message: 'invalid argument 0: expected 0x and at least four digits of a hash' },
    })
  })

  test('reaches the pool', async () => {
    const { adminCall, call, state } = await createTestNode()
    const raw = await transferOf(5)
    const { result } = await call('eth_sendRawTransaction', raw)

    expect(await adminCall('txpool_drop', result)).toMatchObject({ result: true })
    expect(await adminCall('txpool_untrack', result)).toMatchObject({ result: true })
    expect(await adminCall('txpool_find', String(result).slice(0, 8))).toMatchObject({
      result: [result],
    })
    expect(await adminCall('txpool_journal')).toMatchObject({ result: [raw] })
    expect(await adminCall('miner_setGasPrice', '0x2a')).toMatchObject({ result: true })
    await adminCall('txpool_status')
    expect(state.tip).toBe(42n)
  })

  test('txpool_info says how the pool is set up and stands', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_info')).toMatchObject({
      result: { config: { priceLimit: '0x1' }, gasTip: '0x9', stories: { kept: 0, bound: 64 } },
    })
  })
})

describe('txpool_subscribe', () => {
  const other = `0x${'cd'.repeat(32)}`
  const fact = {
    ...{ type: 'pool.changed', head: hash, added: [hash], promoted: [hash], demoted: [] },
    dropped: [
      { hash: other, reason: 'replaced', by: hash },
      { hash, reason: 'expired' },
    ],
    ...{ events: [], stats: { pending: 1, queued: 0, slots: 1 } },
  } as unknown as Fact

  test('tells each turn of the pool as one batch', async () => {
    const { rpc, emit } = await createTestNode()
    const heard: string[] = []
    const mine = subscriptionsOf(rpc.subscriptions, text => heard.push(text))
    const id = mine.subscribe('poolEvents')
    emit(fact)
    mine.unsubscribe(id)
    emit(fact)

    expect(heard.map(text => JSON.parse(text) as unknown)).toMatchObject([
      {
        method: 'txpool_subscription',
        params: {
          subscription: id,
          result: {
            ...{ head: hash, added: [hash], promoted: [hash], demoted: [] },
            replaced: [{ hash: other, by: hash }],
          },
        },
      },
    ])
  })

  test('with reasons tells only drops for one of them', async () => {
    const { rpc, emit } = await createTestNode()
    const heard: string[] = []
    const mine = subscriptionsOf(rpc.subscriptions, text => heard.push(text))
    mine.subscribe('poolEvents', { reasons: ['expired'] })
    mine.subscribe('poolEvents', { reasons: ['cleared'] })
    emit(fact)

    expect(heard.map(text => JSON.parse(text) as unknown)).toMatchObject([
      { params: { result: { dropped: [{ hash, reason: 'expired' }] } } },
    ])
  })

  test('from a sender tells only what that one sent, in order, and goes on when the pool was too busy once', async () => {
    const { rpc, emit } = await createTestNode()
    const heard: string[] = []
    const mine = subscriptionsOf(rpc.subscriptions, text => heard.push(text))
    const [one, two] = [`0x${'01'.repeat(20)}`, `0x${'02'.repeat(20)}`] as Address[]
    const senders = new Map([
      [hash, one],
      [other, two],
    ])
    let isBusy = false
    const sendersOf = async (hashes: readonly Hash[]) => {
      if (isBusy) throw new Error('busy')
      return hashes.map(each => senders.get(each) ?? null)
    }
    mine.subscribe('poolEvents', { from: { senders: new Set([two] as Address[]), sendersOf } })
    emit(fact)
    await new Promise(resolve => setImmediate(resolve))
    isBusy = true
    emit(fact)
    await new Promise(resolve => setImmediate(resolve))
    isBusy = false
    emit(fact)
    await new Promise(resolve => setImmediate(resolve))

    const theirs = { added: [], promoted: [], dropped: [{ hash: other, reason: 'replaced' }] }
    expect(heard.map(text => JSON.parse(text) as unknown)).toMatchObject([
      { params: { result: theirs } },
      { params: { result: theirs } },
    ])
  })

  test.each([['0x12'], [[7]], [{}]])('refuses from %j', async from => {
    const { rpc } = await createTestNode()
    const subscriber = subscriptionsOf(rpc.subscriptions, () => {})
    const params = ['events', { from }]
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'txpool_subscribe', params })
    const { body } = await rpc.dispatcher.answer(text, { subscriber })

    expect(String(body)).toContain('invalid argument 1: from is an address or a list of them')
  })

  test('needs a connection that lasts, a name there is, and options there are', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_subscribe', 'events')).toMatchObject({
      error: { message: 'notifications not supported' },
    })
    expect(await call('txpool_subscribe', 'news')).toMatchObject({
      error: { message: 'no "news" subscription in txpool namespace' },
    })
  })
})
