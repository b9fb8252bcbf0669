import { expect, test } from 'vitest'
import {
  heal,
  invalidTx,
  kill,
  net,
  noHonestBanned,
  poolsEqual,
  ready,
  start,
  txs,
} from './build.ts'
import type { ScenarioPlan } from './plan.ts'
import { shrinkScenario } from './shrink.ts'

const { plan } = net(6)
  .load(txs({ perSecond: 1 }), txs({ perSecond: 3 }))
  .evil(2, invalidTx())
  .at('5s', kill('n1'))
  .at('6s', kill('n3'))
  .at('8s', start('n1'))
  .at('9s', heal())
  .expect(noHonestBanned())
  .expect(ready('n3').within('5s').after('heal'))
  .expect(poolsEqual())
  .until('30s')
const claim = "ready('n3').within('5000ms').after('heal')"
const kills = ({ steps }: ScenarioPlan) =>
  steps.some(({ step }) => step.do === 'kill' && step.node === 'n3')

test('what a failure does not need is left out, and no plan is tried that could not begin', async () => {
  const tried: ScenarioPlan[] = []
  const fails = async (it: ScenarioPlan) => {
    tried.push(it)
    return kills(it)
  }
  const small = await shrinkScenario(plan, claim, fails, () => true)
  expect(small.steps.map(({ step }) => step.do)).toEqual(['kill', 'heal'])
  expect(small.expect).toHaveLength(1)
  expect([small.load, small.evil, small.nodes]).toEqual([[], [], 4])
  expect(tried.every(({ steps }) => steps.some(({ step }) => step.do === 'heal'))).toBe(true)
})

test('it ends when its time is over, with the smallest so far', async () => {
  let runs = 0
  const small = await shrinkScenario(
    plan,
    claim,
    async it => kills(it),
    () => (runs += 1) <= 1,
  )
  expect(small.expect).toHaveLength(1)
  expect(small.load).toHaveLength(2)
})
