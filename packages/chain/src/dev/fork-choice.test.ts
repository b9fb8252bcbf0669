import type { Address, Hash } from '@rockpool/protocol'
import { hashOf, limits, quantityToBytes, zeroHash } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keccak256 } from '../testkit/keccak.ts'
import { addressAt } from '../testkit/wallets.ts'
import type { TreeBlock, Via } from './fork-choice.ts'
import { BlockTree, InvalidBlocks, isHeavier } from './fork-choice.ts'

const hashAt = (value: number): Hash => hashOf(keccak256(quantityToBytes(BigInt(value))))
const root: TreeBlock = {
  hash: hashAt(0),
  parent: zeroHash,
  number: 0,
  weight: 0,
  totalWeight: 0,
  producer: addressAt(0),
  size: 100,
}

interface Wish {
  readonly hash?: Hash
  readonly parent: TreeBlock
  readonly weight?: number
  readonly producer?: Address
  readonly size?: number
  readonly via?: Via
}

/** A tree with a hand to plant blocks in it. */
function aTree() {
  const tree = new BlockTree(root)
  let nextHash = 1
  const tryPlant = (wish: Wish) => {
    const { parent } = wish
    const block = {
      hash: wish.hash ?? hashAt(nextHash++),
      parent: parent.hash,
      number: parent.number + 1,
      weight: wish.weight ?? 1,
      producer: wish.producer ?? addressAt(nextHash),
      size: wish.size ?? 100,
    }
    return tree.add(block, wish.via ?? 'gossip')
  }
  const plant = (wish: Wish): TreeBlock => {
    const added = tryPlant(wish)
    if (added.code !== 'added') throw new Error(added.code)
    return added.block
  }
  const grow = (from: TreeBlock, count: number, wish: Partial<Wish> = {}): TreeBlock[] => {
    const branch: TreeBlock[] = []
    for (let left = count; left > 0; left--) {
      branch.push(plant({ ...wish, parent: branch.at(-1) ?? from }))
    }
    return branch
  }
  const follow = (branch: readonly TreeBlock[]): void => {
    for (const block of branch) tree.setHead(block.hash)
  }
  return { tree, plant, tryPlant, grow, follow }
}

describe('the best block', () => {
  test('has the greatest total weight, however many blocks that takes', () => {
    const { tree, plant, grow } = aTree()
    grow(root, 3)
    const heavy = plant({ parent: root, weight: 4 })

    expect(tree.best()).toBe(heavy)
  })

  test('is on a tie the one with the lower hash, whatever came first', () => {
    const [low, high] = [hashAt(7), hashAt(8)].sort()
    if (low === undefined || high === undefined) throw new Error()
    for (const order of [
      [low, high],
      [high, low],
    ]) {
      const { tree, plant } = aTree()
      for (const hash of order) plant({ parent: root, hash })

      expect(tree.best().hash).toBe(low)
    }
  })

  test('depends on the set of blocks alone, not on their order or on the heads between', () => {
    const shapes = fc.array(fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 25,
    })
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.boolean()), (shape, moves) => {
        const blocks: TreeBlock[] = [root]
        for (const [index, [pick, weight]] of shape.entries()) {
          const parent = blocks[pick % blocks.length] ?? root
          blocks.push({
            hash: hashAt(10_000 + index),
            parent: parent.hash,
            number: parent.number + 1,
            weight,
            totalWeight: parent.totalWeight + weight,
            producer: addressAt(index + 1),
            size: 100,
          })
        }
        const expected = blocks.reduce((best, block) => (isHeavier(block, best) ? block : best))
        const tree = new BlockTree(root)
        for (const block of blocks.slice(1)) {
          tree.add(block, 'fetch')
          const [move] = moves
          if (move === true) tree.setHead(tree.best().hash)
        }

        expect(tree.best().hash).toBe(expected.hash)
        expect(tree.best().totalWeight).toBe(expected.totalWeight)
      }),
    )
  })

  test('after a branch is rejected is the best of the others', () => {
    const { tree, plant, grow, follow } = aTree()
    const main = grow(root, 2)
    follow(main)
    const bad = grow(root, 4)
    const [first] = bad
    const other = plant({ parent: main[1] ?? root })
    expect(tree.best()).toBe(bad.at(-1))

    const dropped = tree.reject(first?.hash ?? zeroHash)

    expect([...dropped].sort()).toEqual(bad.map(({ hash }) => hash).sort())
    expect(tree.best()).toBe(other)
    expect(tree.head).toBe(main[1])
    expect(() => tree.reject(main[0]?.hash ?? zeroHash)).toThrow('canonical')
  })
})

