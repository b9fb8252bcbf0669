import { type GossipSubComponents, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { expect, test } from 'vitest'
import { routerOptions } from './options.ts'
import { type Router, routerOf } from './router.ts'
import { installScoreWatch } from './score-patches.ts'

const topic = '/rockpool/31337/d1164378/tx/1'
const mallory = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

/** The router's score, with the watch unless told otherwise, and every score computed afresh. */
function lab({ watched = true } = {}) {
  const quiet = Object.assign(() => {}, { error() {}, trace() {}, enabled: false })
  const logger = { forComponent: () => Object.assign(quiet, { newScope: () => quiet }) }
  const components = { logger } as unknown as GossipSubComponents
  const router = routerOf(
    gossipsub(routerOptions({ profile: 'devnet', topics: [topic] }))(components),
  )
  const faults: string[] = []
  const watch = installed(router, watched, faults)
  Object.assign(router.score, { scoreCacheValidityMs: -1 })
  return { score: router.score, watch, faults }
}

function installed(router: Router, watched: boolean, faults: string[]) {
  if (!watched) return undefined
  return installScoreWatch(router, { fault: (_, reason) => void faults.push(reason) })
}

/** Connects, and sends so many invalid messages. */
function offend({ score }: ReturnType<typeof lab>, times: number): void {
  score.addPeer(mallory)
  score.addIP(mallory, '203.0.113.7')
  for (let time = 0; time < times; time++) score.rejectInvalidMessage(mallory, topic)
}

test('a bad score survives a new connection; the router alone washes it away', () => {
  const watched = lab()
  const bare = lab({ watched: false })
  for (const each of [watched, bare]) {
    offend(each, 3)
    each.score.removePeer(mallory)
    each.score.addPeer(mallory)
  }

  expect(watched.score.score(mallory)).toBe(-90)
  expect(bare.score.score(mallory)).toBe(0)
})

test('a peer that comes again is counted at its new address only', () => {
  const { score, ...rest } = lab()
  offend({ score, ...rest }, 1)
  score.removePeer(mallory)

  score.addPeer(mallory)
  score.addIP(mallory, '198.51.100.9')

  expect([...(score.peerStats.get(mallory)?.knownIPs ?? [])]).toEqual(['198.51.100.9'])
})

test('what we tell the router counts there and is taken out for us', () => {
  const { score, watch } = lab()
  watch?.reputation(() => -50)
  offend({ score, watch, faults: [] }, 1)

  expect(score.score(mallory)).toBe(-60)
  expect(watch?.own(mallory)).toBe(-10)
})

test('a cached score is relieved of what was told when it was computed', () => {
  const { score, watch } = lab()
  let opinion = -50
  watch?.reputation(() => opinion)
  Object.assign(score, { scoreCacheValidityMs: 60_000 })
  offend({ score, watch, faults: [] }, 1)
  score.score(mallory)

  opinion = 20

  expect(watch?.own(mallory)).toBe(-10)
})

test('of a peer that left and came again the score is computed afresh', () => {
  const { score, watch } = lab()
  watch?.reputation(() => -50)
  Object.assign(score, { scoreCacheValidityMs: 60_000 })
  offend({ score, watch, faults: [] }, 1)
  score.score(mallory)
  score.removePeer(mallory)

  watch?.reputation(() => 5)
  score.addPeer(mallory)

  expect(score.score(mallory)).toBe(-5)
  expect(watch?.own(mallory)).toBe(-10)
})

test('a forgiven peer starts at nothing, connected or not', () => {
  const { score, watch } = lab()
  offend({ score, watch, faults: [] }, 3)
  watch?.forgive(mallory)
  expect(score.score(mallory)).toBe(0)
  expect([...(score.peerStats.get(mallory)?.knownIPs ?? [])]).toEqual(['203.0.113.7'])

  score.rejectInvalidMessage(mallory, topic)
  score.removePeer(mallory)
  watch?.forgive(mallory)
  score.addPeer(mallory)

  expect(score.score(mallory)).toBe(0)
})

test('penalties for manners are reported; the router alone tells nobody', () => {
  const { score, faults } = lab()
  score.addPeer(mallory)

  score.addPenalty(mallory, 1, 'graft_backoff')
  score.addPenalty(mallory, 3, 'broken_promise')
  score.addPenalty(mallory, 1, 'IP_colocation')

  expect(faults).toEqual(['gossip/graft-flood', 'gossip/broken-promise'])
})

test.each(['addPeer', 'addPenalty', 'removePeer'] as const)(
  'a router without score.%s refuses to start',
  name => {
    const { score } = lab({ watched: false })
    Object.assign(score, { [name]: undefined })

    expect(() => installScoreWatch({ score } as Router, { fault() {} })).toThrow(
      `p2p/router-patch-missing: score.${name} (gossipsub 17.1.1)`,
    )
  },
)
