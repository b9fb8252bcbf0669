import {
  full,
  heal,
  net,
  noHonestBanned,
  oneHead,
  partition,
  poolsEqual,
  txIn,
  txs,
} from '@rockpool/sim/scenario'

/** Half of the network does not hear the other half for a while: afterwards there is one chain and one pool, and nothing is lost. */
export default net(4)
  .topology(full())
  .chain({ blockMs: 1_000 })
  .load(txs({ perSecond: 2, until: '50s' }))
  .at('15s', partition(0.5))
  .at('40s', heal())
  .expect(oneHead().within('45s').after('heal'))
  .expect(poolsEqual().within('45s').after('50s'))
  .expect(txIn('pool', 'chain').within('45s').after('50s'))
  .expect(noHonestBanned())
  .until('100s')
