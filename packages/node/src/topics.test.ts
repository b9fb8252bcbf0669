import { devGenesis } from '@rockpool/chain'
import type { Hash } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { topicsOf } from './topics.ts'

const genesisHash = `0x${'11'.repeat(32)}` as Hash

/** Remembers what was hashed; the digest itself is tested where it is made. */
function recorder() {
  const hashed: Uint8Array[] = []
  return {
    hashed,
    sha256(bytes: Uint8Array) {
      hashed.push(bytes)
      return new Uint8Array(32).fill(0xab)
    },
  }
}

test('topics and all protocols carry chain id and fork digest', () => {
  const genesis = devGenesis({ producers: [] })
  expect(topicsOf(genesis, genesisHash, recorder())).toEqual({
    forkDigest: 'abababab',
    tx: '/rockpool/1337/abababab/tx/1',
    block: '/rockpool/1337/abababab/block/1',
    blocks: '/rockpool/1337/abababab/blocks/1',
    poolSync: '/rockpool/1337/abababab/pool-sync/1',
    peers: '/rockpool/1337/abababab/peers/1',
    prefix: '/rockpool/1337/',
  })
})

test('every fork active at genesis counts eight bytes, a fork to come none', () => {
  const genesis = devGenesis({ producers: [] })
  const now = recorder()
  topicsOf(genesis, genesisHash, now)
  const later = recorder()
  topicsOf(
    { ...genesis, forks: { ...genesis.forks, osakaTime: genesis.timeSeconds + 1 } },
    genesisHash,
    later,
  )

  const prefix = 'rockpool/fork/1'.length + 32
  expect(now.hashed[0]?.length).toBe(prefix + 9 * 8)
  expect(later.hashed[0]?.length).toBe(prefix + 8 * 8)
})
