import type { HealthReason, HealthView } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { probe } from './health.ts'
import { createExporter, seriesText } from './metrics.ts'
import { createRpcMeter } from './rpc-meter.ts'

function aView(fields: Partial<HealthView> = {}): HealthView {
  return {
    ...{ state: 'ready', started: true, live: true, ready: true, version: '0.1.0', sinceMs: 1_000 },
    ...{ reasons: [], services: { rpc: true, p2p: true } },
    ...fields,
  }
}

describe('a probe', () => {
  test('passes while its own question has a good answer', () => {
    for (const path of ['/livez', '/readyz', '/startedz', '/readyz/rpc'])
      expect(probe(path, aView())?.status).toBe(200)
    expect(probe('/livez', aView({ live: false }))?.status).toBe(503)
    expect(probe('/startedz', aView({ started: false }))?.status).toBe(503)
    expect(probe('/readyz', aView({ ready: false }))?.status).toBe(503)
    expect(probe('/livez', aView({ ready: false, started: false }))?.status).toBe(200)
  })

  test('of a service looks at that service alone', () => {
    const view = aView({ ready: false, state: 'degraded', services: { rpc: false, p2p: true } })

    expect(probe('/readyz/rpc', view)?.status).toBe(503)
    expect(probe('/readyz/p2p', view)?.status).toBe(200)
    expect(probe('/readyz/nothing', view)?.status).toBe(404)
    expect(probe('/readyz/constructor', view)?.status).toBe(404)
  })

  test('is never ready while draining', () => {
    const view = aView({ state: 'draining' })

    expect(probe('/readyz', view)?.status).toBe(503)
    expect(probe('/readyz/rpc', view)?.status).toBe(503)
    expect(probe('/livez', view)?.status).toBe(200)
  })

  test('carries the whole body', () => {
    const reason: HealthReason = {
      code: 'no-peers',
      sinceMs: 900,
      services: ['p2p'],
      text: '0 peers for 30 s',
    }
    const view = aView({ ready: false, state: 'degraded', reasons: [reason] })

    expect(JSON.parse(probe('/readyz', view)?.body ?? '')).toEqual({
      ...{ ready: false, state: 'degraded', version: '0.1.0', since: 1_000 },
      reasons: [{ code: 'no-peers', since: 900, services: ['p2p'], text: '0 peers for 30 s' }],
      services: { rpc: true, p2p: true },
    })
  })

  test('elsewhere is nothing', () => {
    expect(probe('/', aView())).toBeUndefined()
    expect(probe('/readyzz', aView())).toBeUndefined()
  })
})

describe('metrics', () => {
  test('say what they are, and escape what they quote', () => {
    const text = seriesText({
      ...{ name: 'rockpool_x_total', help: 'Two\nlines.', kind: 'counter' },
      samples: [{ labels: { reason: 'a"b\\c\nd' }, value: 3 }, { value: 0.5 }],
    })

    expect(text).toBe(
      '# HELP rockpool_x_total Two\\nlines.\n# TYPE rockpool_x_total counter\n' +
        'rockpool_x_total{reason="a\\"b\\\\c\\nd"} 3\nrockpool_x_total 0.5\n\n',
    )
  })

  test('of a histogram add up', () => {
    const text = seriesText({
      ...{ name: 'rockpool_x_seconds', help: 'Time.', kind: 'histogram' },
      samples: [{ bounds: [0.5, 1], counts: [1, 0, 2], sum: 9 }],
    })

    expect(text.split('\n').slice(2, 7)).toEqual([
      'rockpool_x_seconds_bucket{le="0.5"} 1',
      'rockpool_x_seconds_bucket{le="1"} 1',
      'rockpool_x_seconds_bucket{le="+Inf"} 3',
      'rockpool_x_seconds_sum 9',
      'rockpool_x_seconds_count 3',
    ])
  })

  test('of one node stand beside those of the process, each with HELP and TYPE', async () => {
    const meter = createRpcMeter()
    meter.count('eth_call', 'ok', 3)
    const exporter = createExporter(() => meter.series())

    const text = await exporter.text()

    exporter.stop()
    expect(text).toContain('rockpool_rpc_requests_total{method="eth_call",outcome="ok"} 1')
    expect(text).toMatch(/^process_cpu_seconds_total /m)
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m)
    const announced = new Set([...text.matchAll(/^# HELP (\S+) ./gm)].map(([, name]) => name))
    for (const [, name = ''] of text.matchAll(/^([a-z_]+)(?:\{| )/gm))
      expect(announced).toContain(
        announced.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
      )
  })

  test('count a call in the bucket of its time', () => {
    const meter = createRpcMeter()
    for (const ms of [0.125, 0.126, 8_192, 8_193, 100_000]) meter.count('eth_call', 'ok', ms)

    const seconds = meter.series().find(({ name }) => name === 'rockpool_rpc_seconds')

    expect(seconds?.samples[0]).toMatchObject({
      counts: [1, 1, ...Array<number>(14).fill(0), 1, 2],
    })
  })
})
