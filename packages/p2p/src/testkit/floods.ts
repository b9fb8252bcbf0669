import { type Answer, failed, limits, ok, type Recovery, type TxRecord } from '@rockpool/protocol'
import { expect } from 'vitest'
import { aRaw, newRecovery, unrecoverable } from './wallets.ts'
import { batchOf, createWorld } from './world.ts'

/* Floods of transactions over gossip, from as many peers as their rates need; time passes between messages. */

const perMessage = limits.gossipTxsMax
const peers = 8
/** Half a new peer's rate, so that what is judged is the flood and not the toll. */
const betweenMs = 100

function counting() {
  const inner = newRecovery()
  let recovered = 0
  const recovery: Recovery = {
    known: inner.known,
    recover(txs) {
      recovered += txs.length
      return inner.recover(txs)
    },
  }
  return { recovery, recovered: () => recovered }
}

/** Sends whole messages until so many transactions were sent. Returns how many messages. */
async function flood(
  world: Awaited<ReturnType<typeof createWorld>>,
  count: number,
  make: (index: number) => Uint8Array,
  verdict: string,
): Promise<number> {
  const messages = Math.ceil(count / perMessage)
  for (let at = 0; at < messages; at++) {
    const raws = Array.from({ length: perMessage }, (_, index) => make(at * perMessage + index))
    expect(await world.judged(batchOf(...raws), `p${at % peers}`)).toBe(verdict)
    await world.pass(betweenMs)
  }
  return messages
}

/** A13 over gossip: each message has one signature that cannot be; it is rejected and charged, and what cannot be is never recovered. */
export async function badSignatures(count: number): Promise<void> {
  const { recovery, recovered } = counting()
  const world = await createWorld({ recovery })
  const bad = Array.from({ length: perMessage }, (_, index) => {
    const raw = aRaw({ from: 1 + (index % 16), value: BigInt(index + 1) })
    // s is above half the order.
    return raw.fill(0xfe, raw.length - 32)
  })
  const messages = await flood(
    world,
    count,
    index => bad[index % perMessage] as Uint8Array,
    'reject',
  )
  expect(recovered()).toBe(0)
  expect(world.pool.heard).toEqual([])
  expect(world.charges()).toHaveLength(messages)

  // One that only recovery tells is recovered once, whoever brings it again.
  const forged = unrecoverable({ from: 2, nonce: 9n })
  for (let time = 0; time < 3; time++)
    expect(await world.judged(batchOf(forged), `q${time}`)).toBe('reject')
  expect(recovered()).toBe(1)
  expect(await world.judged(batchOf(aRaw({ from: 3 })), 'honest')).toBe('accept')
}

/** A17 over gossip: what is pooled, and what the chain has passed, again and again. No signature is looked at twice, and nobody is rejected. */
export async function replays(count: number): Promise<void> {
  const { recovery, recovered } = counting()
  const stale = (tx: TxRecord): Answer<never> =>
    failed('pool/nonce-too-low', `nonce too low: next nonce 5, tx nonce ${tx.nonce}`)
  const world = await createWorld({
    recovery,
    pool: txs =>
      txs.map(tx => (tx.nonce < 5n ? stale(tx) : ok({ hash: tx.hash, half: 'pending' as const }))),
  })
  const raws = Array.from({ length: perMessage }, (_, index) =>
    aRaw({
      from: 1 + (index % 8),
      nonce: BigInt(index < perMessage / 2 ? 0 : 5),
      value: BigInt(index),
    }),
  )
  await world.judged(batchOf(...raws), 'first')
  const once = recovered()
  expect(once).toBe(perMessage)
  await flood(world, count, index => raws[index % perMessage] as Uint8Array, 'ignore')

  expect(recovered()).toBe(once)
  expect(world.charges().filter(charge => !charge.includes('flood'))).toEqual([])
}

/** A20 over gossip: what pays nothing is ignored before its signature is looked at, and the pool never hears of it. */
export async function payingNothing(count: number): Promise<void> {
  const { recovery, recovered } = counting()
  const world = await createWorld({ recovery })
  const raws = Array.from({ length: 512 }, (_, index) =>
    aRaw({ from: 1 + (index % 32), tip: 0n, nonce: BigInt(index) }),
  )
  await flood(world, count, index => raws[index % raws.length] as Uint8Array, 'ignore')

  expect(recovered()).toBe(0)
  expect(world.pool.heard).toEqual([])
  const { verdicts } = await world.stats()
  expect([...verdicts.keys()]).toEqual(['tx ignore pool/tip-below-minimum'])
}
