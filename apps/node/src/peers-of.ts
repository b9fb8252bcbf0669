import type { Node } from '@rockpool/node'
import {
  type Answer,
  type Ban,
  CodedError,
  type DryReport,
  errors,
  type Failure,
  type ImportReport,
  isPeerId,
  limits,
  type MonitorMessage,
  type MonitorStats,
  type NetworkPort,
  type PeerId,
  type PeerList,
  type PeerRow,
  type PeerWhy,
  parseSubject,
  type Reply,
  type Subject,
} from '@rockpool/protocol'

const askMs = 10_000
/** Fewer characters of an id are no name. */
const suffixMin = 6
const nanosPerMs = 1_000_000
/** Of ASCII, so that it fits whatever it is. */
const reasonMax = 32

/** A ban as operators see it. Times are epoch ms; `until` null has no end. */
export interface BanReport {
  readonly subject: Subject
  readonly from: number
  readonly until: number | null
  readonly reason: string
  readonly evidence: readonly string[]
  readonly count: number
  readonly by: Ban['by']
  readonly note?: string
}

export interface PeerReport extends Omit<PeerRow, 'ban'> {
  readonly ban: BanReport | null
}

/** What `peers_list` answers. */
export interface PeersReport {
  readonly peers: readonly PeerReport[]
  readonly bans: readonly BanReport[]
}

/** What `peers_why` answers: the shape of every why, and the sum the score consists of. */
export interface WhyReport {
  readonly subject: string
  readonly state: PeerWhy['state']
  readonly reason: string
  readonly why: string
  readonly since?: number
  readonly until?: number
  readonly unblock: readonly { readonly do: string; readonly until?: number }[]
  readonly story: readonly {
    readonly at: number
    readonly event: string
    readonly reason: string
    readonly fields: Readonly<Record<string, string | number | boolean>>
  }[]
  /** These add up to the total. */
  readonly lines: PeerWhy['lines']
  readonly charges: Readonly<Record<string, number>>
  readonly score: PeerWhy['score'] & { readonly threshold: number }
  readonly static: boolean
  readonly protected: boolean
}

/** A peer in the terms of op-node's p2p API, which dashboards know. Times in ns where it has them so. */
export interface PeerInfo {
  readonly peerID: PeerId
  readonly userAgent: string
  readonly addresses: readonly string[]
  readonly protocols: readonly string[]
  readonly connectedness: 0 | 1
  readonly direction: 0 | 1 | 2
  readonly protected: boolean
  readonly static: boolean
  readonly quarantined: boolean
  readonly latency: number
  readonly ban: BanReport | null
  readonly scores: {
    readonly total: number
    readonly own: number
    readonly credit: number
    readonly debit: number
    readonly gossip: { readonly total: number; readonly contribution: number }
  }
}

