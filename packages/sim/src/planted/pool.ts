import { type Pool, type PoolActorParts, poolActor } from '@rockpool/pool'
import { hearing, type Planted, smallWorld } from './planted.ts'

/** The pool's actor, its core changed as soon as it is made. */
function withPool(change: (pool: Pool) => void): typeof poolActor {
  return (parts: PoolActorParts) =>
    poolActor({
      ...parts,
      show: (pool, tracker) => {
        change(pool)
        parts.show?.(pool, tracker)
      },
    })
}

/** Seen in geth (#1664) and reth (#2040). */
export const reorgDrop: Planted = {
  name: 'reorg-drop',
  about: 'the pool forgets the transactions of a branch that left',
  fires: ['tx-lost-in-reorg', 'local-evicted'],
  seeds: 100,
  wishes: smallWorld,
  decorate: build => ({
    ...build,
    parts: {
      ...build.parts,
      poolActor: parts =>
        hearing(poolActor(parts), message =>
          message.type === 'chain.head' ? { ...message, removed: [] } : message,
        ),
    },
  }),
}

export const gapKept: Planted = {
  name: 'gap-kept',
  about: 'what stands behind a gap counts as executable, and goes on to',
  fires: ['nonce-gap', 'nonce-order', 'pool-unsound'],
  seeds: 100,
  wishes: smallWorld,
  decorate: build => ({
    ...build,
    parts: {
      ...build.parts,
      poolActor: withPool(pool => {
        const { holdings } = pool.inspect()
        holdings.takeReady = account => holdings.leftQueue(account, account.queue.ready(2n ** 64n))
        holdings.park = (account, run) => {
          account.pending.join(run)
          holdings.pendingCount += run.length
        }
      }),
    },
  }),
}

export const freeReplacement: Planted = {
  name: 'free-replacement',
  about: 'a nonce is replaced by whoever pays one wei more',
  fires: ['bad-replacement', 'local-evicted'],
  seeds: 100,
  wishes: smallWorld,
  decorate: ({ config, ...build }) => ({
    ...build,
    config: { ...config, pool: { ...config.pool, priceBump: 0 } },
  }),
}
