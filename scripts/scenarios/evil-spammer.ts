import {
  banned,
  connected,
  full,
  invalidTx,
  keepsOut,
  letIn,
  lifted,
  net,
  never,
  noHonestBanned,
  offences,
  ready,
  start,
  stop,
  txIn,
  txs,
} from '@rockpool/sim/scenario'

/**
 * One peer among seven honest ones sends three transactions that are wrong for everyone. Every neighbour bans it within two seconds of the
 * third, keeps it out across a restart, as it says itself, and lets it in again when its time is over, no sooner. Nobody honest is banned.
 */
export default net(7)
  .topology(full())
  .chain({ blockMs: 2_000 })
  .links({ latency: [2, 10] })
  .bans({ duration: '40s' })
  .load(txs({ perSecond: 1, until: '50s' }))
  .evil(1, invalidTx({ rate: 2, messages: 3, from: '10s' }))
  .at('22s', stop('n2'))
  .at('26s', start('n2'))
  .expect(banned('evil0').byAll().within('2s').after(offences(3)))
  .expect(keepsOut('evil0').by('n2').within('10s').after('start'))
  .expect(never(letIn('evil0')))
  .expect(ready('n2').within('10s').after('start'))
  .expect(lifted('evil0').byAll().notBefore('39s').within('46s').after(offences(3)))
  .expect(connected('evil0').byAll().within('25s').after('70s'))
  .expect(noHonestBanned())
  .expect(txIn('pool', 'chain').within('10s').after('50s'))
  .until('110s')
