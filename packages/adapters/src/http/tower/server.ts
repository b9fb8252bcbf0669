import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ActorRef } from '@rockpool/actor'
import { type Answer, failed, limits, type WatcherMessage } from '@rockpool/protocol'
import { clientKey, isLoopback } from '../clients.ts'
import type { Asker } from '../line.ts'
import { listen } from '../listen-error.ts'
import type { Listening } from '../server.ts'
import { BadRequest, type ErrorCode, errorCodes } from './fields.ts'
import { type AskWatcher, questions, refusals } from './questions.ts'

export interface TowerApiOptions {
  readonly bus: Asker
  readonly watcher: ActorRef<WatcherMessage>
  readonly ip: string
  readonly port: number
  /** Largest body of an addition. Bytes. */
  readonly bodyBytesMax: number
  /** Called with an exception that should not have been: the client is told that something went wrong. */
  readonly onBug: (error: unknown) => void
  readonly graceMs?: number
}

/** How much of a body that is too long is read before its connection is closed. */
const drainedBytesMax = 1_048_576

/**
 * The public door of the watchtower, in the words of rust-teos v0.2. Clients read the error code only, and every code but 7 makes them forget
 * an appointment for good; so does a reset and anything that is not JSON. Therefore every answer here is JSON with a code, whatever went
 * wrong and wherever, and a request that was read is always answered.
 */
export async function startTowerApi(options: TowerApiOptions): Promise<Listening> {
  const { bus, watcher, ip, bodyBytesMax, onBug } = options
  let ended: Promise<void> | undefined

  const ask: AskWatcher = async <R>(
    make: Parameters<typeof bus.ask<WatcherMessage, Answer<R>>>[1],
  ): Promise<Answer<R>> => {
    const outcome = await bus.ask<WatcherMessage, Answer<R>>(
      watcher,
      make,
      limits.towerAnswerMs,
      'tower',
    )
    return outcome.ok ? outcome.value : failed('tower/busy')
  }

  const server = createServer(
    {
      headersTimeout: limits.towerHeadersMs,
      requestTimeout: limits.towerRequestMs,
      keepAliveTimeout: limits.towerKeepAliveMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: limits.towerHeaderBytes,
      requireHostHeader: false,
      noDelay: true,
    },
    handle,
  )
  server.on('checkExpectation', handle)
  server.on('connect', (_request, socket: Duplex) =>
    endWith(socket, 405, errorCodes.badRequest, 'HTTP method not allowed'),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy()
    const [status, code, text] = faultOf(error)
    endWith(socket, status, code, text)
  })

  function handle(request: IncomingMessage, response: ServerResponse): void {
    respond(request, response).catch((error: unknown) => {
      onBug(error)
      if (!response.headersSent)
        send(response, 400, errorBody('unexpected error', errorCodes.unexpected))
    })
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, first = ''] = /^\/([^/?#]*)/.exec(request.url ?? '') ?? []
    if (first === 'ping' && request.method === 'GET') return send(response, 200, '')
    const question = questions.get(first)
    if (question === undefined || request.method !== 'POST')
      return refuse(response, 405, errorCodes.badRequest, 'HTTP method not allowed')
    const isAdd = first === 'add_appointment'
    const bytesMax = isAdd ? bodyBytesMax : limits.towerBodyBytes
    const tooLarge = isAdd ? errorCodes.blobTooBig : errorCodes.badRequest
    const claimed = Number(request.headers['content-length'] ?? 0)
    if (claimed > bytesMax) {
      drain(request)
      return refuse(response, 413, tooLarge, 'The request payload is too large')
    }
    if (!isJson(request.headers['content-type']))
      return refuse(
        response,
        415,
        errorCodes.badRequest,
        "The request's content-type is not supported",
      )
    const body = await read(request, bytesMax)
    if (body === 'gone') return
    if (body === 'too-large')
      return refuse(response, 413, tooLarge, 'The request payload is too large')
    let answer: Answer<string>
    try {
      answer = await question.answer(body, addressOf(request), ask)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      return refuse(response, 400, error.code, error.message)
    }
    if (answer.ok) return send(response, 200, answer.value)
    const [status, code] = refusals[answer.code] ?? [400, errorCodes.unexpected]
    const isRegistration = first === 'register' && code === errorCodes.notNow
    refuse(response, status, isRegistration ? errorCodes.registration : code, answer.message)
  }

  function refuse(response: ServerResponse, status: number, code: ErrorCode, text: string): void {
    send(response, status, errorBody(text, code))
  }

  function send(response: ServerResponse, status: number, body: string): void {
    if (response.destroyed || response.headersSent) return
    // Its own words about keeping the connection are left out: what clients read is the same as before.
    if (ended === undefined) response.removeHeader('connection')
    else response.setHeader('connection', 'close')
    const length = Buffer.byteLength(body)
    response.writeHead(
      status,
      body === ''
        ? { 'content-length': 0 }
        : { 'content-type': 'application/json', 'content-length': length },
    )
    response.end(body)
  }

  function close(): Promise<void> {
    ended ??= new Promise(resolve => {
      const cut = setTimeout(() => server.closeAllConnections(), options.graceMs ?? 1_000)
      server.close(() => {
        clearTimeout(cut)
        resolve()
      })
      server.closeIdleConnections()
    })
    return ended
  }

  const port = await listen(server, { name: 'tower', ip, port: options.port })
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

function errorBody(error: string, code: ErrorCode): string {
  return JSON.stringify({ error, error_code: code })
}

/** Whom the limits on newcomers count: an address, a /64, or everybody on this machine, where Tor users come from. */
function addressOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? ''
  return isLoopback(address) ? 'loopback' : clientKey(address)
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return true
  return contentType.split(';')[0]?.trim().toLowerCase() === 'application/json'
}

/** The body; what is too long is read on for a while, so that the sender can hear the refusal. */
function read(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Uint8Array | 'too-large' | 'gone'> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else if (bytes - chunk.length <= bytesMax) resolve('too-large')
      else if (bytes > drainedBytesMax) request.destroy()
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('close', () => resolve('gone'))
  })
}

function drain(request: IncomingMessage): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > drainedBytesMax) request.socket.end()
  })
}

/** What is wrong with a request that the parser gave up on. A slow sender keeps his appointment. */
function faultOf(error: NodeJS.ErrnoException): [number, ErrorCode, string] {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return [431, errorCodes.badRequest, 'The request headers are too large']
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return [408, errorCodes.notNow, 'The request took too long']
  return [400, errorCodes.badRequest, 'The request is not valid HTTP']
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

/** An answer past the server's own. */
function endWith(socket: Duplex, status: number, code: ErrorCode, text: string): void {
  const body = errorBody(text, code)
  socket.end(
    `HTTP/1.1 ${status} ${phrases[status] ?? ''}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
