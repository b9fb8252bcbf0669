import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChainHead } from './events.ts'
import { joinHeads, type PathBlock, reorgPath } from './reorg-path.ts'
import type { Block, Head, Header } from './values/block.ts'
import type { Hash } from './values/bytes.ts'

type Tx = { readonly hash: Hash }
type TestBlock = PathBlock<Tx> & { readonly txs: readonly Tx[] }

const hash = (text: string) => text as Hash
const tx = (text: string): Tx => ({ hash: hash(text) })

/** Blocks by hash; each given as parent, name, transactions. The first one's parent is nobody. */
function aTree(...rows: readonly (readonly [parent: string, name: string, ...txs: string[]])[]) {
  const blocks = new Map<Hash, TestBlock>()
  for (const [parent, name, ...txs] of rows) {
    const number = (blocks.get(hash(parent))?.number ?? -1) + 1
    blocks.set(hash(name), { hash: hash(name), parent: hash(parent), number, txs: txs.map(tx) })
  }
  const of = (name: string): TestBlock => {
    const block = blocks.get(hash(name))
    if (block === undefined) throw new Error(`no block ${name}`)
    return block
  }
  return { blocks, of, get: (key: Hash) => blocks.get(key) }
}

const names = (blocks: readonly { readonly hash: Hash }[]) => blocks.map(block => block.hash)

describe('reorgPath', () => {
  const tree = aTree(
    ['-', 'g'],
    ['g', 'a1', 't1', 't2'],
    ['a1', 'a2', 't3', 't4'],
    ['g', 'b1', 't3'],
    ['b1', 'b2'],
    ['b2', 'b3', 't1'],
  )

  test('a child of the old head, or a first head, is a child', () => {
    const grown = reorgPath(tree.get, tree.of('a1'), tree.of('a2'))
    const first = reorgPath(tree.get, null, tree.of('a2'))

    expect(grown).toMatchObject({
      kind: 'child',
      discarded: [],
      removed: [],
      added: [{ hash: 'a2' }],
    })
    expect(first).toMatchObject({ kind: 'child', included: new Set(['t3', 't4']) })
  })

  test('both branches are walked to the common block', () => {
    const path = reorgPath(tree.get, tree.of('a2'), tree.of('b3'))

    if (path.kind === 'missing') throw new Error('missing')
    expect(path.kind).toBe('reorg')
    expect(names(path.removed)).toEqual(['a2', 'a1'])
    expect(names(path.added)).toEqual(['b1', 'b2', 'b3'])
    expect(names(path.discarded)).toEqual(['t3', 't4', 't1', 't2'])
    expect(path.included).toEqual(new Set(['t3', 't1']))
  })

  test('a head that is an ancestor or skips blocks is a reorg with one empty side', () => {
    const back = reorgPath(tree.get, tree.of('a2'), tree.of('g'))
    const jump = reorgPath(tree.get, tree.of('g'), tree.of('b3'))

    expect(back).toMatchObject({
      kind: 'reorg',
      removed: [{ hash: 'a2' }, { hash: 'a1' }],
      added: [],
    })
    expect(jump).toMatchObject({ kind: 'reorg', removed: [], added: { length: 3 } })
  })

  test('the same head again is an empty reorg', () => {
    expect(reorgPath(tree.get, tree.of('a2'), tree.of('a2'))).toMatchObject({
      kind: 'reorg',
      removed: [],
      added: [],
    })
  })

  test('what is missing is named', () => {
    const without =
      (...gone: string[]) =>
      (key: Hash) =>
        gone.includes(key) ? undefined : tree.get(key)
    const path = (gone: string, old: string, next: string) =>
      reorgPath(without(gone), tree.of(old), tree.of(next))

    expect(path('a2', 'a2', 'b3')).toEqual({ kind: 'missing', what: 'old' })
    expect(path('a2', 'a2', 'b2')).toEqual({ kind: 'missing', what: 'old' })
    expect(path('a2', 'a2', 'b1')).toMatchObject({ kind: 'sethead', discarded: [], removed: [] })
    expect(path('b3', 'a2', 'b3')).toEqual({ kind: 'missing', what: 'new' })
    expect(path('b1', 'a2', 'b3')).toEqual({ kind: 'missing', what: 'new' })
    expect(path('a1', 'a2', 'b3')).toEqual({ kind: 'missing', what: 'new' })
    expect(path('g', 'a2', 'b3')).toEqual({ kind: 'missing', what: 'new' })
  })

  test('65 heights apart is deep, 64 is not', () => {
    const rows = Array.from({ length: 66 }, (_, n) => [`c${n - 1}`, `c${n}`, `t${n}`] as const)
    const chain = aTree(...rows)

    expect(reorgPath(chain.get, chain.of('c65'), chain.of('c1'))).toMatchObject({ kind: 'reorg' })
    expect(reorgPath(chain.get, chain.of('c65'), chain.of('c0'))).toMatchObject({
      kind: 'deep',
      discarded: { length: 65 },
    })
    expect(reorgPath(chain.get, chain.of('c0'), chain.of('c65'))).toMatchObject({ kind: 'deep' })
    expect(reorgPath(() => undefined, chain.of('c65'), chain.of('c0'))).toMatchObject({
      kind: 'deep',
      discarded: [],
      added: [],
    })
  })
})

