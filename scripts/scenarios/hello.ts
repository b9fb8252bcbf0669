import { net, noHonestBanned, oneHead, poolsEqual, ready, txIn, txs } from '@rockpool/sim/scenario'

/** A transaction given to any node is in the chain of all. */
export default net(4)
  .chain({ blockMs: 1_000 })
  .load(txs({ perSecond: 2, until: '12s' }))
  .expect(ready().within('10s'))
  .expect(txIn('chain').within('20s').after('12s'))
  .expect(poolsEqual().within('20s').after('12s'))
  .expect(oneHead().within('20s').after('12s'))
  .expect(noHonestBanned())
  .until('34s')
