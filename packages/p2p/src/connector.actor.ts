import { type ActorRef, type Behavior, type Outcome, unreachable } from '@rockpool/actor'
import {
  type Addr,
  type ConnectorMessage,
  type ConnectorServe,
  type Goodbye,
  limits,
  type MonitorReport,
  type NetworkPort,
  type PeerClosed,
  type PeerId,
  type PeerView,
  type Store,
} from '@rockpool/protocol'
import { addressBookRange, type Candidate, createAddressBook } from './address-book.ts'
import type { ConnectionPolicy } from './connection-policy.ts'
import { coolDownMs, refusalMs } from './cool-down.ts'
import { createCounts } from './counts.ts'
import { ipGroup } from './ip-group.ts'
import { createLately } from './lately.ts'
import { createLives } from './lives.ts'
import { createNaming, meantAddrs } from './naming.ts'
import { ipOf, privateRange } from './private-range.ts'
import { type Held, suspectBelow, toPrune } from './pruning.ts'
import type { ChargeReason } from './reasons.ts'

/** How peers stand, from memory. */
export interface PeerStanding {
  readonly total: (id: PeerId) => number
  /** Static or protected. */
  readonly isExempt: (id: PeerId) => boolean
  readonly isBanned: (id: PeerId) => boolean
  /** Nothing it says is listened to. */
  readonly isShut: (id: PeerId) => boolean
}

export interface ConnectorParts {
  readonly self: PeerId
  readonly network: Pick<NetworkPort, 'dial' | 'disconnect' | 'request' | 'records'>
  /** Name of the peer exchange protocol, and what the names of all protocols of this network begin with. */
  readonly protocol: string
  readonly prefix: string
  readonly policy: ConnectionPolicy
  readonly standing: PeerStanding
  readonly monitor: Pick<ActorRef<MonitorReport>, 'tell'>
  readonly bootnodes: ReadonlySet<PeerId>
  /** Absent: whom to dial is forgotten with the process. */
  readonly store?: Store
}

interface Connected {
  readonly view: PeerView
  readonly sinceMs: number
}

/** Outcomes of what was piped, and timers. */
type ToSelf =
  | { type: 'connector.tick' }
  | { type: 'connector.ask'; peer: PeerId }
  | { type: 'connector.loaded'; outcome: Outcome<Awaited<ReturnType<Store['scan']>>, unknown> }
  | { type: 'connector.saved' }
  | { type: 'connector.parted' }
  | { type: 'connector.dialled'; id: PeerId; outcome: Outcome<PeerId, unknown> }
  | {
      type: 'connector.recorded'
      from: PeerId
      reply: ConnectorServe['reply']
      outcome: Outcome<readonly (Uint8Array | undefined)[], unknown>
    }
  | { type: 'connector.answered'; peer: PeerId; outcome: Outcome<readonly Uint8Array[], unknown> }
  | {
      type: 'connector.named'
      peer: PeerId
      outcome: Outcome<
        readonly ({ readonly id: PeerId; readonly addrs: readonly Addr[] } | undefined)[],
        unknown
      >
    }
  | { type: 'connector.placed'; id: PeerId; outcome: Outcome<readonly Addr[], unknown> }

export type FromConnector = ConnectorMessage | ToSelf

const tickMs = 5_000
/** While there are enough peers, only every fourth tick dials. */
const calmTicks = 4
/** Good peers are written down once a minute. */
const keepTicks = 12
/** A peer that speaks no protocol of this network by then is of another. */
const relevantMs = 15_000
/** A peer here for so long and in good standing is worth coming back to. */
const steadyMs = 60_000
/** Peers that left within it may still be named to others. */
const lately = 3_600_000
const recentMax = 64
const askEveryMs = 60_000
const wordsMax = 16

const tooMany: Goodbye = { code: 129, retryAfterSeconds: 0, text: 'p2p/too-many-peers' }
const irrelevant: Goodbye = { code: 2, retryAfterSeconds: 0, text: '' }

/**
 * Keeps as many peers as the policy wants: finds and dials others, sends the worst away when there are too many, tells newcomers whom else they
 * may dial. Static peers and bootnodes are dialled by the network itself.
 */