/** A random tree: block i hangs on one of the blocks before it. */
const trees = fc
  .array(fc.tuple(fc.nat(), fc.array(fc.nat(20), { maxLength: 3 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map(rows =>
    aTree(
      ['-', 'b0'],
      ...rows.map(([parent, txs], index) => {
        const unique = [...new Set(txs)].map(id => `t${id}`)
        return [`b${Math.max(index - (parent % 4), 0)}`, `b${index + 1}`, ...unique] as const
      }),
    ),
  )

test('agrees with sets of ancestors on random trees', () => {
  fc.assert(
    fc.property(trees, fc.nat(), fc.nat(), (tree, first, second) => {
      const all = [...tree.blocks.values()]
      const old = all[first % all.length] as TestBlock
      const next = all[second % all.length] as TestBlock
      const ancestors = (block: TestBlock): TestBlock[] => {
        const parent = tree.get(block.parent)
        return parent === undefined ? [block] : [block, ...ancestors(parent)]
      }
      const ofOld = new Set(ancestors(old))
      const ofNext = new Set(ancestors(next))
      const child = next.parent === old.hash

      const path = reorgPath(tree.get, old, next)

      if (path.kind === 'missing') throw new Error('nothing is missing')
      expect(path.kind).toBe(child ? 'child' : 'reorg')
      expect(path.removed).toEqual([...ofOld].filter(block => !ofNext.has(block)))
      expect(path.added).toEqual([...ofNext].filter(block => !ofOld.has(block)).reverse())
      expect(path.discarded).toEqual(path.removed.flatMap(block => block.txs))
      expect(path.included).toEqual(
        new Set(path.added.flatMap(block => block.txs.map(t => t.hash))),
      )
    }),
    { numRuns: 500 },
  )
})

/** The fact a chain would tell when its head moves from one block to another. */
function aFact(tree: ReturnType<typeof aTree>, old: TestBlock, next: TestBlock): ChainHead {
  const path = reorgPath(tree.get, old, next)
  if (path.kind === 'missing') throw new Error('nothing is missing')
  const lowest = path.added[0] ?? path.removed.at(-1)
  const ancestor = lowest === undefined ? next : (tree.get(lowest.parent) as TestBlock)
  return {
    type: 'chain.head',
    old: old as unknown as Head,
    new: next as unknown as Head,
    ancestor: { hash: ancestor.hash, number: ancestor.number },
    removed: path.removed.map(asBlock),
    added: path.added.map(asBlock),
  }
}

function asBlock({ hash: own, parent, number }: PathBlock<Tx>): Block {
  const header = { hash: own, parentHash: parent, number } as Header
  return { header, txs: [], seal: new Uint8Array(0), size: 0 }
}

describe('joinHeads', () => {
  test('two facts in a row are the one fact from the first old to the last new head', () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.nat(), fc.nat(), (tree, first, second, third) => {
        const all = [...tree.blocks.values()]
        const pick = (index: number) => all[index % all.length] as TestBlock
        const [a, b, c] = [pick(first), pick(second), pick(third)]

        expect(joinHeads(aFact(tree, a, b), aFact(tree, b, c))).toEqual(aFact(tree, a, c))
      }),
      { numRuns: 1_000 },
    )
  })

  test('there and back again is nothing', () => {
    const tree = aTree(['-', 'g'], ['g', 'a'], ['g', 'b'])
    const there = aFact(tree, tree.of('a'), tree.of('b'))

    expect(joinHeads(there, aFact(tree, tree.of('b'), tree.of('a')))).toMatchObject({
      ancestor: { hash: 'a' },
      removed: [],
      added: [],
    })
  })

  test('facts that do not follow each other are a bug', () => {
    const tree = aTree(['-', 'g'], ['g', 'a'], ['g', 'b'])
    const fact = aFact(tree, tree.of('g'), tree.of('a'))

    expect(() => joinHeads(fact, fact)).toThrow('heads do not follow')
  })
})
