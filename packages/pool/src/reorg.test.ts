import { type ChainHead, zeroAddress, zeroHash } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { resetPath } from './reorg.ts'
import { aHead, aTx, Bench } from './testing.ts'

function fact(from: number, to: number): ChainHead {
  const [old, head] = [aHead({ number: from }), aHead({ number: to, branch: 'other' })]
  const header = {
    ...{ ...old, producer: zeroAddress, stateRoot: zeroHash, transactionsRoot: zeroHash },
    ...{ receiptsRoot: zeroHash, extraData: new Uint8Array(0) },
  }
  const block = { header, txs: [aTx()], seal: new Uint8Array(0), size: 0 }
  const ancestor = { hash: zeroHash, number: 0 }
  return { type: 'chain.head', old, new: head, ancestor, removed: [block], added: [] }
}

describe('the path from one head to another', () => {
  test.each([
    [100, 164, 'reorg'],
    [100, 165, 'deep'],
    [164, 100, 'reorg'],
    [165, 100, 'deep'],
    [100, 100, 'reorg'],
  ])('from height %i to %i is %s: 64 heights apart still come back', (from, to, kind) => {
    expect(resetPath(fact(from, to)).kind).toBe(kind)
  })

  test('without a block that left it is the next one, however far', () => {
    expect(resetPath({ ...fact(0, 90), removed: [] }).kind).toBe('deep')
    expect(resetPath({ ...fact(0, 9), removed: [] }).kind).toBe('child')
  })
})

test('what both branches hold is neither brought back nor told as lost', () => {
  const bench = new Bench()
  const [both, left] = [aTx({ from: 0 }), aTx({ from: 1 })]
  bench.set(0, { nonce: 1n })
  const { dropped, added } = bench.reset({
    ...{ kind: 'reorg', discarded: [both, left], included: new Set([both.hash]) },
  })
  expect(added).toEqual([left.hash])
  expect(dropped).toEqual([])
})
