import { validatePeerScoreThresholds } from '@chainsafe/libp2p-gossipsub/score'
import { expect, test } from 'vitest'
import { routerOptions } from './options.ts'
import {
  checkMesh,
  checkScores,
  type MeshOptions,
  type NetworkProfile,
  profiles,
  scoreParams,
  thresholds,
} from './profiles.ts'

const names: readonly NetworkProfile[] = ['devnet', 'small', 'public']
const topic = '/rockpool/31337/d1164378/tx/1'
const base = profiles.devnet.mesh

test.each(names)('profile %s passes its own checks and those of the library', name => {
  expect(checkMesh(profiles[name].mesh)).toBe(profiles[name].mesh)
  expect(() => checkScores(scoreParams(name, [topic]), thresholds)).not.toThrow()
  expect(() => validatePeerScoreThresholds(thresholds)).not.toThrow()
})

test.each<[Partial<MeshOptions>, Partial<MeshOptions>]>([
  [{ dout: 1 }, { dout: 0 }],
  [{ dlo: 2 }, { dlo: 1 }],
  [{ dlo: 4 }, { dlo: 5 }],
  [{ dhi: 4 }, { dhi: 3 }],
  [{ dhi: 1_000 }, { dhi: 1_001 }],
  [
    { d: 4, dlo: 3, dout: 2 },
    { d: 5, dlo: 4, dout: 3 },
  ],
  [{ mcacheGossip: 12 }, { mcacheGossip: 13 }],
  [{ heartbeatMs: 100 }, { heartbeatMs: 99 }],
  [{ d: 4 }, { d: 4.5 }],
])('a mesh with %j is taken, with %j refused', (good, bad) => {
  expect(checkMesh({ ...base, ...good })).toMatchObject(good)
  expect(() => checkMesh({ ...base, ...bad })).toThrow('config/bad-mesh: ')
})

test('scores the library refuses are refused with its words', () => {
  const params = { ...scoreParams('public', [topic]), decayInterval: 999 }

  expect(() => checkScores(params, thresholds)).toThrow(/^config\/bad-score: .*DecayInterval/)
  expect(() =>
    checkScores(scoreParams('public', [topic]), { ...thresholds, graylistThreshold: -10 }),
  ).toThrow(/^config\/bad-score: .*graylist/)
})

test('every topic is scored: in one that is not, invalid messages would be free', () => {
  const topics = [topic, '/rockpool/31337/d1164378/block/1']
  const { scoreParams: scores, allowedTopics } = routerOptions({ profile: 'small', topics })

  expect(Object.keys(scores?.topics ?? {})).toEqual(topics)
  expect([...(allowedTopics ?? [])]).toEqual(topics)
  expect(scores?.topics?.[topic]?.invalidMessageDeliveriesWeight).toBe(-10)
})

test('many peers on one address are exempt where neighbours are usual', () => {
  const exempt = (name: NetworkProfile, ip: string) =>
    scoreParams(name, []).IPColocationFactorWhitelist.has(ip)

  expect(
    ['127.0.0.1', '10.1.2.3', '192.168.1.9', '::1', 'fd00::1', '8.8.8.8', '2a00::1'].map(ip =>
      exempt('small', ip),
    ),
  ).toEqual([true, true, true, true, true, false, false])
  expect(['127.0.0.1', '::1', '10.1.2.3'].map(ip => exempt('public', ip))).toEqual([
    true,
    true,
    false,
  ])
  expect(scoreParams('devnet', []).IPColocationFactorWeight).toBe(0)
})
