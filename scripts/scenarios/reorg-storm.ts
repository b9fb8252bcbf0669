import {
  chainSpeed,
  explained,
  full,
  heal,
  metric,
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
 * Branches of 1, 5 and 64 blocks make way for others that take some of their transactions, or none: nothing is lost. Then one node, alone and
 * so making many blocks of little weight, meets the branch of the others, whose head is heavier and more than 64 heights below its own: one
 * head everywhere, and each transaction that its pool did not put back it names when it is asked why.
 */
export default net(4)
  .topology(full())
  .chain({ blockMs: 1_000 })
  .load(txs({ perSecond: 2, until: '130s' }))
  .at('20s', reorg({ depth: 1, keepTxs: 0 }))
  .at('30s', reorg({ depth: 5, keepTxs: 0.5 }))
  .at('35s', mine(50))
  .at('45s', reorg({ depth: 64, keepTxs: 0 }))
  .at('65s', partition([['n3'], ['n0', 'n1', 'n2']]), chainSpeed(10))
  .at('140s', chainSpeed(1), heal())
  .expect(txIn('pool', 'chain').within('8s').after('21s'))
  .expect(txIn('pool', 'chain').within('8s').after('31s'))
  .expect(txIn('pool', 'chain').within('15s').after('46s'))
  .expect(metric('rockpool_chain_reorgs_total', '>=', 3).by('n0').within('15s').after('46s'))
  .expect(oneHead().within('15s').after('46s'))
  .expect(oneHead().within('45s').after('heal'))
  .expect(metric('rockpool_txpool_dropped_total{reason="reorg-too-deep"}', '>=', 1).by('n3'))
  .expect(explained('reorg-too-deep').by('n3').within('45s').after('heal'))
  .expect(txIn('pool', 'chain', 'dropped').within('60s').after('heal'))
  .expect(poolsEqual().within('60s').after('heal'))
  .expect(noHonestBanned())
  .until('210s')
