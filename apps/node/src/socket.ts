import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Where the control socket of a folder is. Unix socket paths end at about 104 bytes: a longer one moves to the temporary directory, named by
 * the folder's hash.
 */
export function socketPath(folder: string, name: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}-${hash}`
  const path = join(folder, `${name}.sock`)
  return Buffer.byteLength(path) <= 100 ? path : join(tmpdir(), `${name}-${hash}.sock`)
}

/** What came back: a result or the error of JSON-RPC. */
export interface SocketAnswer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/** Calls one method over a control socket. Rejects when nobody listens there, and when no answer comes in `timeoutMs`. */
export async function askSocket(
  socket: string,
  method: string,
  params: readonly unknown[] = [],
  timeoutMs = 120_000,
): Promise<SocketAnswer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  return JSON.parse(await post(socket, body, timeoutMs)) as SocketAnswer
}

function post(socketPath: string, body: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path: '/',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
        response.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}
