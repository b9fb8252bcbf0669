import { Rng } from '@rockpool/actor'
import { devGenesis, type Genesis } from '@rockpool/chain'
import type { Inside, Node } from '@rockpool/node'
import type { Address } from '@rockpool/protocol'
import type { SimNode, Violation, WorldView } from '../api.ts'
import { calmOptions } from '../options.ts'
import { testCrypto } from './crypto.ts'

export const producer = '0x00000000000000000000000000000000000000fe' as Address

/** What a test says of a node; the rest is a healthy one that is up. */
export interface FakeNode {
  readonly name: string
  up: boolean
  isEvil: boolean
  boots: number
  upSinceMs: number
  inside: Inside
  bus?: Node['bus']
}

export interface FakeWorld {
  readonly world: WorldView
  readonly nodes: readonly FakeNode[]
  readonly violations: Omit<Violation, 'atMs'>[]
  /** Ids of all violations so far. */
  ids(): string[]
  at(ms: number): void
}

/** A world that only stands there: for books, which are told by hand what happens in it. */
export function aWorld(
  count = 2,
  given: { chain?: 'dev' | 'source'; genesis?: Genesis } = {},
): FakeWorld {
  const violations: Omit<Violation, 'atMs'>[] = []
  const nodes: FakeNode[] = Array.from({ length: count }, (_, index) => ({
    ...{ name: `n${index}`, up: true, isEvil: false, boots: 1, upSinceMs: 0, inside: {} },
  }))
  let now = 0
  const views = nodes.map(
    (fake, index): SimNode => ({
      ...{ name: fake.name, index, peer: `peer${index}`, addr: '', ip: '', sealer: producer },
      get isEvil() {
        return fake.isEvil
      },
      get up() {
        return fake.up
      },
      get boots() {
        return fake.boots
      },
      get upSinceMs() {
        return fake.upSinceMs
      },
      get running() {
        // Books see of a node what this has, and no more.
        return { bus: fake.bus, inside: () => fake.inside } as unknown as Node
      },
      nowMs: () => now,
      wallMs: () => now,
    }),
  )
  const genesis = given.genesis ?? devGenesis({ producers: [producer] })
  const view: Partial<WorldView> = {
    options: calmOptions({ chain: given.chain ?? 'dev' }),
    genesis,
    names: { tx: '/tx', block: '/block', blocks: '/blocks', poolSync: '/sync' } as never,
    crypto: testCrypto,
    get nowMs() {
      return now
    },
    healMs: 60_000,
    healedMs: 0,
    nodes: views,
    fork: name => new Rng(name),
    reaches: () => true,
    violate: violation => void violations.push(violation),
    sometimes() {},
    count() {},
    tower: undefined,
  }
  return {
    world: view as WorldView,
    nodes,
    violations,
    ids: () => violations.map(({ id }) => id),
    at(ms) {
      now = ms
    },
  }
}
