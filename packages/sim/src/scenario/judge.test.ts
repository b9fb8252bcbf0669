import type { Hash } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import {
  banned,
  connected,
  deadLetters,
  delivered,
  type Expected,
  explained,
  heal,
  invalidTx,
  keepsOut,
  letIn,
  lifted,
  log,
  metric,
  net,
  never,
  noHonestBanned,
  notBanned,
  offences,
  oneHead,
  poolsEqual,
  ready,
  txIn,
} from './build.ts'
import { Judge } from './judge.ts'
import type { NodeLook, Sight } from './sights.ts'

const [a, b] = [`0x${'aa'.repeat(32)}`, `0x${'bb'.repeat(32)}`] as [Hash, Hash]

const judgeOf = (expectation: Expected, scale = 1) => {
  const scenario = net(2).evil(1, invalidTx()).at('10s', heal()).expect(expectation).until('60s')
  return new Judge(scenario.plan, scale)
}

const look = (name: string, more: Partial<NodeLook> = {}): NodeLook => ({
  ...{ name, up: true, ready: true, head: '0x1', height: 1, peers: [] },
  ...more,
})
const both = (more: Partial<NodeLook> = {}, second = more) => [look('n0', more), look('n1', second)]
const ban = (node: string, who = 'evil0', by = 'monitor'): Sight => ({
  ...{ type: 'banned', node, who, by, reason: 'gossip/invalid-tx' },
})

const took = (hash: Hash, half: 'pending' | 'queued' = 'pending'): Sight => ({
  type: 'took',
  hash,
  half,
})

/** What came of the one claim. */
const verdictOf = (judge: Judge) => {
  const [verdict] = judge.end(60_000)
  return [verdict?.held, verdict?.text]
}

