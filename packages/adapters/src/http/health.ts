import type { HealthView } from '@rockpool/protocol'

/** What probes and operators read. Field names are an interface: monitors match on them. */
export function healthBody({ ready, state, version, sinceMs, reasons, services }: HealthView) {
  return {
    ready,
    state,
    version,
    since: sinceMs,
    reasons: reasons.map(({ code, sinceMs, services, text }) => ({
      ...{ code, since: sinceMs, services, text },
    })),
    services,
  }
}

export interface ProbeAnswer {
  readonly status: 200 | 404 | 503
  readonly body: string
}

/**
 * The answer to a probe: `/livez`, `/readyz`, `/startedz`, and `/readyz/<service>` for one service alone, so that a tower stays in rotation
 * while the chain source is lost. Undefined for any other path.
 */
export function probe(path: string, view: HealthView): ProbeAnswer | undefined {
  const passed = passes(path, view)
  if (passed === undefined) return undefined
  if (passed === 'unknown-service')
    return { status: 404, body: JSON.stringify({ error: 'no such service' }) }
  return { status: passed ? 200 : 503, body: JSON.stringify(healthBody(view)) }
}

function passes(path: string, view: HealthView): boolean | 'unknown-service' | undefined {
  const draining = view.state === 'draining'
  if (path === '/livez') return view.live
  if (path === '/startedz') return view.started
  if (path === '/readyz') return view.ready && !draining
  if (!path.startsWith('/readyz/')) return undefined
  const service = path.slice('/readyz/'.length)
  if (!Object.hasOwn(view.services, service)) return 'unknown-service'
  return view.services[service as keyof HealthView['services']] && !draining
}
