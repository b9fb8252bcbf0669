import type { Series } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createMeter, topicLabel } from './metrics.ts'

const nobody = { connections: { in: 0, out: 0 } }
const named = (all: readonly Series[], name: string): Series | undefined =>
  all.find(series => series.name === `rockpool_p2p_${name}`)

test('counters carry closed labels: an unknown goodbye code and a foreign topic share one', () => {
  const meter = createMeter()
  meter.goodbye(251, 'in')
  meter.goodbye(4_000_000, 'in')
  meter.goodbye(77, 'in')

  expect(named(meter.read(nobody), 'goodbye_total')?.samples).toEqual([
    { labels: { code: '251', way: 'in' }, value: 1 },
    { labels: { code: 'other', way: 'in' }, value: 2 },
  ])
  expect(topicLabel('/rockpool/1/d1164378/block/1')).toBe('block')
  expect(topicLabel('/evil')).toBe('other')
})

test('a publication that nobody got is counted apart', () => {
  const meter = createMeter()
  for (const recipients of [0, 3, 100]) meter.published(recipients)
  const all = meter.read(nobody)

  expect(named(all, 'publish_unheard_total')?.samples).toEqual([{ value: 1 }])
  expect(named(all, 'publish_recipients')?.samples).toEqual([
    { bounds: [0, 1, 2, 4, 8, 16, 32], counts: [1, 0, 0, 1, 0, 0, 0, 1], sum: 103 },
  ])
})

test('connections are counted by direction', () => {
  const all = createMeter().read({ connections: { in: 3, out: 1 } })

  const counts = named(all, 'connections')?.samples.map(sample => 'value' in sample && sample.value)
  expect(counts).toEqual([3, 1])
})
