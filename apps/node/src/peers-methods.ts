import type { ControlMethod } from './control.ts'
import type { peersOf } from './peers-of.ts'

/**
 * What the control socket answers about peers: our names, then those of op-node and geth for the same, each with one handler. Blocking under op-node's
 * names is for good.
 */
export function peersMethods(peers: ReturnType<typeof peersOf>): [string, ControlMethod][] {
  const protect: ControlMethod = ([id]) => peers.protect(id, true)
  const unprotect: ControlMethod = ([id]) => peers.protect(id, false)
  const block: ControlMethod = ([subject]) => peers.ban(subject, {})
  const unblock: ControlMethod = ([subject]) => peers.unban(subject, {})
  const blocked =
    (kind: string): ControlMethod =>
    async () => {
      const bans = await peers.bans()
      return bans.flatMap(({ subject }) => (subject.kind === kind ? [subject.value] : []))
    }
  const kinds = ['Peer', 'Addr', 'Subnet'] as const
  const kindOf = { Peer: 'peer', Addr: 'ip', Subnet: 'subnet' } as const
  return [
    ['peers_list', () => peers.list()],
    ['peers_self', () => peers.self()],
    ['peers_stats', () => peers.stats()],
    ['peers_show', ([id]) => peers.show(id)],
    ['peers_why', ([id, sinceMs]) => peers.why(id, sinceMs)],
    ['peers_bans', () => peers.bans()],
    ['peers_ban', ([subject, wish]) => peers.ban(subject, wish)],
    ['peers_unban', ([subject, wish]) => peers.unban(subject, wish)],
    ['peers_protect', protect],
    ['peers_unprotect', unprotect],
    ['peers_add', ([addr]) => peers.add(addr)],
    ['peers_remove', ([id]) => peers.remove(id)],
    ['peers_connect', ([addr]) => peers.connect(addr)],
    ['peers_disconnect', ([id]) => peers.disconnect(id)],
    ['peers_export', () => peers.exported()],
    ['peers_import', ([records]) => peers.imported(records)],
    ['peers_gossip', () => peers.gossip()],
    ['peers_dryRun', ([rules, wish]) => peers.dryRun(rules, wish)],
    ['opp2p_self', () => peers.self()],
    ['opp2p_peers', ([connected]) => peers.byId(connected !== false)],
    ['opp2p_peerStats', () => peers.stats()],
    ...kinds.flatMap((kind): [string, ControlMethod][] => [
      [`opp2p_block${kind}`, block],
      [`opp2p_unblock${kind}`, unblock],
      [`opp2p_listBlocked${kind}s`, blocked(kindOf[kind])],
    ]),
    ['opp2p_protectPeer', protect],
    ['opp2p_unprotectPeer', unprotect],
    ['opp2p_connectPeer', ([addr]) => peers.connect(addr)],
    ['opp2p_disconnectPeer', ([id]) => peers.disconnect(id)],
    ['admin_nodeInfo', () => peers.self()],
    ['admin_peers', async () => Object.values((await peers.byId()).peers)],
    ['admin_addPeer', ([addr]) => peers.add(addr)],
    ['admin_removePeer', ([addr]) => peers.remove(addr)],
    ['admin_addTrustedPeer', protect],
    ['admin_removeTrustedPeer', unprotect],
  ]
}