/** The monitor's answers for an operator, and what an operator may tell it. `wall` is the node's own. */
export function peersOf(
  node: Pick<Node, 'bus' | 'refs'> & { readonly network: NetworkPort },
  wall: () => number,
  topics: readonly string[] = [],
) {
  async function ask<R>(make: (reply: Reply<R>) => MonitorMessage): Promise<R> {
    const outcome = await node.bus.ask<MonitorMessage, R>(node.refs.monitor, make, askMs)
    if (!outcome.ok) throw new Error('the monitor did not answer')
    return outcome.value
  }

  const heard = () => ask<PeerList>(reply => ({ type: 'monitor.list', reply }))

  async function list(): Promise<PeersReport> {
    const { peers, bans } = await heard()
    return {
      peers: peers.map(({ ban, ...row }) => ({ ...row, ban: ban ? banReport(ban) : null })),
      bans: bans.map(banReport),
    }
  }

  /** The subject of a text: a whole one, or the end of an id that is known here. */
  async function subjectOf(text: unknown): Promise<Subject> {
    if (typeof text !== 'string' || text === '') throw refusal({ code: 'p2p/bad-subject' })
    const whole = parseSubject(text)
    if (whole.ok) return whole.value
    const { peers, bans } = await heard()
    const banned = bans.flatMap(({ subject }) => (subject.kind === 'peer' ? [subject.value] : []))
    const known = new Set([...peers.map(({ id }) => id), ...banned])
    const found = text.length < suffixMin ? [] : [...known].filter(id => id.endsWith(text))
    const [value] = found
    if (value === undefined) throw refusal(whole)
    if (found.length > 1) {
      throw refusal({ code: 'p2p/bad-subject', message: `${text} may be ${found.join(' or ')}` })
    }
    return { kind: 'peer', value }
  }

  async function peerOf(text: unknown): Promise<PeerId> {
    const { kind, value } = await subjectOf(text)
    if (kind !== 'peer') throw refusal({ code: 'p2p/unknown-peer', message: `${value} is no peer` })
    return value
  }

  async function why(text: unknown, sinceMs: unknown): Promise<WhyReport> {
    const peer = await peerOf(text)
    const from = typeof sinceMs === 'number' ? wall() - sinceMs : 0
    return whyReport(
      await ask<PeerWhy>(reply => ({ type: 'monitor.why', peer, sinceMs: from, reply })),
    )
  }

  async function ban(text: unknown, wish: unknown): Promise<BanReport> {
    const { seconds, reason } = (wish ?? {}) as { seconds?: unknown; reason?: unknown }
    if (seconds !== undefined && (typeof seconds !== 'number' || !Number.isFinite(seconds))) {
      throw refusal({ code: 'p2p/until-in-past', message: 'seconds is no number' })
    }
    if (reason !== undefined && (typeof reason !== 'string' || isLong(reason))) {
      throw new Error(`reason is no text of at most ${limits.banNoteBytesMax} bytes`)
    }
    const subject = await subjectOf(text)
    const untilMs = seconds === undefined ? null : wall() + seconds * 1_000
    const note = typeof reason === 'string' && reason !== '' ? { note: reason } : {}
    return banReport(
      must(
        await ask<Answer<Ban>>(reply => ({
          type: 'monitor.ban',
          ...{ subject, untilMs, reply },
          ...note,
        })),
      ),
    )
  }

  async function unban(text: unknown, wish: unknown): Promise<null> {
    const forget = (wish as { forget?: unknown } | undefined)?.forget === true
    const subject = await subjectOf(text)
    must(
      await ask<Answer<void>>(reply => ({ type: 'monitor.unban', ...{ subject, forget, reply } })),
    )
    return null
  }

  async function protect(text: unknown, on: boolean): Promise<null> {
    const peer = await peerOf(text)
    must(await ask<Answer<void>>(reply => ({ type: 'monitor.protect', ...{ peer, on, reply } })))
    return null
  }

  async function show(text: unknown): Promise<PeerInfo> {
    const id = await peerOf(text)
    const row = (await heard()).peers.find(peer => peer.id === id)
    if (row === undefined) throw refusal({ code: 'p2p/unknown-peer' })
    return infoOf(row)
  }

  function infoOf(row: PeerRow): PeerInfo {
    const view = node.network.peers().find(({ id }) => id === row.id)
    const { score, direction, ip } = row
    return {
      peerID: row.id,
      userAgent: row.agent ?? '',
      addresses:
        ip === undefined ? [] : [`/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/p2p/${row.id}`],
      protocols: view?.protocols ?? [],
      connectedness: row.connected ? 1 : 0,
      direction: direction === undefined ? 0 : direction === 'in' ? 1 : 2,
      ...{ protected: row.isProtected, static: row.isStatic },
      quarantined: row.state === 'quarantined',
      latency: (row.rttMs ?? 0) * nanosPerMs,
      ban: row.ban ? banReport(row.ban) : null,
      scores: {
        ...{ total: score.total, own: score.debit + score.credit },
        ...{ credit: score.credit, debit: score.debit },
        gossip: { total: score.router ?? 0, contribution: score.gossip },
      },
    }
  }

  /** This node as others see it. */
  function self() {
    const { network } = node
    return {
      ...{ peerID: network.self, addresses: network.addresses(), protocols: [] },
      ...{ connectedness: 0, direction: 0, protected: false, static: false },
    }
  }

  /** op-node's shape: peers by id, and who is kept out, also for a time. */
  async function byId(connected = true) {
    const { peers, bans } = await heard()
    const shown = peers.filter(peer => peer.connected || !connected)
    const of = (kind: Subject['kind']) =>
      bans.flatMap(({ subject }) => (subject.kind === kind ? [subject.value] : []))
    return {
      totalConnected: peers.filter(peer => peer.connected).length,
      peers: Object.fromEntries(shown.map(row => [row.id, infoOf(row)])),
      ...{ bannedPeers: of('peer'), bannedIPS: of('ip'), bannedSubnets: of('subnet') },
    }
  }

  async function stats() {
    const { peers, bans } = await heard()
    const connected = peers.filter(peer => peer.connected)
    const by = (test: (row: PeerRow) => boolean) => connected.filter(test).length
    return {
      connected: connected.length,
      inbound: by(({ direction }) => direction === 'in'),
      outbound: by(({ direction }) => direction === 'out'),
      static: by(({ isStatic }) => isStatic),
      quarantined: by(({ state }) => state === 'quarantined'),
      banned: bans.length,
      known: peers.length,
      mesh: mesh(),
    }
  }

  const mesh = () => Object.fromEntries(topics.map(topic => [topic, node.network.meshSize(topic)]))

  /** How gossip and the monitor are. */
  async function gossip() {
    const judged = await ask<MonitorStats>(reply => ({ type: 'monitor.getStats', reply }))
    const { counts, suspect, withheld, states } = judged
    return {
      mesh: mesh(),
      guard: suspect ?? 'trusted',
      banBudgetLeft: counts.get('budgetLeft') ?? 0,
      withheld: Object.fromEntries(withheld),
      states: Object.fromEntries(states),
      groups: counts.get('groups') ?? 0,
    }
  }

  async function bans(): Promise<readonly BanReport[]> {
    return (await heard()).bans.map(banReport)
  }

  async function add(text: unknown): Promise<true> {
    const { addr, peer } = addressed(text)
    must(await ask<Answer<void>>(reply => ({ type: 'monitor.pin', ...{ peer, addr, reply } })))
    return true
  }

  async function remove(text: unknown): Promise<true> {
    const peer = await peerOf(
      typeof text === 'string' ? text.slice(text.lastIndexOf('/') + 1) : text,
    )
    must(
      await ask<Answer<void>>(reply => ({ type: 'monitor.pin', ...{ peer, addr: null, reply } })),
    )
    return true
  }

  async function connect(text: unknown): Promise<null> {
    const { addr } = addressed(text)
    const outcome = await node.bus.ask<MonitorMessage, Answer<PeerId>>(
      node.refs.monitor,
      reply => ({ type: 'monitor.connect', addr, reply }),
      limits.operatorDialMs + askMs,
    )
    if (!outcome.ok) throw new Error('the monitor did not answer')
    must(outcome.value)
    return null
  }

  /** Says that it is this node that goes; forgets and unblocks nothing. */
  async function disconnect(text: unknown): Promise<null> {
    const peer = await peerOf(text)
    const bye = { type: 'monitor.disconnect', peer, code: 1 } as const
    must(await ask<Answer<void>>(reply => ({ ...bye, reply })))
    return null
  }

  async function exported(): Promise<readonly Ban[]> {
    return ask<readonly Ban[]>(reply => ({ type: 'monitor.export', reply }))
  }

  async function imported(records: unknown) {
    const book = bansIn(records)
    return must(
      await ask<Answer<ImportReport>>(reply => ({ type: 'monitor.import', bans: book, reply })),
    )
  }

  async function dryRun(given: unknown, wish: unknown) {
    const { threshold = -100, banMs = 3_600_000, points = {} } = (given ?? {}) as DryGiven
    if (![threshold, banMs, ...Object.values(points)].every(Number.isFinite)) {
      throw new Error('threshold, banMs and points are numbers')
    }
    const { sinceMs } = (wish ?? {}) as { sinceMs?: unknown }
    const from = typeof sinceMs === 'number' ? wall() - sinceMs : 0
    const rules = { threshold, banMs, points: new Map(Object.entries(points)) }
    return ask<DryReport>(reply => ({ type: 'monitor.dryRun', rules, sinceMs: from, reply }))
  }

  return {
    ...{ list, why, ban, unban, protect, show, self, byId, stats, gossip, bans },
    ...{ add, remove, connect, disconnect, exported, imported, dryRun },
  }
}

