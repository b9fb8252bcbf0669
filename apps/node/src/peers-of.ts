import type { Node } from '@rockpool/node'
import {
  type Answer,
  type Ban,
  CodedError,
  errors,
  type Failure,
  limits,
  type MonitorMessage,
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
    readonly fields: Readonly<Record<string, string | number>>
  }[]
  readonly score: PeerWhy['score'] & { readonly threshold: number }
  readonly static: boolean
  readonly protected: boolean
}

/** The monitor's answers for an operator, and what an operator may tell it. `wall` is the node's own. */
export function peersOf(node: Node, wall: () => number) {
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

  return { list, why, ban, unban, protect }
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
    story: story.map(({ atMs, event, reason: of, delta, detail, evidence }) => ({
      ...{ at: atMs, event, reason: of },
      fields: {
        ...(delta !== 0 && { delta }),
        ...(detail !== undefined && { detail }),
        ...(evidence !== undefined && { evidence }),
      },
    })),
    score: { ...score, threshold },
    static: found.isStatic,
    protected: found.isProtected,
  }
}
