import { once } from 'node:events'
import { limits } from '@rockpool/protocol'
import { createPublicClient, webSocket } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { RpcParts } from './parts.ts'
import { blockOf, headFact, oneOfEachType, pendingFact } from './test-node.ts'
import { createTestServers } from './test-server.ts'

const servers = createTestServers()
const { serve, closing } = servers
afterEach(servers.close)

/** A client that keeps all it hears. */
async function connected(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  const heard: Heard[] = []
  socket.on('message', data => heard.push(JSON.parse((data as Buffer).toString()) as Heard))
  socket.on('error', () => undefined)
  closing.push(() => socket.terminate())
  await once(socket, 'open')
  let ids = 0
  return {
    socket,
    heard,
    call: async (method: string, ...params: readonly unknown[]) => {
      const id = ++ids
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      await expect.poll(() => heard.some(message => message.id === id)).toBe(true)
      return heard.find(message => message.id === id)
    },
  }
}

interface Heard {
  readonly id?: number
  readonly result?: unknown
  readonly error?: unknown
  readonly method?: string
  readonly params?: {
    readonly subscription?: string
    readonly result?: unknown
    readonly reason?: string
  }
}

describe('calls', () => {
  test('are answered as over HTTP, batches and errors too', async () => {
    const { url } = await serve()
    const { socket, heard, call } = await connected(url)

    expect(await call('eth_chainId')).toMatchObject({ result: '0x539' })
    expect(await call('txpool_content')).toMatchObject({ result: { pending: {}, queued: {} } })
    expect(await call('nope')).toMatchObject({ error: { code: -32601 } })
    socket.send('{')
    await expect.poll(() => heard.at(-1)).toMatchObject({ error: { code: -32700 } })
    socket.send('[{"jsonrpc":"2.0","id":77,"method":"eth_chainId"}]')
    await expect.poll(() => heard.at(-1)).toMatchObject([{ id: 77, result: '0x539' }])
  })

  test('of the largest message are taken and one byte more closes with 1009', async () => {
    const { url } = await serve({ bodyBytesMax: 1_000 })
    const { socket, heard } = await connected(url)
    const call = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'

    socket.send(call.padEnd(1_000, ' '))
    await expect.poll(() => heard).toHaveLength(1)
    socket.send(call.padEnd(1_001, ' '))

    expect((await once(socket, 'close'))[0]).toBe(1009)
  })

  test('beyond those under way wait in the socket and are all answered', async () => {
    const waiting: (() => void)[] = []
    const ask = () =>
      new Promise(resolve =>
        waiting.push(() => resolve({ ok: true, value: { pending: 0, queued: 0, slots: 0 } })),
      )
    const { url } = await serve({}, { bus: { ask: ask as RpcParts['bus']['ask'] } })
    const { socket, heard } = await connected(url)
    const total = limits.rpcSocketCallsMax * 3
    for (let id = 0; id < total; id++)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'txpool_status' }))

    await expect.poll(() => waiting.length).toBeGreaterThanOrEqual(limits.rpcSocketCallsMax)
    const first = waiting.length
    while (heard.length < total) {
      for (const answer of waiting.splice(0)) answer()
      await new Promise(resolve => setImmediate(resolve))
    }

    expect(first).toBe(limits.rpcSocketCallsMax)
    expect(new Set(heard.map(({ id }) => id)).size).toBe(total)
  })
})

describe('who may connect', () => {
  const refused = async (url: string, headers: Record<string, string>) => {
    const socket = new WebSocket(url, { headers })
    const [error] = (await once(socket, 'error')) as [Error]
    return error.message
  }

  test('is decided by origin: none is no page, a page must be listed', async () => {
    const { url } = await serve({ cors: ['http://localhost:*'] })

    expect((await connected(url)).socket.readyState).toBe(WebSocket.OPEN)
    expect((await connected(url, { origin: 'http://localhost:3000' })).socket.readyState).toBe(
      WebSocket.OPEN,
    )
    expect(await refused(url, { origin: 'http://evil.example' })).toContain('403')
    expect(await refused((await serve()).url, { origin: 'http://localhost:3000' })).toContain('403')
  })

  test('is decided by host as well', async () => {
    const { url } = await serve()

    expect(await refused(url, { host: 'evil.example' })).toContain('403')
  })
})