interface DryGiven {
  readonly threshold?: number
  readonly banMs?: number
  readonly points?: Readonly<Record<string, number>>
}

function addressed(text: unknown): { addr: string; peer: PeerId } {
  const addr = typeof text === 'string' ? text : ''
  const peer = addr.slice(addr.lastIndexOf('/') + 1)
  if (addr.startsWith('/') && isPeerId(peer)) return { addr, peer }
  throw refusal({ code: 'p2p/bad-multiaddr', message: String(text) })
}

/** Records of an export, each looked at: a file may come from anywhere. */
function bansIn(records: unknown): readonly Ban[] {
  if (!Array.isArray(records) || records.length > limits.importedBansMax) {
    throw new Error(`records are a list of at most ${limits.importedBansMax} bans`)
  }
  return records.map((record: Partial<Ban>) => {
    const { subject, fromMs, untilMs, reason, evidence, note } = record
    const named = parseSubject(String(subject?.value))
    if (!named.ok || named.value.kind !== subject?.kind) throw refusal({ code: 'p2p/bad-subject' })
    const isEnd = untilMs === null || Number.isSafeInteger(untilMs)
    const isSound = typeof reason === 'string' && Number.isSafeInteger(fromMs) && isEnd
    if (!isSound) throw new Error('a ban has fromMs, untilMs and reason')
    const by = record.by === 'monitor' || record.by === 'urgent' ? record.by : 'operator'
    return {
      ...{ subject: named.value, fromMs: fromMs ?? 0, untilMs: untilMs ?? null, by },
      reason: reason.slice(0, reasonMax),
      evidence: (Array.isArray(evidence) ? evidence : [])
        .slice(0, limits.banEvidenceMax)
        .map(id => String(id).slice(0, reasonMax)),
      ...{ count: 0, earlier: [] },
      ...(typeof note === 'string' && !isLong(note) && { note }),
    }
  })
}

