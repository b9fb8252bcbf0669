import {
  type ChainParts,
  chainActor,
  type DevChain,
  type Path,
  producerActor,
  type TreeBlock,
} from '@rockpool/chain'
import type { Hash } from '@rockpool/protocol'
import type { NodeBuild } from '../api.ts'
import { lyingStores, type Planted, smallWorld } from './planted.ts'

/** The chain's actor, its core changed as soon as it is made. */
function withChain(change: (chain: DevChain) => void): (build: NodeBuild) => NodeBuild {
  const changed = (parts: ChainParts) =>
    chainActor({
      ...parts,
      show: chain => {
        change(chain)
        parts.show?.(chain)
      },
    })
  return build => ({ ...build, parts: { ...build.parts, chainActor: changed } })
}

const dev = { ...smallWorld, chain: 'dev' } as const

export const undoTip: Planted = {
  name: 'undo-tip',
  about: 'taking a block back leaves its producer what it earned',
  fires: ['balance-sum', 'undo-identity', 'state-drift', 'bad-root', 'one-head'],
  seeds: 100,
  wishes: dev,
  decorate: withChain(chain => {
    const prepare = chain.prepare.bind(chain)
    chain.prepare = (path, read) => {
      const forgetful = new Map(read)
      for (const { hash, producer } of path.removed) {
        const there = read.get(hash) ?? chain.resident(hash)
        if (there?.undo === undefined) continue
        const undo = new Map(there.undo)
        undo.delete(producer)
        forgetful.set(hash, { ...there, undo })
      }
      return prepare(path, forgetful)
    }
  }),
}

export const lighterWins: Planted = {
  name: 'lighter-wins',
  about: 'of two blocks on one parent the lighter one is the head',
  fires: ['lighter-head', 'one-head'],
  seeds: 100,
  wishes: dev,
  decorate: withChain(chain => {
    const plan = chain.plan.bind(chain)
    chain.plan = only => {
      const path = plan(only)
      if (path?.added.at(-1)?.number === chain.head.number) return null
      return path ?? (only === undefined ? null : toLighter(chain, only))
    }
  }),
}

/** The way from the head to a lighter block beside it. */
function toLighter(chain: DevChain, hash: Hash): Path | null {
  const blockOf = (of: Hash): TreeBlock | undefined => {
    const node = chain.node(of)
    if (node === undefined) return undefined
    const { header, size, totalWeight } = node
    const { number, producer, parentHash: parent } = header
    return { hash: of, parent, number, producer, size, totalWeight, weight: 0 }
  }
  const [lighter, head] = [blockOf(hash), blockOf(chain.head.hash)]
  const ancestor = head === undefined ? undefined : blockOf(head.parent)
  if (lighter === undefined || head === undefined || ancestor === undefined) return null
  if (lighter.parent !== head.parent || lighter.totalWeight >= head.totalWeight) return null
  return { ancestor, removed: [head], added: [lighter] }
}

export const removedUntold: Planted = {
  name: 'removed-untold',
  about: 'nobody hears of the transactions of a branch that left',
  fires: ['tx-lost-in-reorg', 'local-evicted'],
  seeds: 100,
  wishes: dev,
  decorate: withChain(chain => {
    const commit = chain.commit.bind(chain)
    chain.commit = change => {
      const head = commit(change)
      return { ...head, removed: head.removed.map(block => ({ ...block, txs: [] })) }
    }
  }),
}

/** What the node signed is forgotten by a crash, and so is the block, since the disk is not waited for. */
export const signsAgain: Planted = {
  name: 'signs-again',
  about: 'after a restart a producer signs a second block on one parent',
  fires: ['double-block'],
  seeds: 100,
  wishes: dev,
  decorate: (build, _, world) => lyingStores(build, 'chain', world),
}

export const noSpacing: Planted = {
  name: 'no-spacing',
  about: 'producers do not wait for their turn and nobody minds',
  fires: ['bad-header'],
  seeds: 100,
  wishes: dev,
  decorate: build => {
    const unminding = withChain(chain => {
      const place = chain.judge.place.bind(chain.judge)
      chain.judge.place = (...judged) => {
        const refusal = place(...judged)
        return refusal?.code === 'chain/too-early' ? null : refusal
      }
    })(build)
    return {
      ...unminding,
      parts: {
        ...unminding.parts,
        producerActor: parts => {
          const { genesis } = parts
          const hurried = { ...genesis, blockTimeMs: Math.ceil(genesis.blockTimeMs / 2) }
          return producerActor({ ...parts, genesis: hurried })
        },
      },
    }
  },
}
