import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { limits } from '@rockpool/protocol'
import { createPublicClient, http } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import type { RpcParts } from './parts.ts'
import { send } from './test-http.ts'
import { headerOf, transferOf } from './test-node.ts'
import { createTestServers } from './test-server.ts'

const servers = createTestServers()
const { serve, closing } = servers
afterEach(servers.close)

const echo = '{"jsonrpc":"2.0","id":1,"method":"net_version","params":[]}'
const echoed = '{"jsonrpc":"2.0","id":1,"result":"1337"}'

/** Bytes as they are on a socket, and all that comes back until it closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

describe('what is answered', () => {
  test('a call by POST, by a browser-like client and by viem', async () => {
    const { server } = await serve()

    expect(await send(server, { body: echo })).toMatchObject({ status: 200, text: echoed })
    const reader = createPublicClient({ transport: http(server.url) })
    expect(await reader.getChainId()).toBe(1337)
    expect(await reader.getBlock({ blockNumber: 1n })).toMatchObject({ hash: headerOf(1).hash })
  })

  test('many requests on one connection, and a batch', async () => {
    const { server } = await serve()

    const answers = await raw(
      server.port,
      [1, 2, 3]
        .map(
          index =>
            `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${index === 3 ? 'Connection: close\r\n' : ''}Content-Length: ${echo.length}\r\n\r\n${echo}`,
        )
        .join(''),
    )

    expect(answers.split(echoed)).toHaveLength(4)
    expect(await send(server, { body: `[${echo},${echo}]` })).toMatchObject({
      text: `[${echoed},${echoed}]`,
    })
  })

  test('notifications with an empty body, and an empty GET with 200', async () => {
    const { server } = await serve()

    expect(await send(server, { body: '{"jsonrpc":"2.0","method":"net_version"}' })).toMatchObject({
      status: 200,
      text: '',
    })
    expect(await send(server, { method: 'GET' })).toMatchObject({ status: 200, text: '' })
  })

  test('the whole pool in parts that make one JSON text', async () => {
    const { server, node } = await serve()
    for (let nonce = 5; nonce < 300; nonce++)
      await node.call('eth_sendRawTransaction', await transferOf(nonce))

    const { text, headers } = await send(server, {
      body: '{"jsonrpc":"2.0","id":1,"method":"txpool_content","params":[]}',
    })

    expect(headers['transfer-encoding']).toBe('chunked')
    const { result } = JSON.parse(text) as { result: { pending: Record<string, object> } }
    expect(Object.keys(Object.values(result.pending)[0] ?? {})).toHaveLength(295)
  })
})

describe('what is refused', () => {
  test('other content types by 415, PUT and DELETE by 405', async () => {
    const { server } = await serve()
    const type = 'invalid content type, only application/json is supported\n'

    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded', ''])
      expect(
        await send(server, { body: echo, headers: { 'content-type': contentType } }),
      ).toMatchObject({ status: 415, text: type })
    for (const contentType of [
      'application/json; charset=utf-8',
      'application/json-rpc',
      'application/jsonrequest',
      'Application/JSON',
    ])
      expect(
        await send(server, { body: echo, headers: { 'content-type': contentType } }),
      ).toMatchObject({ status: 200, text: echoed })
    for (const method of ['PUT', 'DELETE'])
      expect(
        await send(server, { method, headers: { 'content-type': 'application/json' } }),
      ).toMatchObject({
        ...{ status: 405, text: 'method not allowed\n' },
      })
  })

  test('the first byte too many, whether it was announced or not', async () => {
    const { server } = await serve({ bodyBytesMax: 100 })
    const padded = (length: number) => echo.padEnd(length, ' ')
    const chunked = { 'transfer-encoding': 'chunked' }
    const text = (bytes: number) => `content length too large (${bytes}>100)\n`

    expect(await send(server, { body: padded(100) })).toMatchObject({ status: 200, text: echoed })
    expect(await send(server, { body: padded(100), headers: chunked })).toMatchObject({
      status: 200,
    })
    expect(await send(server, { body: padded(101) })).toMatchObject({
      status: 413,
      text: text(101),
    })
    expect(await send(server, { body: padded(101), headers: chunked })).toMatchObject({
      ...{ status: 413, text: text(101) },
    })
    const announced = await raw(
      server.port,
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n',
    )
    expect(announced).toContain('413')
    expect(announced).toContain(text(99_999))
  })

  test('a body of the default limit is taken, one byte more is not', async () => {
    const { server } = await serve()

    expect(await send(server, { body: echo.padEnd(limits.rpcBodyBytes, ' ') })).toMatchObject({
      status: 200,
    })
    expect(await send(server, { body: echo.padEnd(limits.rpcBodyBytes + 1, ' ') })).toMatchObject({
      ...{ status: 413, text: 'content length too large (5242881>5242880)\n' },
    })
  })

  test('a false content-length, and one beside a transfer-encoding', async () => {
    const { server } = await serve()
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

    expect(
      await raw(
        server.port,
        `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ),
    ).toContain('400 Bad Request')
    expect(
      await raw(server.port, `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`),
    ).toContain('400 Bad Request')
  })

  test('headers that are too large or too many', async () => {
    const { server } = await serve()
    const big = (length: number) => ({ 'x-big': 'x'.repeat(length) })

    expect(
      await send(server, { body: echo, headers: big(limits.rpcHeaderBytes - 300) }),
    ).toMatchObject({
      status: 200,
    })
    expect(await send(server, { body: echo, headers: big(limits.rpcHeaderBytes) })).toMatchObject({
      status: 431,
    })
  })

  test('a page that gave 127.0.0.1 a name of its own', async () => {
    const { server } = await serve()

    expect(
      await send(server, { body: echo, headers: { host: 'evil.example:8545' } }),
    ).toMatchObject({
      ...{ status: 403, text: 'host "evil.example" is not allowed; see rpc.vhosts\n' },
    })
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:8545'])
      expect(await send(server, { body: echo, headers: { host } })).toMatchObject({ status: 200 })
  })

  test('a full mailbox by 503 with Retry-After, and everything while draining', async () => {
    const { server, node } = await serve(
      {},
      { bus: { ask: async () => ({ ok: false, error: 'full' }) } },
    )
    const ask = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'

    const busy = await send(server, { body: ask })
    node.state.draining = true
    const drained = await send(server, { body: echo })

    expect(busy).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(JSON.parse(busy.text)).toMatchObject({
      error: { code: -32005, data: { reason: 'actor/busy' } },
    })
    expect(drained).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(JSON.parse(drained.text)).toMatchObject({ error: { data: { reason: 'load/draining' } } })
  })

  test('callers that are too fast by 429, each method at its price', async () => {
    const { server } = await serve({
      clients: { loopbackToo: true, rateBurst: 5, ratePerSecond: 0.001 },
    })
    const dear = '{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x"]}'

    expect(await send(server, { body: dear })).toMatchObject({ status: 200 })
    expect(await send(server, { body: echo })).toMatchObject({ status: 200 })
    expect(await send(server, { body: echo })).toMatchObject({
      ...{ status: 429, headers: { 'retry-after': '1' } },
    })
  })
})

describe('browsers', () => {
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  })

  test('hear nothing from us unless their origin is listed', async () => {
    const { server } = await serve({ cors: ['http://localhost:*'] })

    const good = await send(server, preflight('http://localhost:3000'))
    const bad = await send(server, preflight('http://evil.example'))
    const called = await send(server, { body: echo, headers: { origin: 'http://localhost:3000' } })

    expect(good).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'http://localhost:3000',
        'access-control-allow-methods': 'POST, GET',
        'access-control-allow-headers': 'Content-Type',
        vary: 'Origin',
      },
    })
    expect(bad.headers['access-control-allow-origin']).toBeUndefined()
    expect(called.headers['access-control-allow-origin']).toBe('http://localhost:3000')
  })

  test('hear nothing at all by default', async () => {
    const { server } = await serve()

    const { headers } = await send(server, preflight('http://localhost:3000'))

    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('connections', () => {
  async function opened(port: number): Promise<{ socket: Socket; alive: boolean }> {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${echo.length}\r\n\r\n${echo}`,
    )
    const alive = await Promise.race([
      once(socket, 'data').then(() => true),
      once(socket, 'close').then(() => false),
    ])
    return { socket, alive }
  }

  test('in all are bounded, and a closed one makes room', async () => {
    const { server, node } = await serve({ connectionsMax: 2 })

    const [first, second] = [await opened(server.port), await opened(server.port)]
    const third = await opened(server.port)
    expect([first.alive, second.alive, third.alive]).toEqual([true, true, false])
    expect(node.rpc.meter.connections.http).toBe(2)

    first.socket.destroy()
    await expect.poll(() => node.rpc.meter.connections.http).toBe(1)
    expect((await opened(server.port)).alive).toBe(true)
  })

  test('that dawdle over headers, body or the next request are ended, those in time are not', async () => {
    const { server } = await serve({ times: { headersMs: 200, requestMs: 400, keepAliveMs: 200 } })
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
    const call = `${head}Content-Length: ${echo.length}\r\n\r\n`

    const [headers, body, idle] = await Promise.all([
      raw(server.port, head),
      raw(server.port, `${call}${echo.slice(0, -1)}`),
      raw(server.port, `${call}${echo}`),
    ])

    expect(headers).toContain('408 Request Timeout')
    expect(body).toContain('408 Request Timeout')
    expect(idle).toContain(echoed)
  })

  test('of one client are bounded', async () => {
    const { server } = await serve({ clients: { loopbackToo: true, connectionsPerClient: 2 } })

    const alive = []
    for (let count = 0; count < 3; count++) alive.push((await opened(server.port)).alive)

    expect(alive).toEqual([true, true, false])
  })

  test('kept alive end when the server closes, and closing twice is closing once', async () => {
    const { server } = await serve()
    const { socket } = await opened(server.port)
    const ended = once(socket, 'close')

    await Promise.all([server.close(), server.close(), ended])

    expect(server.closed).toBe(true)
    await expect(send(server, { body: echo })).rejects.toThrow('ECONNREFUSED')
  })

  test('with an answer under way may finish while the server closes', async () => {
    const held: ((outcome: { ok: true; value: unknown }) => void)[] = []
    const ask = () => new Promise(resolve => held.push(resolve))
    const { server } = await serve({}, { bus: { ask: ask as RpcParts['bus']['ask'] } })
    const answer = send(server, { body: '{"jsonrpc":"2.0","id":1,"method":"txpool_status"}' })
    await expect.poll(() => held.length).toBe(1)

    const closed = server.close()
    held[0]?.({ ok: true, value: { pending: 1, queued: 0, slots: 1 } })

    expect(await answer).toMatchObject({ status: 200 })
    await closed
  })

  test('a port in use is named with the remedy', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise(resolve => other.close(resolve)))
    const { port } = other.address() as AddressInfo

    await expect(serve({ port })).rejects.toMatchObject({
      code: 'rpc/port-in-use',
      message: `rpc.port ${port} is in use (by another program); choose another with --rpc.port or stop it`,
    })
    await expect(serve({ ip: '203.0.113.9' })).rejects.toMatchObject({ code: 'rpc/cannot-listen' })
  })
})