const isLong = (text: string): boolean => Buffer.byteLength(text) > limits.banNoteBytesMax

function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw refusal(answer)
  return answer.value
}

/** The code, what it means and what to do about it, in one line. */
function refusal({ code, message }: Pick<Failure, 'code'> & { message?: string }): CodedError {
  const { text, remedy } = errors[code]
  const detail = message === undefined || message === text ? text : message
  const says = detail.startsWith(code) ? detail : `${code}: ${detail}`
  return new CodedError(code, `${says}; ${remedy}`)
}

function banReport(ban: Ban): BanReport {
  const { subject, fromMs, untilMs, reason, evidence, count, by, note } = ban
  return {
    ...{ subject, from: fromMs, until: untilMs, reason, evidence, count, by },
    ...(note !== undefined && { note }),
  }
}

function whyReport(found: PeerWhy): WhyReport {
  const { id, state, reason, why, sinceMs, untilMs, unblock, story, score, threshold } = found
  return {
    ...{ subject: `peer ${id}`, state, reason, why },
    ...(sinceMs !== undefined && { since: sinceMs }),
    ...(untilMs !== undefined && { until: untilMs }),
    unblock: unblock.map(({ do: act, untilMs: until }) => ({
      do: act,
      ...(until !== undefined && { until }),
    })),
    story: story.map(({ atMs, event, reason: of, delta, detail, evidence, suspended }) => ({
      ...{ at: atMs, event, reason: of },
      fields: {
        ...(delta !== 0 && { delta }),
        ...(detail !== undefined && { detail }),
        ...(evidence !== undefined && { evidence }),
        ...(suspended && { suspended }),
      },
    })),
    lines: found.lines,
    charges: Object.fromEntries(found.charges),
    score: { ...score, threshold },
    static: found.isStatic,
    protected: found.isProtected,
  }
}
