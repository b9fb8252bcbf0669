import type { Context } from '@rockpool/actor'
import { type Host, hostIn } from '@rockpool/actor/xstate'
import { limits, type PeerId, type PeerPhase } from '@rockpool/protocol'
import { type PeerLifeEvent, peerLife, phaseOf } from './peer.machine.ts'

/** The lives of the peers this node knows of, one machine each. A peer nothing is known of any more is let go. */
export function createLives<M extends { readonly type: string }>(
  ctx: Context<M>,
  isExempt: (id: PeerId) => boolean,
) {
  const hosts = new Map<PeerId, Host<typeof peerLife>>()

  function tell(id: PeerId, event: PeerLifeEvent): void {
    let host = hosts.get(id)
    if (host === undefined) {
      if (hosts.size >= limits.peerLivesMax) return
      host = hostIn(ctx, id, peerLife, { input: { isExempt: isExempt(id) } })
      hosts.set(id, host)
    }
    const before = phaseOf(host.state.value)
    host.send(event)
    const after = phaseOf(host.state.value)
    if (before === after) return
    ctx.log.debug('p2p/life', { peer: id, from: before, to: after, reason: event.reason })
    if (after !== 'known') return
    host.stop()
    hosts.delete(id)
  }

  function phases(): ReadonlyMap<PeerPhase, number> {
    const counts = new Map<PeerPhase, number>()
    for (const { state } of hosts.values()) {
      const phase = phaseOf(state.value)
      counts.set(phase, (counts.get(phase) ?? 0) + 1)
    }
    return counts
  }

  return {
    tell,
    phases,
    phase: (id: PeerId): PeerPhase => phaseOf(hosts.get(id)?.state.value ?? 'known'),
    /** Of every peer that is followed. */
    ids: (): readonly PeerId[] => [...hosts.keys()],
  }
}