describe('banned within a time after an offence', () => {
  const claim = banned('evil0').within('2s').after(offences(3))
  const third: Sight = { type: 'offence', who: 'evil0', count: 3 }

  test('holds when every node did, early or in time', () => {
    const judge = judgeOf(claim)
    judge.tell(ban('n0'), 900)
    judge.tell(third, 1_000)
    judge.tell(ban('n1'), 2_900)
    judge.see(both(), 5_000)
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('fails with who did not when the time is over', () => {
    const judge = judgeOf(claim)
    judge.tell(third, 1_000)
    judge.tell(ban('n0'), 1_500)
    judge.see(both(), 3_100)
    judge.tell(ban('n1'), 3_200)
    expect(verdictOf(judge)).toEqual([false, 'not at n1; only others banned evil0'])
  })

  test('has as much more time as a slow gear is given', () => {
    const judge = judgeOf(claim, 3)
    judge.tell(third, 1_000)
    judge.tell(ban('n0'), 1_500)
    judge.see(both(), 3_100)
    judge.tell(ban('n1'), 6_900)
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('fails when the offence never came', () => {
    const judge = judgeOf(claim)
    judge.see(both(), 5_000)
    expect(verdictOf(judge)).toEqual([false, 'it never began to count'])
  })
})

describe('what is denied holds until it happens', () => {
  test('an honest node is banned by a monitor, not by an operator', () => {
    const judge = judgeOf(noHonestBanned())
    judge.tell(ban('n0', 'n1', 'operator'), 500)
    judge.tell(ban('n0', 'evil0'), 600)
    expect(judge.isDecided).toBe(false)
    judge.tell(ban('n0', 'n1'), 1_000)
    expect(verdictOf(judge)).toEqual([false, 'n0 banned n1 for gossip/invalid-tx'])
  })

  test('notBanned names who banned it', () => {
    const judge = judgeOf(notBanned('evil0').by('n1'))
    judge.tell(ban('n0'), 500)
    judge.tell(ban('n1'), 600)
    expect(verdictOf(judge)).toEqual([false, 'n1 banned evil0 for gossip/invalid-tx'])
  })

  test('a banned peer is connected, once its connection had time to end', () => {
    const connected = both({ peers: ['evil0'] }, {})
    const judge = judgeOf(never(letIn('evil0')))
    judge.see(connected, 900)
    judge.tell(ban('n0'), 1_000)
    judge.see(connected, 1_500)
    expect(judge.isDecided).toBe(false)
    judge.see(connected, 3_500)
    expect(verdictOf(judge)).toEqual([
      false,
      'n0 is connected with evil0, which it banned at 1000 ms',
    ])
  })

  test('a peer whose ban is over may be connected', () => {
    const judge = judgeOf(never(letIn('evil0')))
    judge.tell(ban('n0'), 1_000)
    judge.tell({ type: 'lifted', node: 'n0', who: 'evil0' }, 8_000)
    judge.see(both({ peers: ['evil0'] }, {}), 9_000)
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('a message is lost', () => {
    const judge = judgeOf(deadLetters().onlyShutdown())
    judge.tell({ type: 'dead', node: 'n1', text: 'pool.add to /pool: full' }, 10)
    expect(verdictOf(judge)).toEqual([false, 'n1: pool.add to /pool: full'])
  })
})

describe('what comes true at a look', () => {
  test('pools are equal, whoever is down', () => {
    const judge = judgeOf(poolsEqual())
    judge.see(both({ pool: new Set([a, b]) }, { pool: new Set([a]) }), 1_000)
    expect(judge.isDecided).toBe(false)
    judge.see(both({ pool: new Set([a, b]) }, { pool: new Set([b, a]) }), 2_000)
    expect(verdictOf(judge)).toEqual([true, ''])
    const alone = judgeOf(poolsEqual())
    alone.see(both({ pool: new Set([a]) }, { up: false }), 1_000)
    expect(alone.isDecided).toBe(true)
  })

  test('heads differ until the end', () => {
    const judge = judgeOf(oneHead().within('5s').after('heal'))
    judge.see(both(), 9_000)
    expect(judge.isDecided).toBe(false)
    judge.tell({ type: 'step', index: 0 }, 10_000)
    judge.see(both({}, { head: '0x2' }), 16_000)
    expect(verdictOf(judge)).toEqual([false, 'heads n0 1 0x1, n1 1 0x2'])
  })

  test('every transaction that was taken is where it should be, at each node', () => {
    const judge = judgeOf(txIn('pool', 'chain'))
    judge.tell(took(a), 100)
    judge.tell(took(b), 200)
    const pool = new Set([b])
    judge.see(both({ pool, mined: new Set([a]) }, { pool, mined: new Set() }), 1_000)
    expect(judge.isDecided).toBe(false)
    judge.see(both({ pool, mined: new Set([a]) }), 2_000)
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('one that is nowhere is named, with the reason where there is one', () => {
    const judge = judgeOf(txIn('chain'))
    judge.tell(took(a), 100)
    judge.tell({ type: 'dropped', node: 'n1', hash: a, reason: 'reorg-too-deep' }, 500)
    judge.see(
      both({ pool: new Set(), mined: new Set([a]) }, { pool: new Set(), mined: new Set() }),
      1_000,
    )
    expect(verdictOf(judge)).toEqual([
      false,
      `1 elsewhere: ${a} at n1 is dropped (dropped: n1 reorg-too-deep)`,
    ])
    const named = judgeOf(txIn('chain', 'dropped'))
    named.tell(took(a), 100)
    named.tell({ type: 'dropped', node: 'n1', hash: a, reason: 'reorg-too-deep' }, 500)
    named.see(
      both({ pool: new Set(), mined: new Set([a]) }, { pool: new Set(), mined: new Set() }),
      1_000,
    )
    expect(named.isDecided).toBe(true)
  })

  test('one behind a gap may be with one node alone, and one that is replaced with nobody', () => {
    const judge = judgeOf(txIn('pool', 'chain'))
    judge.tell(took(a, 'queued'), 100)
    judge.tell(took(b), 200)
    judge.tell({ type: 'dropped', node: 'n0', hash: b, reason: 'replaced' }, 300)
    judge.see(both({ pool: new Set(), mined: new Set() }), 1_000)
    expect(judge.isDecided).toBe(false)
    judge.see(
      both({ pool: new Set([a]), mined: new Set() }, { pool: new Set(), mined: new Set() }),
      2_000,
    )
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('a node may be asked why it has one no more', () => {
    const judge = judgeOf(txIn('chain', 'dropped'))
    judge.tell(took(a), 100)
    const told = new Map([[a, 'reorg-too-deep']])
    judge.see(both({ pool: new Set(), mined: new Set(), told }), 1_000)
    expect(verdictOf(judge)).toEqual([true, ''])
  })

  test('that no transaction was taken proves nothing', () => {
    const judge = judgeOf(txIn('chain'))
    judge.see(both({ pool: new Set(), mined: new Set() }), 1_000)
    expect(verdictOf(judge)).toEqual([false, 'no transaction was taken'])
  })

  test('ready, logs and metrics', () => {
    const waits = judgeOf(ready('n1'))
    waits.see(both({}, { ready: false }), 1_000)
    expect(verdictOf(waits)).toEqual([false, 'not at n1; n1: up and not ready'])
    const logs = judgeOf(log('p2p/banned', 2))
    logs.tell({ type: 'log', node: 'n0', code: 'p2p/banned' }, 1)
    logs.tell({ type: 'log', node: 'n1', code: 'p2p/banned' }, 2)
    logs.see(both(), 1_000)
    expect(logs.isDecided).toBe(true)
    const counts = judgeOf(metric('x', '>=', 3).by('n0'))
    counts.see(both({ metrics: { x: 2 } }), 1_000)
    expect(verdictOf(counts)).toEqual([false, 'not at n0; n0: x is 2'])
  })
})

test('a lift counts when it comes after what it was to follow', () => {
  const judge = judgeOf(lifted('evil0').by('n0').after('heal'))
  judge.tell({ type: 'lifted', node: 'n0', who: 'evil0' }, 5_000)
  judge.tell({ type: 'step', index: 0 }, 10_000)
  judge.see(both(), 10_500)
  expect(judge.isDecided).toBe(false)
  judge.tell({ type: 'lifted', node: 'n0', who: 'evil0' }, 12_000)
  expect(judge.isDecided).toBe(true)
})

test('a step that could not be done is a failure of its own', () => {
  const judge = judgeOf(noHonestBanned())
  judge.failed('reorg(9, 1) at 10 ms', 'the chain is only 4 blocks high', 20)
  expect(judge.end(60_000).map(({ held }) => held)).toEqual([false, true])
})

describe('what is delivered', () => {
  const after = (judge: Judge, looks: readonly NodeLook[]) => {
    for (const hash of [a, b]) judge.tell(took(hash), 1_000)
    judge.see(looks, 2_000)
    return verdictOf(judge)
  }
  const [has, lacks] = [{ mined: new Set([a]), pool: new Set([b]) }, { mined: new Set([a]) }]

  test('is counted in pairs of a transaction and a node that is up', () => {
    const two = [look('n0', has), look('n1', { ...lacks, pool: new Set() })]
    expect(after(judgeOf(delivered('tx', 0.75)), two)[0]).toBe(true)
    expect(after(judgeOf(delivered('tx', 0.8)), two)).toContain('3 of 4')
    const one = [look('n0', has), look('n1', { up: false })]
    expect(after(judgeOf(delivered('tx', 1)), one)[0]).toBe(true)
  })

  test('of blocks is the share of nodes at the highest head', () => {
    const looks = [look('n0', { height: 9 }), look('n1', { height: 8 })]
    expect(after(judgeOf(delivered('block', 0.5)), looks)[0]).toBe(true)
    expect(after(judgeOf(delivered('block', 0.6)), looks)).toContain('1 of 2')
  })
})

describe('what a node says when it is asked', () => {
  test('a ban counts when the node itself says so, at each of the nodes', () => {
    const judge = judgeOf(keepsOut('evil0').within('5s'))
    expect(judge.wants(0).standing).toEqual(['evil0'])
    judge.see([look('n0', { bans: new Set(['evil0']) }), look('n1', { bans: new Set() })], 1_000)
    judge.see([look('n0'), look('n1')], 7_000)
    expect(verdictOf(judge)).toEqual([false, 'not at n1; n1: it does not say that evil0 is banned'])
  })

  test('every transaction that left a chain since is explained by its reason, and there is one', () => {
    const claim = explained('reorg-too-deep').by('n1').within('20s').after('heal')
    const whysOf = (...reasons: readonly string[]) => new Map([[a, reasons]])
    const run = (whys: ReadonlyMap<Hash, readonly string[]>, leaves = true) => {
      const judge = judgeOf(claim)
      judge.tell(took(a), 500)
      judge.tell(took(b), 500)
      judge.see([look('n1', { mined: new Set([a, b]) })], 1_000)
      judge.tell({ type: 'step', index: 0 }, 10_000)
      judge.see([look('n1', { mined: new Set(leaves ? [b] : [a, b]) })], 11_000)
      const asked = judge.wants(11_000).whys
      judge.see([look('n1', { mined: new Set(leaves ? [b] : [a, b]), whys })], 12_000)
      return [asked, ...verdictOf(judge)]
    }
    const left = new Map([['n1', [a]]])
    expect(run(whysOf('mined', 'reorg-too-deep'))).toEqual([left, true, ''])
    expect(run(whysOf('included'))).toEqual([
      left,
      false,
      `not at n1; n1: 1 of 1 not for reorg-too-deep: ${a} included`,
    ])
    expect(run(new Map(), false)[2]).toBe('not at n1; n1: nothing left its chain')
  })
})

test('who is connected is seen at each of the nodes', () => {
  const judge = judgeOf(connected('evil0').by('n1').within('5s'))
  judge.see([look('n0', { peers: ['evil0'] }), look('n1', { peers: ['n0'] })], 6_000)
  expect(verdictOf(judge)).toEqual([false, 'not at n1; n1: connected with n0'])
  const met = judgeOf(connected('evil0').by('n1'))
  met.see([look('n1', { peers: ['evil0'] })], 1_000)
  expect(verdictOf(met)).toEqual([true, ''])
})

test('a ban that ends too early is no lift in time', () => {
  const claim = lifted('evil0').by('n1').notBefore('39s').within('46s').after(offences(3))
  const endsAt = (ms: number) => {
    const judge = judgeOf(claim)
    judge.tell({ type: 'offence', who: 'evil0', count: 3 }, 1_000)
    judge.tell(ban('n1'), 1_500)
    judge.tell({ type: 'lifted', node: 'n1', who: 'evil0' }, ms)
    return verdictOf(judge)
  }
  expect(endsAt(41_500)).toEqual([true, ''])
  expect(endsAt(20_000)).toEqual([
    false,
    'not at n1; n1 let in evil0 19000 ms after the trigger, too early',
  ])
})
