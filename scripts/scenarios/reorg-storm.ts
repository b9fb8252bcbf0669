import {
  full,
  heal,
  mine,
  net,
  noHonestBanned,
  oneHead,
  partition,
  poolsEqual,
  reorg,
  txIn,
  txs,
} from '@rockpool/sim/scenario'

/**
 * Branches of 1, 5 and 64 blocks make way for others that take some of their transactions, or none: nothing is lost. Then one node comes
 * back to a head that is more than 64 heights above its own: one head everywhere, and what was not put back is named with its reason.
 */
export default net(4)
  .topology(full())
  .chain({ blockMs: 1_000 })
  .load(txs({ perSecond: 2, until: '100s' }))
  .at('20s', reorg({ depth: 1, keepTxs: 0 }))
  .at('30s', reorg({ depth: 5, keepTxs: 0.5 }))
  .at('35s', mine(50))
  .at('45s', reorg({ depth: 64, keepTxs: 0 }))
  .at('65s', partition([['n3'], ['n0', 'n1', 'n2']]))
  .at('90s', mine(90))
  .at('92s', heal())
  .expect(txIn('pool', 'chain').within('15s').after('46s'))
  .expect(oneHead().within('15s').after('46s'))
  .expect(oneHead().within('20s').after('heal'))
  .expect(txIn('pool', 'chain', 'dropped').within('30s').after('100s'))
  .expect(poolsEqual().within('40s').after('100s'))
  .expect(noHonestBanned())
  .until('145s')
