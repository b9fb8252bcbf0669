import type { Behavior, Context } from '@rockpool/actor'
import { hostIn } from '@rockpool/actor/xstate'
import type {
  ChainSyncing,
  HealthReason,
  HealthView,
  NodeMessage,
  NodeState,
  Service,
} from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { type LifecycleEvent, lifecycle } from './lifecycle.machine.ts'

export interface LifecycleParts {
  readonly version: string
  /** Which services this node offers at all. */
  readonly services: readonly Service[]
  /** False for a network of one: nobody to miss. */
  readonly expectsPeers: boolean
  /** Time between blocks; a head older than ten of them is stale. 0: blocks come when there is something to put in. */
  readonly blockTimeMs: number
  /** Told after every change; health endpoints answer from what was told last. */
  publish(view: HealthView): void
}

type Reasons = Map<HealthReason['code'], HealthReason>
type ToSelf = { type: 'node.missPeers' } | { type: 'node.missHead' } | { type: 'node.unsettled' }

const noPeersMs = 30_000
const staleBlocks = 10
/** Reasons that change readiness; the others are warnings that are only shown. */
const serious: ReadonlySet<HealthReason['code']> = new Set([
  'no-peers',
  'store-failed',
  'journal-failed',
  'bans-failed',
])
const startedStates: ReadonlySet<NodeState> = new Set([
  'syncing',
  'ready',
  'degraded',
  'draining',
  'stopped',
])

/**
 * Hosts the node's lifecycle machine and keeps the reasons that stand against readiness. Ready means caught up: a node that expects peers is
 * `syncing` until the first of them have told where they are and it has all they had. Asks nobody.
 */
export function node(parts: LifecycleParts): Behavior<NodeMessage | ToSelf> {
  return ctx => {
    const reasons: Reasons = new Map()
    const peers = new Set<string>()
    let since = ctx.wall()
    let state: NodeState = 'booting'
    const host = hostIn(ctx, '', lifecycle)

    const send = (event: LifecycleEvent) => {
      host.send(event)
      const next = host.state.value as NodeState
      if (next !== state) {
        since = ctx.wall()
        ctx.log.info('node/state', { from: state, to: next })
        state = next
      }
      parts.publish(viewOf(state, since, reasons, parts))
    }
    /** What the chain said last; it may have spoken before anybody is served. */
    let behind = false
    /** Whether this node knows where the others are. A network of one has nobody to ask. */
    let settled = !parts.expectsPeers
    let speed = 1
    const look = () => {
      const against = [...reasons.keys()].filter(code => serious.has(code)).length
      send({ type: 'look', synced: settled && !behind, reasons: against })
    }
    /** Peers that never tell where they are must not keep this node from serving for ever. */
    const armSettling = () => {
      if (settled || behind) ctx.cancel('settling')
      else ctx.after('settling', limits.settleMs, { type: 'node.unsettled' })
    }
    const hearSyncing = (fact: ChainSyncing) => {
      behind = fact.on
      settled ||= fact.settled === true
      if (startedStates.has(state)) armSettling()
      look()
    }
    const raise = (reason: Omit<HealthReason, 'sinceMs'>) => {
      if (!reasons.has(reason.code)) reasons.set(reason.code, { ...reason, sinceMs: ctx.wall() })
      look()
    }
    const clear = (code: HealthReason['code']) => {
      if (reasons.delete(code)) look()
    }

    /** A slow chain clock makes blocks rare; a fast one promises none, since it may be faster than the machine. */
    const staleMs = () => (staleBlocks * parts.blockTimeMs) / Math.min(1, speed)

    parts.publish(viewOf(state, since, reasons, parts))
    return message => {
      switch (message.type) {
        case 'node.advance':
          send({ type: 'advance', to: message.to })
          if (message.to !== 'syncing') return
          armPeers(ctx, parts, peers)
          armSettling()
          return look()
        case 'node.raise':
          return raise(message.reason)
        case 'node.clear':
          return clear(message.code)
        case 'node.drain':
          return send({ type: 'drain' })
        case 'peer.opened':
          peers.add(message.peer.id)
          ctx.cancel('peers')
          return clear('no-peers')
        case 'peer.closed':
          peers.delete(message.peer)
          return armPeers(ctx, parts, peers)
        case 'node.missPeers':
          return raise({
            code: 'no-peers',
            services: ['p2p'],
            text: 'no peer has been connected for 30 s',
          })
        case 'chain.head':
          if (parts.blockTimeMs > 0) ctx.after('head', staleMs(), { type: 'node.missHead' })
          return clear('stale-head')
        case 'chain.clockSet':
          speed = message.speed
          return
        case 'chain.syncing':
          return hearSyncing(message)
        case 'node.unsettled':
          settled = true
          ctx.log.warn('node/unsettled', { waitedMs: limits.settleMs, peers: peers.size })
          return look()
        case 'node.missHead':
          return raise({
            code: 'stale-head',
            services: [],
            text: `no new head for ${staleMs() / 1_000} s`,
          })
      }
    }
  }
}

function armPeers(
  ctx: Context<NodeMessage | ToSelf>,
  parts: LifecycleParts,
  peers: ReadonlySet<string>,
): void {
  if (parts.expectsPeers && peers.size === 0)
    ctx.after('peers', noPeersMs, { type: 'node.missPeers' })
}

function viewOf(
  state: NodeState,
  sinceMs: number,
  reasons: Reasons,
  parts: LifecycleParts,
): HealthView {
  const open = state === 'ready' || state === 'degraded'
  const down = new Set([...reasons.values()].flatMap(reason => reason.services))
  const serves = (service: Service) =>
    open && parts.services.includes(service) && !down.has(service)
  const services = { rpc: serves('rpc'), p2p: serves('p2p') }
  return {
    state,
    sinceMs,
    started: startedStates.has(state),
    live: state !== 'failed',
    ready:
      state === 'ready' ||
      (state === 'degraded' && parts.services.every(service => services[service])),
    version: parts.version,
    reasons: [...reasons.values()],
    services,
  }
}
