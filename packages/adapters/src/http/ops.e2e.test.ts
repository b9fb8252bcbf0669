import type { HealthView } from '@rockpool/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { startOpsServer } from './index.ts'
import { send } from './test-http.ts'
import { createTestNode } from './test-node.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map(close => close()))
})

describe('the operator’s listener', () => {
  async function serveOps(view: Partial<HealthView> = {}) {
    const node = await createTestNode()
    const health = (): HealthView => ({
      ...{ state: 'ready', started: true, live: true, ready: true, version: '0.1.0', sinceMs: 1 },
      ...{ reasons: [], services: { rpc: true, p2p: false } },
      ...view,
    })
    const server = await startOpsServer({
      ...{ ip: '127.0.0.1', port: 0, vhosts: ['localhost'], health },
      ...{ series: () => node.rpc.series(), onBug: () => undefined },
    })
    closing.push(() => server.close())
    return server
  }

  test('answers probes from memory, uncached, to GET and HEAD', async () => {
    const server = await serveOps()
    const get = (path: string, method = 'GET') => send(server, { method, path })

    expect(await get('/readyz')).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
    })
    expect(await get('/readyz/rpc')).toMatchObject({ status: 200 })
    expect(await get('/readyz/p2p')).toMatchObject({ status: 503 })
    expect(await get('/readyz/none')).toMatchObject({ status: 404 })
    expect(await get('/livez', 'HEAD')).toMatchObject({ status: 200, text: '' })
    expect(await get('/startedz?x=1')).toMatchObject({ status: 200 })
    expect(await get('/')).toMatchObject({ status: 404 })
    expect(await get('/readyz', 'DELETE')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  })

  test('serves metrics in Prometheus’ format', async () => {
    const server = await serveOps()

    const { headers, text } = await send(server, { method: 'GET', path: '/metrics' })

    expect(headers['content-type']).toContain('text/plain; version=0.0.4')
    expect(text).toContain('# HELP rockpool_rpc_connections')
    expect(text).toContain('process_resident_memory_bytes')
  })

  test('checks the host like every listener', async () => {
    const server = await serveOps()

    expect(
      await send(server, { method: 'GET', path: '/metrics', headers: { host: 'evil.example' } }),
    ).toMatchObject({ status: 403, text: 'host "evil.example" is not allowed; see ops.vhosts\n' })
  })
})