describe('a block is taken', () => {
  test('once, and only on a parent that is known', () => {
    const { tree, plant, tryPlant } = aTree()
    const block = plant({ parent: root })

    expect(tree.has(block.hash)).toBe(true)
    expect(tryPlant({ parent: root, hash: block.hash })).toEqual({ code: 'chain/known' })
    expect(tryPlant({ parent: { ...root, hash: hashAt(999) } })).toEqual({
      code: 'chain/unknown-parent',
    })
  })

  test('from gossip less than 512 below the head, from a fetch less than 4,096', () => {
    const { tree, grow, follow, tryPlant } = aTree()
    const main = grow(root, limits.reorgDepthMax + 10)
    follow(main)
    const head = tree.head.number
    const on = (depth: number, via: Via) => {
      const parent = main[head - depth - 2]
      if (parent === undefined) throw new Error('too deep')
      return tryPlant({ parent, via }).code
    }

    expect(on(limits.sideHeightsMax - 1, 'gossip')).toBe('added')
    expect(on(limits.sideHeightsMax, 'gossip')).toBe('chain/too-old')
    expect(on(limits.sideHeightsMax, 'fetch')).toBe('added')
    expect(on(limits.reorgDepthMax - 1, 'fetch')).toBe('added')
    expect(on(limits.reorgDepthMax, 'fetch')).toBe('chain/too-old')
  })

  test('from one producer five times a height by gossip, and any number by fetch', () => {
    const { plant, tryPlant } = aTree()
    const producer = addressAt(0xbad)
    for (let left = limits.producerBlocksPerHeight; left > 0; left--)
      plant({ parent: root, producer })

    expect(tryPlant({ parent: root, producer }).code).toBe('chain/too-many-at-height')
    expect(tryPlant({ parent: root }).code).toBe('added')
    expect(tryPlant({ parent: root, producer, via: 'fetch' }).code).toBe('added')
  })

  test('beyond eight at a height only in place of a lighter one', () => {
    const { tree, plant, tryPlant, follow } = aTree()
    const main = plant({ parent: root, weight: 9 })
    follow([main])
    const lightest = plant({ parent: root, weight: 2 })
    for (let left = limits.sideBlocksPerHeight - 1; left > 0; left--)
      plant({ parent: root, weight: 3 })

    expect(tryPlant({ parent: root, weight: 1 }).code).toBe('chain/too-many-at-height')
    expect(tryPlant({ parent: root, weight: 4 })).toMatchObject({
      code: 'added',
      evicted: [lightest.hash],
    })
    expect(tree.has(lightest.hash)).toBe(false)
    expect(tree.has(main.hash)).toBe(true)
  })

  test('as an ancestor of a heavier head whatever stands at its height, and gossip cannot push it out', () => {
    const { tree, plant, tryPlant } = aTree()
    for (let left = limits.sideBlocksPerHeight; left > 0; left--) plant({ parent: root, weight: 3 })
    const ancestor = plant({ parent: root, weight: 1, via: 'fetch' })

    tryPlant({ parent: root, weight: 9 })

    expect(tree.has(ancestor.hash)).toBe(true)
  })

  test('while side branches stay within their bytes; the lightest leaf goes first', () => {
    const { tree, plant, tryPlant, follow } = aTree()
    follow([plant({ parent: root, weight: 9, size: limits.sideBytesMax })])
    const half = limits.sideBytesMax / 2
    const light = plant({ parent: root, weight: 1, size: half })
    const heavy = plant({ parent: root, weight: 3, size: half })

    expect(tree.sideBytes).toBe(limits.sideBytesMax)
    expect(tryPlant({ parent: heavy, weight: 1, size: 1 })).toMatchObject({ evicted: [light.hash] })
    expect(tryPlant({ parent: root, weight: 1, size: half }).code).toBe('chain/too-many-at-height')
    expect(tree.sideBytes).toBe(half + 1)
  })
})

