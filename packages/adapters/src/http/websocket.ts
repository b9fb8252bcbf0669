import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits } from '@rockpool/protocol'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Client } from './clients.ts'
import type { Answer, Dispatcher } from './json-rpc.ts'
import type { Caller } from './method.ts'
import { isOriginAllowed } from './origins.ts'
import type { RpcMeter } from './rpc-meter.ts'
import { refuseUpgrade } from './server.ts'
import { type Subscriptions, subscriptionsOf } from './subscriptions.ts'

export interface RpcWebSocketOptions {
  readonly dispatcher: Dispatcher
  readonly subscriptions: Subscriptions
  readonly meter: RpcMeter
  /** Origins of pages that may connect. A connection without `Origin` comes from no page. */
  readonly origins: readonly string[]
  readonly bodyBytesMax?: number
  readonly onBug: (error: unknown) => void
  /** Notifications and bytes a client may lag. */
  readonly lagMax?: number
  readonly lagBytesMax?: number
  /** Between two pings. Milliseconds. */
  readonly pingMs?: number
}

/** How long a closed connection may take to say goodbye. Milliseconds. */
const goodbyeMs = 500

/** JSON-RPC over WebSocket: the same table, and notifications. */
export function rpcOverWebSocket(options: RpcWebSocketOptions) {
  const { dispatcher, subscriptions, meter, origins, onBug } = options
  const { bodyBytesMax = limits.rpcBodyBytes, pingMs = limits.rpcPingMs } = options
  const { lagMax = limits.rpcLagMax, lagBytesMax = limits.rpcLagBytes } = options
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: bodyBytesMax,
    perMessageDeflate: false,
    clientTracking: true,
    skipUTF8Validation: false,
  })
  const answering = new WeakSet<WebSocket>()
  const pinger = setInterval(ping, pingMs)
  pinger.unref()

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: Client): void {
    const { origin } = request.headers
    if (origin !== undefined && !isOriginAllowed(origin, origins)) {
      meter.refuse('origin')
      return refuseUpgrade(socket, 403, 'origin not allowed; see rpc.corsdomain')
    }
    server.handleUpgrade(request, socket, head, ws => attach(ws, client))
  }

  function attach(ws: WebSocket, { bucket }: Client): void {
    const mine = subscriptionsOf(subscriptions, notify)
    const caller: Caller = { subscriber: mine, ...(bucket !== undefined && { bucket }) }
    let sent = { count: 0, bytes: 0 }
    let done = sent
    let calls = 0
    const read: RawData[] = []
    meter.connections.http--
    meter.connections.websocket++
    answering.add(ws)
    ws.on('pong', () => answering.add(ws))
    // The close that follows every error is what matters.
    ws.on('error', () => undefined)
    ws.on('close', () => {
      meter.connections.websocket--
      meter.connections.http++
      mine.close()
    })
    ws.on('message', data => {
      if (calls < limits.rpcSocketCallsMax) return take(textOf(data))
      // A paused socket still delivers what it has read: at most one read, so this list is short.
      read.push(data)
      ws.pause()
    })

    function take(text: string): void {
      const answer = dispatcher.answer(text, caller)
      if (!(answer instanceof Promise)) return send(answer)
      calls++
      answer
        .then(send, error => {
          onBug(error)
          ws.terminate()
        })
        .finally(() => {
          calls--
          resume()
        })
    }

    function send({ body }: Answer): void {
      if (body === undefined || ws.readyState !== WebSocket.OPEN) {
        if (body !== undefined && typeof body !== 'string') body.end()
        return
      }
      ws.send(typeof body === 'string' ? body : body.text(), resume)
      // Who does not read answers must not go on asking.
      if (ws.bufferedAmount > lagBytesMax) ws.pause()
    }

    function resume(): void {
      while (read.length > 0 && calls < limits.rpcSocketCallsMax) {
        const data = read.shift()
        if (data !== undefined) take(textOf(data))
      }
      if (ws.isPaused && read.length === 0 && ws.bufferedAmount <= lagBytesMax) ws.resume()
    }

    function notify(notification: string): void {
      if (ws.readyState !== WebSocket.OPEN) return
      // What the system has taken is on its way: a burst within one turn is no lag by itself.
      if (ws.bufferedAmount === 0) done = sent
      const lag = sent.count - done.count
      const lagBytes = sent.bytes - done.bytes
      if (lag >= lagMax || lagBytes + notification.length > lagBytesMax)
        return cutOff(lag, lagBytes)
      const now = { count: sent.count + 1, bytes: sent.bytes + notification.length }
      sent = now
      ws.send(notification, () => {
        if (now.count > done.count) done = now
      })
    }

    /** A subscriber that cannot keep up would cost memory without end. It is told once, so that it can start anew. */
    function cutOff(lag: number, lagBytes: number): void {
      meter.refuse('slow-consumer')
      mine.close()
      const details = `{"notifications":${lag},"bytes":${lagBytes}}`
      ws.send(
        `{"jsonrpc":"2.0","method":"rockpool_closing","params":{"reason":"rpc/slow-consumer","details":${details}}}`,
      )
      ws.close(1013, 'subscriber too slow, connect again')
    }
  }

  function ping(): void {
    for (const ws of server.clients) {
      if (!answering.has(ws)) {
        ws.terminate()
        continue
      }
      answering.delete(ws)
      ws.ping()
    }
  }

  /** Says goodbye to all, and does not wait long for them. */
  function close(): void {
    clearInterval(pinger)
    for (const ws of server.clients) ws.close(1001, 'node is stopping')
    const cut = setTimeout(() => {
      for (const ws of server.clients) ws.terminate()
    }, goodbyeMs)
    cut.unref()
  }

  return { upgrade, close }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : data.toString('utf8')
}
