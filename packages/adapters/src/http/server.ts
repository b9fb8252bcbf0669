import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '@rockpool/protocol'
import { type Client, type ClientLimits, createClients } from './clients.ts'
import { type ListenAddress, listen } from './listen-error.ts'
import { createHostCheck, hostName } from './origins.ts'

export interface HttpOptions extends ListenAddress {
  /** Names a caller may use for this node; `*` allows all. Addresses are always allowed. */
  readonly vhosts: readonly string[]
  /** Answers one request. */
  readonly handler: (request: IncomingMessage, response: ServerResponse, client: Client) => void
  /** Takes over an upgraded connection; absent: upgrades are refused. */
  readonly upgrade?: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    client: Client,
  ) => void
  /** Ends what `server.close` does not: upgraded connections. */
  readonly closing?: () => void
  /** Told of refusals and of the number of connections, for meters. */
  readonly refused?: (reason: 'host' | 'connections') => void
  readonly connections?: (change: 1 | -1) => void
  readonly connectionsMax?: number
  readonly clients?: Partial<ClientLimits>
  /** Time for all headers, for a whole request, and between two of one connection. Milliseconds. */
  readonly times?: Times
  /** How long answers under way may still take when the server closes. Milliseconds. */
  readonly graceMs?: number
}

export interface Times {
  readonly headersMs: number
  readonly requestMs: number
  readonly keepAliveMs: number
}

const defaultTimes: Times = {
  headersMs: limits.rpcHeadersMs,
  requestMs: limits.rpcRequestMs,
  keepAliveMs: limits.rpcKeepAliveMs,
}

export interface Listening {
  readonly ip: string
  readonly port: number
  readonly url: string
  /** Ends keep-alive connections at once and those with an answer under way after a grace. Twice is once. */
  close(): Promise<void>
  /** True from the first call of `close`. */
  readonly closed: boolean
}

/**
 * One HTTP listener with the bounds every listener has: time and size of headers, time of requests, connections in all and per client, and
 * the check of `Host` without which any web page could call a node on its reader's machine.
 */
export async function startHttp(options: HttpOptions): Promise<Listening> {
  const { name, ip, vhosts, handler, upgrade } = options
  const { headersMs, requestMs, keepAliveMs } = options.times ?? defaultTimes
  const clients = createClients(options.clients)
  const hosts = createHostCheck(vhosts)
  const bySocket = new WeakMap<Duplex, Client>()
  let ended: Promise<void> | undefined

  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: limits.rpcHeaderBytes,
      connectionsCheckingInterval: Math.min(1_000, headersMs),
      noDelay: true,
    },
    (request, response) => {
      const client = admit(request)
      if (typeof client === 'string') return sendText(response, 403, client)
      if (ended !== undefined) response.setHeader('Connection', 'close')
      handler(request, response, client)
    },
  )
  server.maxHeadersCount = limits.rpcHeadersMax
  server.maxConnections = options.connectionsMax ?? limits.rpcConnectionsMax
  server.on('drop', () => options.refused?.('connections'))
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const client = clients.open(address)
    if (client === undefined) {
      options.refused?.('connections')
      socket.destroy()
      return
    }
    bySocket.set(socket, client)
    options.connections?.(1)
    socket.once('close', () => {
      clients.close(address)
      options.connections?.(-1)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const client = admit(request)
    if (typeof client === 'string') return refuseUpgrade(socket, 403, client)
    if (upgrade === undefined || ended !== undefined)
      return refuseUpgrade(socket, 400, 'upgrade not supported')
    upgrade(request, socket, head, client)
  })

  /** The client of a request, or why its host is refused. */
  function admit(request: IncomingMessage): Client | string {
    const { host } = request.headers
    const client = bySocket.get(request.socket)
    if (client !== undefined && hosts.allows(host)) return client
    options.refused?.('host')
    return `host ${JSON.stringify(hostName(host ?? '').slice(0, 200))} is not allowed; see ${name}.vhosts`
  }

  function close(): Promise<void> {
    ended ??= new Promise(resolve => {
      const cut = setTimeout(() => server.closeAllConnections(), options.graceMs ?? 1_000)
      server.close(() => {
        clearTimeout(cut)
        resolve()
      })
      options.closing?.()
      server.closeIdleConnections()
    })
    return ended
  }

  const port = await listen(server, options)
  const shown = ip.includes(':') ? `[${ip}]` : ip
  return {
    ip,
    port,
    url: `http://${shown}:${port}`,
    close,
    get closed() {
      return ended !== undefined
    },
  }
}

/** A plain sentence with a status. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(body)
}

export function refuseUpgrade(socket: Duplex, status: 400 | 403, text: string): void {
  const phrase = status === 403 ? 'Forbidden' : 'Bad Request'
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}
