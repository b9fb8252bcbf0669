import type { Labels, Series } from '@rockpool/protocol'
import { collectDefaultMetrics, Registry } from 'prom-client'

export interface Exporter {
  /** The whole exposition in Prometheus' text format. */
  text(): Promise<string>
  readonly contentType: string
  stop(): void
}

/**
 * Metrics of one node: its own series as plain numbers, read only now, and the usual ones of the process. The registry is private: several
 * nodes of one process would collide in prom-client's global one.
 */
export function createExporter(series: () => readonly Series[]): Exporter {
  const registry = new Registry()
  // The default looks at the event loop every 10 ms, which wakes an idle process a hundred times a second and is most of what it costs.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  return {
    text: async () => `${series().map(seriesText).join('')}${await registry.metrics()}`,
    contentType: registry.contentType,
    stop: () => registry.clear(),
  }
}

/** One series in Prometheus' text format, HELP and TYPE first; without samples it is still announced. */
export function seriesText(series: Series): string {
  const { name, help, kind } = series
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`
  if (series.kind !== 'histogram') {
    for (const { labels, value } of series.samples)
      text += `${name}${labelText(labels)} ${numberText(value)}\n`
    return `${text}\n`
  }
  for (const { labels, bounds, counts, sum } of series.samples) {
    let total = 0
    for (const [index, count] of counts.entries()) {
      total += count
      const bound = bounds[index]
      const le = bound === undefined ? '+Inf' : numberText(bound)
      text += `${name}_bucket${labelText({ ...labels, le })} ${total}\n`
    }
    text += `${name}_sum${labelText(labels)} ${numberText(sum)}\n`
    text += `${name}_count${labelText(labels)} ${total}\n`
  }
  return `${text}\n`
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
