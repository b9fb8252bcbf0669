import { type Home, watcherActor } from '@rockpool/tower'
import { lyingStores, type Planted, smallWorld } from './planted.ts'

const watched = { ...smallWorld, appointments: { perSecond: 0.3 } }

export const receiptEarly: Planted = {
  name: 'receipt-early',
  about: 'a watchtower gives receipts before the appointment is on the disk',
  fires: ['receipt-not-durable'],
  seeds: 100,
  wishes: watched,
  decorate: (build, _, world) => lyingStores(build, 'tower', world),
}

export const towerHeadOnly: Planted = {
  name: 'tower-head-only',
  about: 'a watchtower looks into the newest block only',
  fires: ['breach-missed'],
  seeds: 100,
  wishes: watched,
  decorate: build => ({
    ...build,
    parts: {
      ...build.parts,
      watcherActor: parts => watcherActor({ ...parts, home: shortSighted(parts.home) }),
    },
  }),
}

/** Blocks below the newest look empty. */
function shortSighted(home: Home): Home {
  let newest = 0
  return {
    ...home,
    headOf(fact) {
      const place = home.headOf(fact)
      newest = place?.height ?? newest
      return place
    },
    block(ctx, height, map) {
      home.block(ctx, height, outcome => {
        const isBelow = outcome.ok && outcome.value !== null && height < newest
        return map(isBelow ? { ...outcome, value: { ...outcome.value, txs: [] } } : outcome)
      })
    },
  }
}
