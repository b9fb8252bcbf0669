import { request } from 'node:http'
import type { Paths } from './datadir.ts'
import { readVersion } from './datadir.ts'
import { exit, Refusal } from './exit.ts'

/** Calls one method of the running node over its control socket. Refuses with exit 3 when none is running. */
export async function callNode(
  paths: Paths,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const text = await post(paths.socket, body).catch((error: NodeJS.ErrnoException) => {
    throw notRunning(paths, error)
  })
  const answer = JSON.parse(text) as { result?: unknown; error?: { message: string } }
  if (answer.error) throw new Refusal(exit.no, answer.error.message)
  return answer.result
}

function notRunning(paths: Paths, error: NodeJS.ErrnoException): Refusal {
  const where = paths.root
  const unclean = error.code === 'ECONNREFUSED' || readVersion(paths)?.lastRun?.cleanStop === false
  const why = unclean ? '; the last run did not stop cleanly' : ''
  return new Refusal(
    exit.unreachable,
    `no node is running for ${where} (no control socket); start it with: rockpool run${why}`,
    { cause: error },
  )
}

function post(socketPath: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path: '/',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
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