describe('the path between two heads', () => {
  test('goes down newest first and up oldest first', () => {
    const { tree, grow } = aTree()
    const [fork] = grow(root, 1)
    const left = grow(fork ?? root, 2)
    const right = grow(fork ?? root, 3)

    expect(tree.path(left[1]?.hash ?? zeroHash, right[2]?.hash ?? zeroHash)).toEqual({
      ancestor: fork,
      removed: [left[1], left[0]],
      added: right,
    })
  })

  test('to a descendant only adds, to itself does nothing, to a stranger is none', () => {
    const { tree, grow } = aTree()
    const branch = grow(root, 2)
    const top = branch[1]?.hash ?? zeroHash

    expect(tree.path(root.hash, top)).toEqual({
      ancestor: tree.get(root.hash),
      removed: [],
      added: branch,
    })
    expect(tree.path(top, root.hash)).toEqual({
      ancestor: tree.get(root.hash),
      removed: [...branch].reverse(),
      added: [],
    })
    expect(tree.path(top, top)).toMatchObject({ removed: [], added: [] })
    expect(tree.path(top, hashAt(999))).toBeUndefined()
  })

  test('is found over 4,095 blocks, with its canonical heights moved', () => {
    const { tree, grow, follow } = aTree()
    const depth = limits.reorgDepthMax - 1
    const old = grow(root, depth)
    follow(old)
    const next = grow(root, depth, { via: 'fetch', weight: 2 })
    const best = tree.best()

    expect(best).toBe(next.at(-1))
    tree.setHead(best.hash)
    expect(tree.head).toBe(best)
    expect(tree.isCanonical(next[0]?.hash ?? zeroHash)).toBe(true)
    expect(tree.isCanonical(old[0]?.hash ?? zeroHash)).toBe(false)
    expect(tree.canonicalAt(depth)).toBe(best.hash)
  })
})

describe('what is forgotten', () => {
  test('a side branch of gossip 512 below the head, with all that stands on it; a fetched one is kept', () => {
    const { tree, grow, plant, follow } = aTree()
    const main = grow(root, limits.sideHeightsMax + 5)
    follow(main.slice(0, 5))
    const side = plant({ parent: root })
    const fetched = plant({ parent: root, via: 'fetch' })
    follow(main.slice(5, limits.sideHeightsMax))
    expect(tree.has(side.hash)).toBe(true)

    follow(main.slice(limits.sideHeightsMax))

    expect(tree.has(side.hash)).toBe(false)
    expect(tree.has(fetched.hash)).toBe(true)
  })

  test('everything 4,096 below the head, so that the tree stays bounded', () => {
    const { tree, grow, follow, plant } = aTree()
    plant({ parent: root, via: 'fetch' })
    follow(grow(root, limits.reorgDepthMax + 50))

    expect(tree.size).toBe(limits.reorgDepthMax + 1)
    expect(tree.sideBytes).toBe(0)
    expect(tree.canonicalAt(49)).toBeUndefined()
    expect(tree.canonicalAt(50)).toBeDefined()
  })
})

test('two blocks of one producer on one parent are found, as evidence', () => {
  const { tree, plant } = aTree()
  const producer = addressAt(5)
  const one = plant({ parent: root, producer })
  plant({ parent: root })
  const two = plant({ parent: root, producer })

  expect(tree.siblings(root.hash, producer)).toEqual([one, two])
  expect(tree.siblings(one.hash, producer)).toEqual([])
})

describe('a block that failed execution', () => {
  const seal = Uint8Array.of(1, 2, 3)

  test('is remembered for an hour, by hash and seal', () => {
    const invalid = new InvalidBlocks()
    invalid.mark(hashAt(1), seal, 1_000)

    expect(invalid.has(hashAt(1), seal, 1_000 + 3_599_999)).toBe(true)
    expect(invalid.has(hashAt(1), seal, 1_000 + 3_600_000)).toBe(false)
    expect(invalid.has(hashAt(1), Uint8Array.of(9), 1_000)).toBe(false)
    expect(invalid.has(hashAt(2), seal, 1_000)).toBe(false)
  })

  test('pushes out the oldest beyond 1,024', () => {
    const invalid = new InvalidBlocks()
    for (let value = 0; value <= limits.invalidBlocksMax; value++)
      invalid.mark(hashAt(value), seal, 0)

    expect(invalid.has(hashAt(0), seal, 1)).toBe(false)
    expect(invalid.has(hashAt(1), seal, 1)).toBe(true)
    expect(invalid.has(hashAt(limits.invalidBlocksMax), seal, 1)).toBe(true)
  })
})
