import { expect, test } from 'vitest'
import { createBooks } from '../books/books.ts'
import { testParts } from '../testkit/parts.ts'
import {
  addNode,
  backendDown,
  bandwidth,
  banned,
  call,
  chainSpeed,
  clog,
  configure,
  delivered,
  diskFull,
  diskSlow,
  heal,
  invalidTx,
  kRegular,
  latency,
  lifted,
  log,
  metric,
  net,
  oneHead,
  partition,
  pause,
  poolsEqual,
  ready,
  reorg,
  reset,
  resume,
  type Scenario,
  skew,
  swizzleClog,
  txIn,
  txs,
  wallStep,
  withhold,
} from './build.ts'
import { simulate } from './sim-gear.ts'

/** What did not come as expected, with what was seen instead. */
async function failures(scenario: Scenario): Promise<string[]> {
  const { verdicts } = await simulate(scenario.plan, testParts({ books: createBooks() }))
  return verdicts.flatMap(({ held, claim, text }) => (held ? [] : [`${claim}: ${text}`]))
}

test('a node that stood still answers nobody meanwhile, and is one of the others afterwards', async () => {
  const scenario = net(3)
    .chain({ blockMs: 1_000 })
    .load(txs({ perSecond: 1, until: '30s' }))
    .at('10s', pause('n1'))
    .at('25s', resume('n1'))
    .expect(ready('n1').within('5s').after('resume'))
    .expect(oneHead().within('20s').after('resume'))
    .expect(poolsEqual().within('20s').after('30s'))
    .expect(txIn('chain').within('20s').after('30s'))
    .until('60s')
  expect(await failures(scenario)).toEqual([])

  const early = scenario.expect(ready('n1').within('3s').after('12s'))
  expect(await failures(early)).toEqual([
    "ready('n1').within('3000ms').after('12000ms'): not at n1; n1: down",
  ])
}, 30_000)

test('every fault of links, disks and clocks can be a step, and passes', async () => {
  const scenario = net(4)
    .chain({ blockMs: 1_000 })
    .load(txs({ perSecond: 2, mixed: true, until: '40s' }))
    .at('8s', latency('n0', 'n1', '300ms'), bandwidth('n1', 'n2', 20_000), reset('n2', 'n3'))
    .at('10s', clog('n0', 'n2', '3s'), diskSlow('n1', '300ms'), diskFull('n2'))
    .at('14s', partition([['n3'], ['n0', 'n1']], { oneWay: true }), wallStep('n2', '-2s'))
    .at('20s', heal())
    .at('24s', reorg({ depth: 3, keepTxs: 0.5 }))
    .expect(log('chain/head', 20))
    .expect(metric('rockpool_ready{service="rpc"}', '=', 1).after('heal'))
    .expect(oneHead().within('45s').after('heal'))
    .expect(txIn('pool', 'chain', 'dropped').within('40s').after('40s'))
    .until('90s')
  expect(await failures(scenario)).toEqual([])
}, 30_000)

test('a step that cannot be done fails by itself', async () => {
  const scenario = net(2)
    .at('3s', reorg({ depth: 900 }))
    .until('6s')
  expect(await failures(scenario)).toEqual([
    expect.stringMatching(/^reorg\(900, 1\) at 3000 ms: the chain is only \d+ blocks high$/),
  ])
})

test('an evil peer of any kind is one of the network', async () => {
  const scenario = net(4)
    .evil(1, withhold({ from: '6s', for: '10s' }))
    .load(txs({ perSecond: 1, until: '20s' }))
    .expect(txIn('chain').within('20s').after('20s'))
    .at('21s', chainSpeed(2))
    .until('45s')
  expect(await failures(scenario)).toEqual([])
}, 30_000)

test('a node that is added joins, with the pool and the head of the others', async () => {
  const scenario = net(3)
    .chain({ blockMs: 1_000 })
    .load(txs({ perSecond: 1, until: '30s' }))
    .at('15s', addNode())
    .at('18s', addNode())
    .expect(ready('n3').within('15s').after('15s'))
    .expect(ready('n4').within('15s').after('addNode'))
    .expect(delivered('tx', 1).within('20s').after('30s'))
    .expect(delivered('block', 1).within('20s').after('30s'))
    .expect(poolsEqual().within('20s').after('30s'))
    .until('60s')
  expect(await failures(scenario)).toEqual([])
  expect(await failures(scenario.expect(ready('n3').within('5s').after('5s')))).toEqual([
    "ready('n3').within('5000ms').after('5000ms'): not at n3; n3: down",
  ])
}, 30_000)

test('links that stop one after the other and come back in another order lose nothing', async () => {
  const scenario = net(6)
    .topology(kRegular(4))
    .load(txs({ perSecond: 2, until: '40s' }))
    .at('10s', swizzleClog(0.5, '20s'))
    .expect(oneHead().within('20s').after('30s'))
    .expect(txIn('pool', 'chain').within('20s').after('40s'))
    .until('70s')
  expect(await failures(scenario)).toEqual([])
}, 30_000)

test('an operator bans, spares and configures nodes, whose clocks are wrong', async () => {
  const scenario = net(4)
    .static('n3', 'evil0')
    .evil(1, invalidTx({ rate: 2, messages: 4, from: '20s' }))
    .at('0s', skew('n1', 500), skew('n2', -500))
    .at('5s', configure('n0', { 'txpool.globalslots': 64, 'txpool.pricelimit': 7 }))
    .at('8s', call('n0', 'eth_blockNumber'), call('n0', 'txpool_setGasTip', ['0x5']))
    .at('10s', call('n0', 'peers_ban', ['evil0']))
    .at('12s', call('n0', 'peers_unban', ['evil0']))
    .expect(ready('n0').within('5s').after('configure'))
    .expect(lifted('evil0').by('n0').within('5s').after('12s'))
    .expect(banned('evil0').by('n1', 'n2').within('8s').after('20s'))
    .until('50s')
  expect(await failures(scenario)).toEqual([])
  expect(await failures(scenario.expect(banned('evil0').by('n3').within('9s')))).toHaveLength(1)
  const wrong = scenario.at('9s', call('n0', 'peers_ban', ['nobody']))
  expect(await failures(wrong)).toEqual([
    `call('n0', 'peers_ban', ["nobody"]) at 9000 ms: p2p/bad-subject: nobody`,
  ])
}, 60_000)

test('a node whose backend is gone is behind, and with the others when it is back', async () => {
  const scenario = net(3)
    .chain({ blockMs: 1_000, kind: 'source' })
    .load(txs({ perSecond: 1, until: '30s' }))
    .at('10s', backendDown('n1', '12s'))
    .at('26s', reorg({ depth: 2 }))
    .expect(oneHead().within('10s').after('22s'))
    .expect(txIn('pool', 'chain').within('20s').after('30s'))
    .until('60s')
  expect(await failures(scenario)).toEqual([])
  const meanwhile = scenario.expect(oneHead().within('3s').after('14s'))
  expect(await failures(meanwhile)).toHaveLength(1)
}, 30_000)
