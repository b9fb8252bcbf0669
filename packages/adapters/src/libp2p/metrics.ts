import {
  type Direction,
  type GateEvent,
  parseTopic,
  type Series,
  type Topic,
  type Verdict,
} from '@rockpool/protocol'

const RECIPIENT_BOUNDS = [0, 1, 2, 4, 8, 16, 32]
const HELD_BOUNDS_SECONDS = [2, 10, 60, 600, 3_600, 86_400]

type Histogram = {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum: number
}

/** What the network counts. Labels come from closed sets: topic kinds, reasons and outcomes, never ids, addresses or received text. */
export type NetworkMeter = ReturnType<typeof createMeter>

/** What is read at the moment of asking. */
export interface Gauges {
  readonly connections: Readonly<Record<Direction, number>>
}

export function createMeter() {
  const gates = new Map<string, number>()
  const dials = new Map<string, number>()
  const faults = new Map<string, number>()
  const verdicts = new Map<string, number>()
  const goodbyes = new Map<string, number>()
  const requests = new Map<string, number>()
  const recipients = histogram(RECIPIENT_BOUNDS)
  const held = histogram(HELD_BOUNDS_SECONDS)
  let framesDropped = 0
  let unheard = 0
  const drift = new Map<string, number>()
  let late = 0
  let threw = 0

  function read(gauges: Gauges): Series[] {
    return [
      gauge('connections', 'Open connections; two per peer when both sides dialled.', [
        { labels: { direction: 'in' }, value: gauges.connections.in },
        { labels: { direction: 'out' }, value: gauges.connections.out },
      ]),
      counted('gate_total', 'Decisions of the gate.', gates, ['hook', 'decision']),
      counted('dials_total', 'Dials ended.', dials, ['outcome']),
      counted('wire_faults_total', 'Faults found below messages.', faults, ['reason']),
      counted('router_verdicts_total', 'Verdicts given to the router.', verdicts, [
        'topic',
        'verdict',
      ]),
      counted('goodbye_total', 'Goodbyes said and heard.', goodbyes, ['code', 'way']),
      counted('requests_total', 'Request streams ended.', requests, ['way', 'outcome']),
      single('frames_dropped_total', 'Frames over the rate of one peer.', framesDropped),
      single('publish_unheard_total', 'Published messages that nobody got.', unheard),
      counted(
        'router_drift_total',
        'Peers the router and this node could not hear while connected, by what was done.',
        drift,
        ['act'],
      ),
      single('verdicts_late_total', 'Deliveries not judged in time, ignored.', late),
      single('verdicts_failed_total', 'Deliveries whose judgement failed, ignored.', threw),
      spread('publish_recipients', 'Peers a published message was sent to.', recipients),
      spread('connection_seconds', 'How long a peer stayed.', held),
    ]
  }

  return {
    gated: (hook: GateEvent['hook'], decision: 'allow' | 'deny') =>
      add(gates, `${hook} ${decision}`),
    dialled: (outcome: 'ok' | 'failed') => add(dials, outcome),
    fault: (reason: string) => add(faults, reason),
    judged: (label: string, verdict: Verdict) => add(verdicts, `${label} ${verdict}`),
    goodbye: (code: number, way: 'in' | 'out') => add(goodbyes, `${codeLabel(code)} ${way}`),
    request: (way: 'in' | 'out', outcome: 'ok' | 'failed' | 'refused') =>
      add(requests, `${way} ${outcome}`),
    published(count: number): void {
      if (count === 0) unheard++
      observe(recipients, count)
    },
    closed: (heldMs: number) => observe(held, heldMs / 1_000),
    frameDropped: () => void framesDropped++,
    drifted: (act: 'repair' | 'close') => add(drift, act),
    lateVerdict: () => void late++,
    failedVerdict: () => void threw++,
    read,
  }
}

/** `tx` for `/rockpool/31337/d1164378/tx/1`; `other` for what is no topic of ours. */
export function topicLabel(topic: Topic): string {
  return parseTopic(topic)?.kind ?? 'other'
}

const GOODBYES = new Set([1, 2, 3, 128, 129, 250, 251])

/** A stranger may send any code; unknown ones share a label. */
function codeLabel(code: number): string {
  return GOODBYES.has(code) ? String(code) : 'other'
}

const add = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1)

const histogram = (bounds: readonly number[]): Histogram => ({
  bounds,
  counts: new Array<number>(bounds.length + 1).fill(0),
  sum: 0,
})

function observe(into: Histogram, value: number): void {
  const found = into.bounds.findIndex(bound => value <= bound)
  const index = found < 0 ? into.bounds.length : found
  into.counts[index] = (into.counts[index] ?? 0) + 1
  into.sum += value
}

const named = (name: string): string => `rockpool_p2p_${name}`

const gauge = (
  name: string,
  help: string,
  samples: { labels: Record<string, string>; value: number }[],
): Series => ({ name: named(name), help, kind: 'gauge', samples })

const single = (name: string, help: string, value: number): Series => ({
  name: named(name),
  help,
  kind: 'counter',
  samples: [{ value }],
})

const counted = (
  name: string,
  help: string,
  counts: ReadonlyMap<string, number>,
  labels: readonly string[],
): Series => ({
  name: named(name),
  help,
  kind: 'counter',
  samples: [...counts].map(([key, value]) => {
    const values = key.split(' ')
    return {
      labels: Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])),
      value,
    }
  }),
})

const spread = (name: string, help: string, { bounds, counts, sum }: Histogram): Series => ({
  name: named(name),
  help,
  kind: 'histogram',
  samples: [{ bounds, counts: [...counts], sum }],
})
