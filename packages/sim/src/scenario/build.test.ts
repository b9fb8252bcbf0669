import { describe, expect, test } from 'vitest'
import {
  addNode,
  backendDown,
  banned,
  call,
  configure,
  delivered,
  diskCorrupt,
  fromFile,
  full,
  heal,
  invalidTx,
  invariant,
  kill,
  kRegular,
  latency,
  lifted,
  net,
  offences,
  partition,
  poolsEqual,
  ready,
  reorg,
  skew,
  swizzleClog,
  txs,
  wallStep,
  withhold,
} from './build.ts'
import { type Gear, PlanError, planFaults, readPlan } from './plan.ts'

const faultsOf = (
  change: (scenario: ReturnType<typeof net>) => ReturnType<typeof net>,
  gear: Gear = 'sim',
) => planFaults(change(net(4)).until('60s').plan, gear)

describe('a scenario', () => {
  const scenario = net(5)
    .topology(kRegular(4))
    .links({ latency: [10, 40] })
    .load(txs({ perSecond: 5, accounts: 3 }))
    .evil(2, invalidTx({ rate: 0.5 }))
    .at('90s', heal())
    .at('1.5m', partition([['n0'], ['n1', 'n2']], { oneWay: true }))
    .at('60s', kill('n3'))
    .expect(banned('evil1').by('n0').within('2s').after(offences(3)))
    .expect(poolsEqual().within('30s').after('heal'))
    .until('180s')

  test('is plain data: what is read back from JSON is the plan', () => {
    const { plan } = scenario
    expect(readPlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan)
  })

  test('has its steps in the order of their times, equal ones as written', () => {
    const { steps, evil } = scenario.plan
    expect(steps.map(({ atMs, step }) => [atMs, step.do])).toEqual([
      [60_000, 'kill'],
      [90_000, 'heal'],
      [90_000, 'partition'],
    ])
    expect(evil).toHaveLength(2)
  })

  test('can be gone on from without change to what it was', () => {
    const more = scenario.at('100s', kill('n4'))
    expect(more.plan.steps).toHaveLength(4)
    expect(scenario.plan.steps).toHaveLength(3)
  })

  test('of another version is refused', () => {
    expect(() => readPlan({ version: 2 })).toThrow('no scenario of version 1: version 2')
  })
})

describe('what cannot be is said while it is written', () => {
  const wrong: readonly (readonly [text: string, make: () => unknown])[] = [
    ["at('60x', …): not a duration", () => net(4).at('60x', heal())],
    ["within('soon'): not a duration", () => ready().within('soon')],
    ["after('3y'): not a duration", () => lifted('evil0').after('3y')],
    ["latency('n0', 'n1', '3'): not a duration", () => latency('n0', 'n1', '3')],
    ["wallStep('n0', '-3'): not a duration", () => wallStep('n0', '-3')],
    ['net(0): a whole number from 1 to 98', () => net(0)],
    ['reorg: depth 0', () => reorg({ depth: 0 })],
    ["allow('x'): name the reason", () => net(2).allow('x', ' ')],
    ['a scenario needs an end: until(…)', () => net(2).plan],
  ]
  for (const [text, make] of wrong) {
    test(text, () => {
      expect(make).toThrow(new PlanError(text))
    })
  }
})