export function connector(parts: ConnectorParts): Behavior<FromConnector> {
  return ctx => {
    const { self, network, policy, standing, bootnodes, store } = parts
    const peers = new Map<PeerId, Connected>()
    const recent = new Map<PeerId, { readonly ip: string; readonly atMs: number }>()
    const dialling = new Set<PeerId>()
    const counts = createCounts(wordsMax)
    const book = createAddressBook(n => ctx.int(n))
    const lives = createLives(ctx, standing.isExempt)
    const asked = createLately(askEveryMs, limits.tellersMax)
    const naming = createNaming(ctx, {
      ...parts,
      book,
      view: id => peers.get(id)?.view,
      nameable,
      count: word => counts.add(word),
      fault,
    })
    let ticks = 0
    let tooManySinceMs: number | undefined
    let draining = false

    if (store) {
      ctx.pipe(
        () => store.scan(addressBookRange),
        outcome => ({ type: 'connector.loaded', outcome }),
      )
    }
    ctx.every('tick', tickMs, { type: 'connector.tick' })

    function fault(peer: PeerId, reason: ChargeReason, detail: string): void {
      parts.monitor.tell({ type: 'monitor.report', peer, reason, detail })
    }

    const isShared = ({ protocols }: PeerView): boolean =>
      protocols.some(name => name.startsWith(parts.prefix))

    function shuffled<T>(items: readonly T[]): T[] {
      const left = [...items]
      return items.map(() => left.splice(ctx.int(left.length), 1)[0] as T)
    }

    /** Good peers of this hour that are nobody's own. */
    function nameable(): readonly Pick<PeerView, 'id' | 'ip'>[] {
      const here = [...peers.values()].filter(({ view }) => isShared(view)).map(({ view }) => view)
      const gone = [...recent]
        .filter(([id, { atMs }]) => !peers.has(id) && ctx.now() - atMs < lately)
        .map(([id, { ip }]) => ({ id, ip }))
      return shuffled([...here, ...gone]).filter(
        ({ id }) => !standing.isExempt(id) && !standing.isShut(id) && standing.total(id) >= 0,
      )
    }

    const outbound = (): number =>
      [...peers.values()].filter(({ view }) => view.direction === 'out').length
    const wants = (): boolean => peers.size < policy.lo || outbound() < policy.outbound

    function tick(): void {
      if (draining) return
      ticks += 1
      follow()
      leaveStrangers()
      prune()
      if (peers.size < policy.lo || ticks % calmTicks === 0) dialMore()
      if (wants()) askSomebody()
      if (ticks % keepTicks === 0) keep()
      save()
    }

    /** Says of each peer where it stands now. */
    function follow(): void {
      for (const id of lives.ids()) {
        const phase = lives.phase(id)
        const isBanned = standing.isBanned(id) && !standing.isExempt(id)
        if (isBanned && phase !== 'banned') lives.tell(id, { type: 'banned', reason: 'p2p/banned' })
        if (!isBanned && phase === 'banned') lives.tell(id, { type: 'lifted', reason: 'until' })
        if (isBanned || !peers.has(id)) continue
        const total = standing.total(id)
        const as = standing.isShut(id) ? 'quarantined' : total < suspectBelow ? 'suspect' : 'good'
        if (as !== phase) lives.tell(id, { type: 'stands', as, reason: `total ${total}` })
      }
    }

    function leaveStrangers(): void {
      for (const [id, { view, sinceMs }] of peers) {
        if (isShared(view) || standing.isExempt(id) || ctx.now() - sinceMs < relevantMs) continue
        counts.add('irrelevant')
        part(id, irrelevant)
      }
    }

    function prune(): void {
      const now = ctx.now()
      if (peers.size <= policy.hi) {
        tooManySinceMs = undefined
        return
      }
      tooManySinceMs ??= now
      if (now - tooManySinceMs < policy.graceMs) return
      for (const id of toPrune(shuffled([...peers.values()].map(heldOf)), policy)) {
        counts.add('pruned')
        part(id, tooMany)
      }
    }

    function heldOf({ view, sinceMs }: Connected): Held {
      const { id, direction } = view
      return {
        ...{ id, direction, sinceMs },
        total: standing.total(id),
        isQuarantined: standing.isShut(id),
        isExempt: standing.isExempt(id),
        isShared: isShared(view),
      }
    }

    function part(id: PeerId, bye: Goodbye): void {
      ctx.pipe(
        () => network.disconnect(id, bye),
        () => ({ type: 'connector.parted' }),
      )
    }

    function dialMore(): void {
      if (draining) return
      while (dialling.size < limits.dialsAtOnce && isShort()) {
        const candidate = book.pick(mayDial, ctx.wall())
        if (candidate === undefined) return
        dial(candidate)
      }
    }

    /** Also the room for those that are being dialled counts. */
    function isShort(): boolean {
      const coming = peers.size + dialling.size
      return (
        coming < policy.lo || (outbound() + dialling.size < policy.outbound && coming < policy.hi)
      )
    }

    function mayDial({ id, addrs }: Candidate): boolean {
      if (id === self || peers.has(id) || dialling.has(id) || standing.isBanned(id)) return false
      return addrs.some(addr => !isTaken(ipOf(addr)))
    }

    /** One peer of each address is enough of those we choose. */
    function isTaken(ip: string): boolean {
      if (privateRange(ip) !== undefined) return false
      const group = ipGroup(ip)
      return [...peers.values()].some(
        ({ view }) => view.direction === 'out' && ipGroup(view.ip) === group,
      )
    }

    function dial({ id, addrs }: Candidate): void {
      const free = addrs.filter(addr => !isTaken(ipOf(addr)))
      const addr = free[book.refusals(id) % free.length] ?? ''
      dialling.add(id)
      counts.add('dialled')
      lives.tell(id, { type: 'dial', reason: 'wanted' })
      ctx.pipe(
        () => network.dial(`${addr}/p2p/${id}`, limits.dialMs),
        outcome => ({ type: 'connector.dialled', id, outcome }),
      )
    }

    function dialled({ id, outcome }: ToSelf & { type: 'connector.dialled' }): void {
      dialling.delete(id)
      if (!outcome.ok) {
        counts.add('failed')
        book.failed(id, refusalMs(book.refusals(id)), ctx.wall())
        lives.tell(id, { type: 'failed', reason: 'p2p/dial-failed' })
      }
      dialMore()
    }

    /** Bootnodes, and peers this node has chosen: who dials in could surround it with its own. */
    function askSomebody(): void {
      const tellers = [...peers.values()].filter(({ view }) => mayTell(view))
      const teller = tellers[ctx.int(Math.max(1, tellers.length))]
      if (teller) askNow(teller.view.id)
    }

    const mayTell = ({ id, direction, protocols }: PeerView): boolean =>
      (direction === 'out' || bootnodes.has(id)) &&
      protocols.includes(parts.protocol) &&
      asked.waitMs(id, 1, ctx.now()) === 0

    function askNow(id: PeerId): void {
      const there = peers.get(id)
      if (!network.records || draining || !there || !wants() || !mayTell(there.view)) return
      asked.add(id, ctx.now())
      naming.ask(id)
    }

    /** Writes down where good peers can be dialled. */
    function keep(): void {
      const { records } = network
      if (!records) return
      const now = ctx.now()
      for (const [id, { view, sinceMs }] of peers) {
        if (now - sinceMs < steadyMs || standing.isExempt(id)) continue
        if (!isShared(view) || standing.total(id) <= 0) continue
        const here = privateRange(view.ip)
        ctx.pipe(
          async () => {
            const sealed = await records.of(id)
            const record = sealed && (await records.open(sealed))
            return meantAddrs(record?.addrs ?? [], here)
          },
          outcome => ({ type: 'connector.placed', id, outcome }),
        )
      }
    }

    function save(): void {
      const writes = book.takeWrites()
      if (!store || writes.length === 0) return
      // Only hints for the next start: nobody waits for them, and what is lost is found again.
      ctx.pipe(
        () => store.batch(writes),
        () => ({ type: 'connector.saved' }),
      )
    }

    function opened(view: PeerView): void {
      peers.set(view.id, { view, sinceMs: ctx.now() })
      book.came(view.id)
      lives.tell(view.id, { type: 'opened', reason: view.direction })
      const jitterMs = ctx.int(limits.poolSyncOpenedMs + 1)
      ctx.after(`ask ${view.id}`, jitterMs, { type: 'connector.ask', peer: view.id })
    }

    function closed({ peer, heldMs, goodbye }: PeerClosed): void {
      const there = peers.get(peer)
      peers.delete(peer)
      ctx.cancel(`ask ${peer}`)
      const ms = coolDownMs({ heldMs, ...(goodbye && { goodbye }) }, book.refusals(peer))
      book.cool(peer, ms, goodbye === undefined && ms > 0, ctx.wall())
      lives.tell(peer, { type: 'closed', reason: goodbye ? `goodbye ${goodbye.code}` : 'closed' })
      if (!there || heldMs < steadyMs || !isShared(there.view)) return
      recent.delete(peer)
      recent.set(peer, { ip: there.view.ip, atMs: ctx.now() })
      if (recent.size <= recentMax) return
      for (const oldest of recent.keys()) {
        recent.delete(oldest)
        return
      }
    }

    function recorded(message: ToSelf & { type: 'connector.recorded' }): void {
      naming.recorded(message)
      const { from } = message
      const isFull = policy.isBootnode && peers.size > policy.hi
      // It knows whom to ask now, and the next newcomer needs the place.
      if (isFull && peers.has(from) && !standing.isExempt(from)) part(from, tooMany)
    }

    return message => {
      switch (message.type) {
        case 'connector.tick':
          return tick()
        case 'connector.ask':
          return askNow(message.peer)
        case 'peer.opened':
          return opened(message.peer)
        case 'peer.closed':
          return closed(message)
        case 'connector.serve':
          return draining ? message.reply.tell([]) : naming.serve(message)
        case 'connector.recorded':
          return recorded(message)
        case 'connector.answered':
          return naming.answered(message)
        case 'connector.named':
          naming.named(message)
          return dialMore()
        case 'connector.dialled':
          return dialled(message)
        case 'connector.loaded':
          if (message.outcome.ok) book.load(message.outcome.value)
          return dialMore()
        case 'connector.placed':
          if (message.outcome.ok && message.outcome.value.length > 0)
            book.good(message.id, message.outcome.value, ctx.wall())
          return
        case 'connector.saved':
        case 'connector.parted':
          return
        case 'connector.drain':
          draining = true
          save()
          return ctx.cancel('tick')
        case 'connector.getStats':
          return message.reply.tell({
            counts: counts.counts,
            phases: lives.phases(),
            outboundShare: peers.size === 0 ? 0 : outbound() / peers.size,
          })
        default:
          return unreachable(message)
      }
    }
  }
}
