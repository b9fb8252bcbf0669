import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CodedError } from '@rockpool/protocol'

/** A method of the control socket: whoever owns the data directory may call it. */
export type ControlMethod = (params: readonly unknown[]) => unknown

/** Everything the table lacks goes to the node's public methods. */
export interface ControlOptions {
  readonly socket: string
  readonly methods: ReadonlyMap<string, ControlMethod>
  forward(body: string): Promise<string>
}

const bodyBytesMax = 1_048_576

/** Serves JSON-RPC on a socket file that only its owner can open. A file left by a crash is replaced: the database lock was taken first. */
export async function startControl({
  socket,
  methods,
  forward,
}: ControlOptions): Promise<{ close(): Promise<void> }> {
  if (process.platform !== 'win32') rmSync(socket, { force: true })
  const server = createServer((request, response) => {
    void answer(request, response, methods, forward)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  if (process.platform !== 'win32') chmodSync(socket, 0o600)
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  methods: ControlOptions['methods'],
  forward: ControlOptions['forward'],
): Promise<void> {
  const body = await readBody(request)
  const reply =
    body === undefined
      ? errorText(null, -32_600, 'request too large')
      : await dispatch(body, methods, forward)
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
  response.end(reply)
}

async function dispatch(
  body: string,
  methods: ControlOptions['methods'],
  forward: ControlOptions['forward'],
): Promise<string> {
  let call: { id?: unknown; method?: unknown; params?: unknown }
  try {
    call = JSON.parse(body) as typeof call
  } catch {
    return errorText(null, -32_700, 'parse error')
  }
  const method = typeof call.method === 'string' ? methods.get(call.method) : undefined
  if (method === undefined) return forward(body)
  try {
    const result = await method(Array.isArray(call.params) ? call.params : [])
    return JSON.stringify({ jsonrpc: '2.0', id: call.id ?? null, result: result ?? null })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const data = error instanceof CodedError ? { reason: error.code } : undefined
    return errorText(call.id ?? null, -32_000, message, data)
  }
}

function errorText(
  id: unknown,
  code: number,
  message: string,
  data?: { readonly reason: string },
): string {
  const error = { code, message, ...(data && { data }) }
  return JSON.stringify({ jsonrpc: '2.0', id, error })
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
