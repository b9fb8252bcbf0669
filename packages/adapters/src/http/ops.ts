import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthView, Series } from '@rockpool/protocol'
import { probe } from './health.ts'
import { createExporter } from './metrics.ts'
import { type Listening, sendText, startHttp } from './server.ts'

export interface OpsOptions {
  readonly ip: string
  readonly port: number
  readonly vhosts: readonly string[]
  readonly health: () => HealthView
  /** Every series of the node, read at each scrape. */
  readonly series: () => readonly Series[]
  readonly onBug: (error: unknown) => void
}

/** The operator's listener: probes answered from memory, and metrics. Read-only, so it needs no token. */
export async function startOpsServer(options: OpsOptions): Promise<Listening> {
  const { ip, port, vhosts, health, series, onBug } = options
  const exporter = createExporter(series)

  function handler(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      return sendText(response, 405, 'method not allowed')
    }
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path === '/metrics') return sendMetrics(response)
    const answer = probe(path, health())
    if (answer === undefined) return sendText(response, 404, 'not found')
    response.writeHead(answer.status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(answer.body),
      'Cache-Control': 'no-store',
    })
    response.end(answer.body)
  }

  function sendMetrics(response: ServerResponse): void {
    exporter.text().then(
      text => {
        response.writeHead(200, {
          'Content-Type': exporter.contentType,
          'Content-Length': Buffer.byteLength(text),
          'Cache-Control': 'no-store',
        })
        response.end(text)
      },
      error => {
        onBug(error)
        sendText(response, 500, 'metrics are not available; the log says why')
      },
    )
  }

  return startHttp({ name: 'ops', ip, port, vhosts, handler, closing: () => exporter.stop() })
}