describe('subscriptions', () => {
  test('bring heads and transactions, until they are cancelled', async () => {
    const { url, node } = await serve()
    const { heard, call } = await connected(url)
    const txs = await oneOfEachType()
    const heads = (await call('eth_subscribe', 'newHeads'))?.result
    const hashes = (await call('eth_subscribe', 'newPendingTransactions'))?.result
    const full = (await call('eth_subscribe', 'newPendingTransactions', true))?.result
    await call('eth_subscribe', 'logs', {})
    await call('eth_subscribe', 'syncing')
    heard.length = 0

    node.emit(headFact([blockOf(3), blockOf(4)]))
    node.emit(pendingFact(txs.slice(0, 1)))
    await expect.poll(() => heard).toHaveLength(4)

    expect(heard).toMatchObject([
      { method: 'eth_subscription', params: { subscription: heads, result: { number: '0x3' } } },
      { params: { subscription: heads, result: { number: '0x4' } } },
      { params: { subscription: hashes, result: txs[0]?.hash } },
      { params: { subscription: full, result: { hash: txs[0]?.hash, blockNumber: null } } },
    ])
    expect(await call('eth_unsubscribe', heads)).toMatchObject({ result: true })
    expect(await call('eth_unsubscribe', heads)).toMatchObject({
      error: { code: -32000, message: 'subscription not found' },
    })
    expect(await call('eth_subscribe', 'newFoo')).toMatchObject({
      error: { code: -32601, message: 'no "newFoo" subscription in eth namespace' },
    })
    node.emit(headFact([blockOf(5)]))
    await call('eth_chainId')
    expect(heard.filter(({ method }) => method === 'eth_subscription')).toHaveLength(4)
  })

  test('are read by viem', async () => {
    const { url, node } = await serve()
    const reader = createPublicClient({ transport: webSocket(url) })
    const numbers: bigint[] = []
    const stop = reader.watchBlocks({ onBlock: block => numbers.push(block.number) })
    await expect.poll(() => node.rpc.meter.connections.websocket).toBe(1)
    await expect
      .poll(() => {
        node.emit(headFact([blockOf(2)]))
        return numbers
      })
      .toContain(2n)

    stop()
    const client = await reader.transport.getRpcClient()
    client.close()
  })

  test('end with their connection', async () => {
    const { url, node } = await serve()
    const { socket, call } = await connected(url)
    await call('eth_subscribe', 'newHeads')
    expect(node.rpc.meter.connections).toEqual({ http: 0, websocket: 1 })

    socket.terminate()

    await expect.poll(() => node.rpc.meter.connections).toEqual({ http: 0, websocket: 0 })
    node.emit(headFact([blockOf(3)]))
    expect(node.bugs).toEqual([])
  })

  test('cannot be had over HTTP', async () => {
    const { node } = await serve()

    expect(await node.call('eth_subscribe', 'newHeads')).toMatchObject({
      error: { code: -32601, message: 'notifications not supported' },
    })
  })

  /** A client that has stopped reading, and notifications heavy enough to fill every buffer between it and us. */
  async function lagging(webSocket: { lagMax?: number; lagBytesMax?: number }) {
    const { url, node } = await serve({ webSocket })
    const client = await connected(url)
    await client.call('eth_subscribe', 'newPendingTransactions', true)
    const [tx] = await oneOfEachType()
    if (tx === undefined) throw new Error('no transaction')
    const heavy = { ...tx, data: new Uint8Array(100_000) }
    client.socket.pause()
    await new Promise(resolve => setImmediate(resolve))
    return {
      ...client,
      node,
      tell: (count: number) => node.emit(pendingFact(Array(count).fill(heavy))),
    }
  }

  test('of a reader that lags are cut off at the limit, told once and closed with 1013', async () => {
    const { node, socket, heard, tell } = await lagging({ lagMax: 50, lagBytesMax: 1e9 })
    const closed = once(socket, 'close')
    tell(500)
    tell(500)
    socket.resume()

    expect(await closed).toEqual([1013, Buffer.from('subscriber too slow, connect again')])
    const told = heard.filter(({ method }) => method === 'rockpool_closing')
    expect(told).toMatchObject([
      { params: { reason: 'rpc/slow-consumer', details: { notifications: 50 } } },
    ])
    expect(heard.at(-1)).toBe(told[0])
    expect(heard.length).toBeLessThan(500)
    const refused = node.rpc.series().find(({ name }) => name === 'rockpool_rpc_refused_total')
    expect(refused?.samples).toContainEqual({ labels: { reason: 'slow-consumer' }, value: 1 })
  })

  test('that weigh too much unread are cut off by bytes', async () => {
    const { socket, tell } = await lagging({ lagMax: 1e6, lagBytesMax: 1_000_000 })
    const closed = once(socket, 'close')
    tell(200)
    socket.resume()

    expect((await closed)[0]).toBe(1013)
  })

  test('of a reader that keeps up are never cut off, however many come at once', async () => {
    const { url, node } = await serve({ webSocket: { lagMax: 100 } })
    const { heard, call, socket } = await connected(url)
    await call('eth_subscribe', 'newPendingTransactions')
    const txs = await oneOfEachType()
    for (let round = 1; round <= 20; round++) {
      node.emit(pendingFact(Array.from({ length: 100 }, () => txs).flat()))
      await expect.poll(() => heard.length, { interval: 1 }).toBe(1 + round * 500)
    }

    expect(socket.readyState).toBe(WebSocket.OPEN)
  })
})

test('a client that does not answer pings is cut off, one that does is not', async () => {
  const { url, node } = await serve({ webSocket: { pingMs: 300 } })
  const dead = new WebSocket(url, { autoPong: false })
  const closed = once(dead, 'close')
  const alive = await connected(url)

  const [code] = await closed

  expect(code).toBe(1006)
  expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  await expect.poll(() => node.rpc.meter.connections.websocket).toBe(1)
})

test('all are told goodbye when the server closes', async () => {
  const { url, server } = await serve()
  const { socket } = await connected(url)
  const closed = once(socket, 'close')

  await server.close()

  expect((await closed)[0]).toBe(1001)
})
