import { full, metric, net, noHonestBanned, poolsEqual, txIn, txs } from '@rockpool/sim/scenario'

/** Twenty nodes on one machine, each connected with all: nobody loses its seat for its neighbours, and every transaction is everywhere. */
export default net(20)
  .topology(full())
  .chain({ blockMs: 4_000 })
  .load(txs({ perSecond: 1, until: '15s' }))
  .expect(metric('rockpool_p2p_mesh_peers{topic="tx"}', '>=', 2).byAll().within('20s').after('10s'))
  .expect(
    metric('rockpool_p2p_mesh_peers{topic="block"}', '>=', 2).byAll().within('20s').after('10s'),
  )
  .expect(txIn('pool', 'chain').within('15s').after('15s'))
  .expect(poolsEqual().within('20s').after('15s'))
  .expect(noHonestBanned())
  .until('36s')
