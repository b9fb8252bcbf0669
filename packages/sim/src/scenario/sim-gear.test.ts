import { expect, test } from 'vitest'
import { createBooks } from '../books/books.ts'
import { testParts } from '../testkit/parts.ts'
import {
  bandwidth,
  chainSpeed,
  clog,
  diskFull,
  diskSlow,
  heal,
  latency,
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
