import type { IncomingMessage, ServerResponse } from 'node:http'
import { limits } from '@rockpool/protocol'
import { readBody } from './body.ts'
import type { Client } from './clients.ts'
import type { Answer, Dispatcher } from './json-rpc.ts'
import type { JsonStream } from './json-stream.ts'
import { isOriginAllowed } from './origins.ts'
import type { RpcMeter } from './rpc-meter.ts'
import { sendText } from './server.ts'

export interface RpcHttpOptions {
  readonly dispatcher: Dispatcher
  readonly meter: RpcMeter
  /** Origins of pages that may call; patterns as `http://localhost:*`. */
  readonly cors: readonly string[]
  readonly bodyBytesMax?: number
  /** Called when an answer under way could not be finished. */
  readonly onBug: (error: unknown) => void
}

const contentTypes: ReadonlySet<string> = new Set([
  'application/json',
  'application/json-rpc',
  'application/jsonrequest',
])
/** Bytes gathered before a part of a long answer is sent. */
const partBytes = 65_536

/** JSON-RPC over POST, with geth's checks in geth's order and words. */
export function rpcOverHttp(options: RpcHttpOptions) {
  const { dispatcher, meter, cors, onBug, bodyBytesMax = limits.rpcBodyBytes } = options

  function handler(request: IncomingMessage, response: ServerResponse, client: Client): void {
    const { method, headers } = request
    const { origin } = headers
    if (origin !== undefined && cors.length > 0) allowOrigin(request, response, origin)
    if (method === 'OPTIONS') return preflight(response)
    if (method === 'PUT' || method === 'DELETE') return refuse(response, 'method', 405)
    // An empty GET is what load balancers send to see whether anybody is there.
    if (method === 'GET' && request.url === '/' && headers['content-length'] === undefined) {
      response.writeHead(200, { 'Content-Length': 0 })
      response.end()
      return
    }
    if (!isJson(headers['content-type'])) return refuse(response, 'content-type', 415)
    if (method !== 'POST') return refuse(response, 'method', 405)
    readBody(request, bodyBytesMax, body => {
      if ('bytes' in body) {
        meter.refuse('body')
        response.setHeader('Connection', 'close')
        return sendText(response, 413, `content length too large (${body.bytes}>${bodyBytesMax})`)
      }
      const caller = client.bucket === undefined ? loopbackCaller : { bucket: client.bucket }
      const answer = dispatcher.answer(body.text, caller)
      if (!(answer instanceof Promise)) return send(response, answer)
      answer.then(
        done => send(response, done),
        error => {
          onBug(error)
          response.destroy()
        },
      )
    })
  }

  function refuse(response: ServerResponse, reason: 'method' | 'content-type', status: 405 | 415) {
    meter.refuse(reason)
    const text =
      status === 405
        ? 'method not allowed'
        : 'invalid content type, only application/json is supported'
    sendText(response, status, text)
  }

  /** Without these headers the browser keeps the answer from the page, and does not even send what needs a preflight. */
  function allowOrigin(request: IncomingMessage, response: ServerResponse, origin: string): void {
    response.setHeader('Vary', 'Origin')
    if (!isOriginAllowed(origin, cors)) {
      if (request.method === 'OPTIONS') meter.refuse('origin')
      return
    }
    response.setHeader('Access-Control-Allow-Origin', origin)
    if (request.method !== 'OPTIONS') return
    response.setHeader('Access-Control-Allow-Methods', 'POST, GET')
    response.setHeader('Access-Control-Allow-Headers', 'Content-Type')
    response.setHeader('Access-Control-Max-Age', '600')
  }

  function send(response: ServerResponse, { status, body }: Answer): void {
    if (body === undefined) {
      response.writeHead(200, { 'Content-Length': 0 })
      response.end()
      return
    }
    if (typeof body !== 'string') return void sendParts(response, body)
    if (status === 200) response.writeHead(200, jsonHeaders(body))
    else response.writeHead(status, [...jsonHeaders(body), 'Retry-After', '1'])
    response.end(body)
  }

  async function sendParts(response: ServerResponse, stream: JsonStream): Promise<void> {
    try {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      let part = ''
      for (const piece of stream.pieces) {
        part += piece
        if (part.length < partBytes) continue
        if (!response.write(part)) await drained(response)
        if (response.destroyed) return
        part = ''
      }
      response.end(part)
    } catch (error) {
      onBug(error)
      response.destroy()
    } finally {
      stream.end()
    }
  }

  return { handler }
}

const loopbackCaller = {}

function jsonHeaders(body: string): string[] {
  return ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body))]
}

function preflight(response: ServerResponse): void {
  response.writeHead(204)
  response.end()
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return type !== undefined && contentTypes.has(type)
}

/** The caller has read enough for more to be sent, or has gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
