import { limits, type Series } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createLibraryMetrics } from './library-metrics.ts'
import { createMessageIds } from './message-id.ts'
import { routerOptions } from './options.ts'
import { control, join, startedRouter, topic } from './router-lab.ts'

const valueOf = (series: readonly Series[], name: string): unknown[] =>
  series
    .filter(each => each.name === name)
    .flatMap(({ samples }) => samples.map(sample => ('value' in sample ? sample.value : sample)))

test('the router counts what it reads, under our names of topics', async () => {
  const library = createLibraryMetrics()
  const { router } = await startedRouter(
    routerOptions({ profile: 'devnet', topics: [topic] }, createMessageIds(), library),
  )
  const { send } = join(router)
  await send({ messages: [{ topic, data: Uint8Array.of(1) }] }, control({}))

  const series = library.read()
  expect(valueOf(series, 'gossipsub_rpc_recv_count_total')).toEqual([2])
  const received = series.find(({ name }) => name === 'gossipsub_msg_received_prevalidation_total')
  expect(received?.samples).toEqual([{ labels: { topic: 'tx' }, value: 1 }])
  expect(valueOf(series, 'gossipsub_cache_size').length).toBeGreaterThan(10)
  expect(series.filter(({ name }) => name.startsWith('gossipsub_')).length).toBeGreaterThan(20)
  expect(JSON.stringify(series)).not.toContain('12D3Koo')
})

test('metrics of libp2p are asked when they are read, those that wait one read later', async () => {
  const { metrics, read } = createLibraryMetrics()
  let open = 1
  metrics.registerMetricGroup('libp2p_connections', {
    label: 'direction',
    calculate: (): Record<string, number> => ({ in: open }),
  })
  metrics.registerMetric('libp2p_slow', { calculate: async () => 7 })
  metrics.registerCounterGroup('libp2p_errors').increment({ timeout: true, reset: 2 })

  expect(valueOf(read(), 'libp2p_connections')).toEqual([1])
  open = 2
  await new Promise(setImmediate)
  const series = read()

  expect(valueOf(series, 'libp2p_connections')).toEqual([2])
  expect(valueOf(series, 'libp2p_slow')).toEqual([7])
  expect(series.find(({ name }) => name === 'libp2p_errors')?.samples).toEqual([
    { labels: { errors: 'timeout' }, value: 1 },
    { labels: { errors: 'reset' }, value: 2 },
  ])
})

test('labels that a peer could choose do not grow without end', () => {
  const { register, read } = createLibraryMetrics()
  const gauge = register.gauge<{ topic: string }>({ name: 'many', help: '', labelNames: ['topic'] })
  for (let index = 0; index < 2 * limits.librarySamplesMax; index++) {
    gauge.inc({ topic: `/t/${index}` }, 1)
  }

  expect(read()[0]?.samples).toHaveLength(limits.librarySamplesMax)
})

test('a histogram counts by bounds, and an average knows its least and most', () => {
  const { register, read } = createLibraryMetrics()
  const seconds = register.histogram({ name: 'seconds', help: '', buckets: [1, 2] })
  for (const value of [0.5, 2, 9]) seconds.observe(value)
  register.avgMinMax({ name: 'score', help: '' }).set([1, 2, 6])

  const [spread, avg, min, max] = read()
  expect(spread?.samples).toEqual([{ labels: {}, bounds: [1, 2], counts: [1, 1, 1], sum: 11.5 }])
  expect([avg, min, max].map(series => series?.samples[0])).toEqual([
    { labels: {}, value: 3 },
    { labels: {}, value: 1 },
    { labels: {}, value: 6 },
  ])
})
