import { request } from 'node:http'
import type { Listening } from './server.ts'

export interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

/** One request on a connection of its own, with any method and headers, bad ones too. */
export function send(
  { port }: Listening,
  { method = 'POST', path = '/', headers = {}, body = '' } = {} as {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string | Buffer
  },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const defaults = method === 'POST' ? { 'content-type': 'application/json' } : {}
    const outgoing = request(
      { port, host: '127.0.0.1', method, path, headers: { ...defaults, ...headers }, agent: false },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
