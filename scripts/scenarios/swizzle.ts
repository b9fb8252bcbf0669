import {
  addNode,
  call,
  configure,
  delivered,
  full,
  net,
  noHonestBanned,
  oneHead,
  poolsEqual,
  ready,
  skew,
  swizzleClog,
  txIn,
  txs,
} from '@rockpool/sim/scenario'

/**
 * Links stop one after the other and come back in another order, while a node joins, one is configured and started again, and the clocks of
 * two go wrong in opposite directions: everything that was taken reaches everybody, and nobody is blamed.
 */
export default net(4)
  .topology(full())
  .chain({ blockMs: 2_000 })
  .static('n0', 'n1')
  .load(txs({ perSecond: 1, until: '50s' }))
  .at('0s', skew('n1', 300), skew('n2', -300))
  .at('8s', swizzleClog(0.5, '20s'))
  .at('12s', addNode())
  .at('16s', configure('n3', { 'txpool.globalslots': 2_048 }))
  .at('30s', call('n0', 'peers_ban', ['n2']))
  .at('34s', call('n0', 'peers_unban', ['n2']), call('n1', 'eth_blockNumber'))
  .expect(ready('n4').within('30s').after('addNode'))
  .expect(ready('n3').within('30s').after('configure'))
  .expect(delivered('tx', 1).within('20s').after('50s'))
  .expect(delivered('block', 1).within('20s').after('50s'))
  .expect(txIn('pool', 'chain').within('20s').after('50s'))
  .expect(oneHead().within('30s').after('40s'))
  .expect(poolsEqual().within('20s').after('50s'))
  .expect(noHonestBanned())
  .until('80s')