describe('what cannot be is said before anything starts', () => {
  test('a node that does not exist', () => {
    expect(faultsOf(it => it.at('5s', kill('n33')))).toEqual(["kill('n33'): the network has n0…n3"])
    expect(faultsOf(it => it.expect(ready('n9')))).toEqual(["ready('n9'): the network has n0…n3"])
    const evil = faultsOf(it => it.evil(2, invalidTx()).expect(banned('evil2')))
    expect(evil).toEqual(["banned('evil2'): the network has n0…n3 and evil0…evil1"])
  })

  test('an evil peer where only an honest node will do', () => {
    const faults = faultsOf(it => it.evil(1, invalidTx()).at('5s', kill('evil0')))
    expect(faults).toEqual(["kill('evil0'): evil0 is no honest node"])
    const link = (gear: Gear) =>
      faultsOf(it => it.evil(1, invalidTx()).at('5s', latency('n0', 'evil0', '1s')), gear)
    expect(link('inproc')).toEqual([])
    expect(link('procs')).toEqual(["latency('n0', 'evil0', 1000): evil0 is no honest node"])
  })

  test('what a gear cannot do, by name', () => {
    expect(faultsOf(it => it.at('5s', diskCorrupt('n1', 'pool')), 'procs')).toEqual([
      'diskCorrupt is not possible in gear procs (sim, inproc only)',
    ])
    expect(faultsOf(it => it.evil(1, withhold()), 'inproc')).toEqual([
      'withhold is not possible in gear inproc (sim only)',
    ])
    expect(faultsOf(it => it.expect(invariant('nonce-gap')), 'procs')).toEqual([
      'invariant is not possible in gear procs (sim only)',
    ])
    expect(planFaults(net(9).until('9s').plan, 'procs')).toEqual([
      'net(9): gear procs starts at most 8 processes',
    ])
  })

  test('a trigger that never comes, and a step after the end', () => {
    expect(faultsOf(it => it.expect(poolsEqual().after('heal')))).toEqual([
      "poolsEqual().after('heal'): there is no step heal",
    ])
    expect(faultsOf(it => it.expect(ready().after(offences(3))))).toEqual([
      'ready().after(offences(3)): nobody sends anything invalid',
    ])
    expect(faultsOf(it => it.at('61s', heal()))).toEqual(['heal(): comes after the end'])
  })

  test('a partition that is none', () => {
    expect(faultsOf(it => it.at('5s', partition(1)))).toEqual([
      'partition(1): a share between 0 and 1',
    ])
    expect(faultsOf(it => it.at('5s', partition([['n0', 'n1'], ['n1']])))).toEqual([
      'partition: a node is in two groups',
    ])
    expect(faultsOf(it => it.topology(full()).at('5s', partition([['n0']])))).toEqual([
      'partition: one group is no partition',
    ])
  })
})

describe('what a gear cannot do is refused by name', () => {
  const cases: readonly (readonly [
    text: string,
    gear: Gear,
    change: (scenario: ReturnType<typeof net>) => ReturnType<typeof net>,
  ])[] = [
    [
      "skew('n1', 300): gear procs sets clocks only at the start, at('0s', …)",
      'procs',
      scenario => scenario.at('5s', skew('n1', 300)),
    ],
    [
      "wallStep('n1', -2000): gear procs sets clocks only at the start, at('0s', …)",
      'procs',
      scenario => scenario.at('5s', wallStep('n1', '-2s')),
    ],
    [
      "backendDown('n1', 5000): the dev chain has no backend; chain({ kind: 'source' }) has",
      'sim',
      scenario => scenario.at('5s', backendDown('n1', '5s')),
    ],
    [
      'chain source is not possible in gear inproc (sim only)',
      'inproc',
      scenario => scenario.chain({ blockMs: 1_000, kind: 'source' }),
    ],
    [
      "call('n1', 'eth_gasPrice', []): gear inproc answers only eth_blockNumber, eth_sendRawTransaction, txpool_setGasTip, peers_ban, peers_unban",
      'inproc',
      scenario => scenario.at('5s', call('n1', 'eth_gasPrice')),
    ],
    [
      `configure('n1', {"txpool.size":1}): no setting "txpool.size"; there are txpool.pricelimit, txpool.pricebump, txpool.accountslots, txpool.globalslots, txpool.accountqueue, txpool.globalqueue, txpool.stories`,
      'sim',
      scenario => scenario.at('5s', configure('n1', { 'txpool.size': 1 })),
    ],
    [
      "fromFile('ring.json'): it was not read",
      'sim',
      scenario => scenario.topology(fromFile('ring.json')),
    ],
    ["static('n0', 'n9'): the network has n0…n3", 'sim', scenario => scenario.static('n0', 'n9')],
    ["kill('n4'): the network has n0…n3", 'sim', scenario => scenario.at('9s', kill('n4'))],
  ]
  for (const [text, gear, change] of cases)
    test(text, () => expect(faultsOf(change, gear)).toEqual([text]))

  test('and what each gear can do is not', () => {
    const change = (scenario: ReturnType<typeof net>) =>
      scenario
        .static('n0', 'n1')
        .at('0s', skew('n1', 300))
        .at('5s', swizzleClog(0.5, '8s'), call('n1', 'eth_blockNumber'))
        .at('6s', addNode(), configure('n2', { 'txpool.globalslots': 64 }))
        .at('9s', kill('n4'))
        .expect(delivered('tx', 0.9))
    for (const gear of ['sim', 'inproc', 'procs'] as const)
      expect(faultsOf(change, gear)).toEqual([])
  })

  test('shares out of range are refused while it is written', () => {
    expect(() => swizzleClog(2, '8s')).toThrow('swizzleClog: share 2 is no share')
    expect(() => delivered('tx', 0)).toThrow('delivered: 0 is no share')
    expect(() => skew('n0', 1e6)).toThrow('a whole number from -100000 to 100000')
  })
})
