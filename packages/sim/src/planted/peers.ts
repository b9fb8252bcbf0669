import {
  createPeers,
  createRotation,
  createStanding,
  type RotationParts,
  type Step,
} from '@rockpool/p2p'
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
