import {
  full,
  kill,
  net,
  noHonestBanned,
  oneHead,
  poolsEqual,
  ready,
  start,
  stop,
  txIn,
  txs,
} from '@rockpool/sim/scenario'

/** Each node goes down and comes back while wallets go on: some drain, some are killed. Nothing that a node took is lost. */
export default net(4)
  .topology(full())
  .chain({ blockMs: 1_000 })
  .load(txs({ perSecond: 2, from: '3s', until: '60s' }))
  .at('10s', stop('n0'))
  .at('14s', start('n0'))
  .at('24s', kill('n1'))
  .at('28s', start('n1'))
  .at('38s', stop('n2'))
  .at('42s', start('n2'))
  .at('52s', kill('n3'))
  .at('56s', start('n3'))
  .expect(ready('n0').within('10s').after('16s'))
  .expect(ready('n1').within('10s').after('30s'))
  .expect(ready('n2').within('10s').after('44s'))
  .expect(ready().within('15s').after('start'))
  .expect(oneHead().within('20s').after('start'))
  .expect(txIn('chain').within('40s').after('60s'))
  .expect(poolsEqual().within('40s').after('60s'))
  .expect(noHonestBanned())
  .until('105s')
