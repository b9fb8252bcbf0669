import {
  createBudget,
  createGuard,
  createPeers,
  createReputation,
  createRotation,
  createStanding,
  defaultGuard,
  type PeersMade,
  type RotationParts,
  type Step,
} from '@rockpool/p2p'
import type { NodeBuild } from '../api.ts'
import { lyingStores, type Planted, smallWorld } from './planted.ts'

export const banEarly: Planted = {
  name: 'ban-early',
  about: 'a ban is told before it is on the disk',
  fires: ['ban-broken'],
  seeds: 100,
  wishes: smallWorld,
  decorate: (build, _, world) => lyingStores(build, 'p2p', world),
}

export const banStatic: Planted = {
  name: 'ban-static',
  about: 'peers of the configuration are judged like all others',
  fires: ['static-banned'],
  seeds: 100,
  wishes: smallWorld,
  decorate: build => ({
    ...build,
    parts: {
      ...build.parts,
      createPeers: (parts, stored) => createPeers({ ...parts, statics: [] }, stored),
    },
  }),
}

/** Proof is nothing special here, so that all depends on the rotation. */
export const monitorIndex: Planted = {
  name: 'monitor-index',
  about: 'the rotation over peers keeps its place in the list when it takes a new one',
  fires: ['evil-not-banned'],
  seeds: 200,
  wishes: smallWorld,
  decorate: build => ({
    ...build,
    parts: {
      ...build.parts,
      createPeers: (parts, stored) =>
        createPeers(parts, stored, {
          createStanding: standing => ({ ...createStanding(standing), urgent: new Forgetful() }),
          createRotation: stuckRotation,
        }),
    },
  }),
}

export const guardBlind: Planted = {
  name: 'guard-blind',
  about: 'a node never notices that it is not well itself',
  fires: ['self-unaware'],
  seeds: 40,
  wishes: { family: 'sick' },
  decorate: build => withPeers(build, { createGuard: () => createGuard(blind) }),
}

export const budgetEndless: Planted = {
  name: 'budget-endless',
  about: 'a node bans as many peers as seem to deserve it, all at once',
  fires: ['ban-over-budget'],
  seeds: 40,
  wishes: { family: 'sick' },
  decorate: build =>
    withPeers(build, { createBudget: () => ({ ...createBudget(1), left: () => 1 }) }),
}

/** Proof of nothing, at the price of proof, and without an end. */
export const livenessBans: Planted = {
  name: 'liveness-bans',
  about: 'a peer that is slow three times is banned like one that lies three times',
  fires: ['honest-banned'],
  seeds: 40,
  wishes: { family: 'sick' },
  decorate: build =>
    withPeers(build, {
      createGuard: () => createGuard(blind),
      createReputation: stored => createReputation(stored, { points: harsh, livenessLeast: -200 }),
    }),
}

const blind = { ...defaultGuard, disabled: true }
const harsh: ReadonlyMap<string, number> = new Map([
  ['liveness/sync-timeout', -120],
  ['liveness/request-timeout', -120],
])

function withPeers(build: NodeBuild, made: Partial<PeersMade>): NodeBuild {
  const parts: NodeBuild['parts'] = {
    ...build.parts,
    createPeers: (peers, stored) => createPeers(peers, stored, made),
  }
  return { ...build, parts }
}

/** Takes nothing in. */
class Forgetful<T> extends Set<T> {
  override add(): this {
    return this
  }
}

/** Looks at peers by the position it has come to, in a list that is new each time it has come to the end. */
function stuckRotation(parts: RotationParts): ReturnType<typeof createRotation> {
  let index = 0
  return {
    tick(): readonly Step[] {
      const peer = parts.manager.peers()[index]
      if (peer === undefined) return [{ kind: 'idle' }]
      index += 1
      return createRotation({
        ...parts,
        manager: { ...parts.manager, peers: () => [peer] },
      }).tick()
    },
  }
}
