import type { Header } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { aGenesis } from '../testkit/chains.ts'
import { Forge, type Forged } from '../testkit/forge.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { walletOf } from '../testkit/wallets.ts'
import { Judge } from './judge.ts'
import { Orphans, type SealedBlock } from './orphans.ts'

const producer = walletOf(1)
const genesis = aGenesis({ producers: [producer.address] })
const forge = new Forge(genesis, [producer])
const now = 1_700_000_000_000

function judgeAt(head: number, known: readonly Header[] = [forge.root.header]) {
  const byHash = new Map(known.map(header => [header.hash, header]))
  return new Judge({
    genesis,
    keccak256,
    headerOf: hash => byHash.get(hash),
    headNumber: () => head,
  })
}

function sealed({ header, frame }: Forged, bytes = 10): SealedBlock {
  return { header, frame, encoded: new Uint8Array(bytes), from: 'm', via: 'gossip' }
}

describe('the judge', () => {
  test('gossip 512 below the head is too old, 511 is not; a fetch may go 4,095 deep', () => {
    const block = forge.next(forge.root)
    const codeAt = (head: number, via: 'gossip' | 'fetch') =>
      judgeAt(head).place({ header: block.header, via }, now + 60_000, now + 60_000)?.code

    expect(codeAt(1 + limits.sideHeightsMax, 'gossip')).toBe('chain/too-old')
    expect(codeAt(limits.sideHeightsMax, 'gossip')).toBeUndefined()
    expect(codeAt(1 + limits.reorgDepthMax, 'fetch')).toBe('chain/too-old')
    expect(codeAt(limits.reorgDepthMax, 'fetch')).toBeUndefined()
  })

  test('what failed execution is out for an hour, to the millisecond', () => {
    const judge = judgeAt(0)
    const bad = forge.next(forge.root)
    const child = forge.next(bad)
    judge.condemn(bad.header.hash, bad.frame.seal, now)
    const until = now + limits.invalidBlockMs

    expect(judge.open(bad.frame, 'm', 'gossip', until - 1)).toMatchObject({
      check: 'judged-before',
    })
    expect(judge.open(bad.frame, 'm', 'gossip', until)).toMatchObject({ header: bad.header })
    expect(judge.place(sealed(child), until - 1, until)).toMatchObject({ check: 'parent' })
    expect(judge.place(sealed(child), until, until)).toMatchObject({ code: 'chain/unknown-parent' })
  })

  test('the same block under another seal is judged anew', () => {
    const judge = judgeAt(0)
    const bad = forge.next(forge.root)
    judge.condemn(bad.header.hash, bad.frame.seal, now)
    const other = walletOf(7)
    const again = forge.altered(bad, {}, [], other)

    expect(again.header.hash).toBe(bad.header.hash)
    expect(judge.open(again.frame, 'm', 'gossip', now)).toMatchObject({ header: bad.header })
  })
})

describe('orphans', () => {
  const row = forge.row(forge.root, limits.orphansMax + 1)

  test('the 65th pushes the oldest out', () => {
    const orphans = new Orphans()
    for (const block of row) orphans.add(sealed(block), now, null)

    expect(orphans.size).toBe(limits.orphansMax)
    expect(orphans.has(row[0]?.header.hash ?? forge.root.header.hash)).toBe(false)
    expect(orphans.highest).toBe(65)
  })

  test('sixteen MiB fit and one byte more does not', () => {
    const orphans = new Orphans()
    const [a, b] = row as [Forged, Forged]
    orphans.add(sealed(a, limits.orphanBytesMax - 5), now, null)
    orphans.add(sealed(b, 5), now, null)
    expect(orphans.size).toBe(2)
    orphans.add(sealed(b, 6), now, null)
    expect(orphans.has(a.header.hash)).toBe(false)
  })

  test('a block from the future waits until it is due, one due too late is not kept', () => {
    const orphans = new Orphans()
    const [a, b] = row as [Forged, Forged]
    orphans.add(sealed(a), now, { atMs: now + limits.orphanMs, waitMs: limits.orphanMs })
    orphans.add(sealed(b), now, {
      atMs: now + limits.orphanMs + 1,
      waitMs: limits.orphanMs + 1,
    })

    expect(orphans.size).toBe(1)
    expect(orphans.nextMs(chainMs => chainMs)).toBe(now + limits.orphanMs)
    expect(orphans.takeDue(now + limits.orphanMs - 1, now + limits.orphanMs - 1)).toEqual([])
    expect(orphans.takeDue(now + limits.orphanMs, now + limits.orphanMs)).toHaveLength(1)
    expect(orphans.nextMs(chainMs => chainMs)).toBeUndefined()
  })

  test('children are taken by their parent, once', () => {
    const orphans = new Orphans()
    const [a, b] = row as [Forged, Forged]
    orphans.add(sealed(b), now, null)

    expect(orphans.takeChildren(forge.root.header.hash)).toEqual([])
    expect(orphans.takeChildren(a.header.hash)).toHaveLength(1)
    expect(orphans.takeChildren(a.header.hash)).toEqual([])
  })
})
