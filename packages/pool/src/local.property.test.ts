import type { Hash, TxRecord } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { journalKeys } from './journal.ts'
import { createLocalRoom, createWallets, hashesOf, SlowStore } from './local-room.ts'

/* Whatever was answered before a crash is there after it, or has been mined, or has made way with a reason. */

type Step =
  | { do: 'submit'; key: number; nonce: number; fee: number }
  | { do: 'flush' | 'mine' | 'pause' | 'look' | 'fill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      key: fc.nat(2),
      nonce: fc.nat(4),
      fee: fc.nat(3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('flush', 'mine', 'pause', 'look', 'fill') }),
  },
)

const feeOf = (fee: number) => ({ feeCap: BigInt(1_000 + 500 * fee), tip: BigInt(10 + 10 * fee) })

test('a crash at any moment loses nothing that was answered, and a second reload changes nothing', async () => {
  const wallets = await createWallets()
  const signed = new Map<string, Uint8Array>()
  const hashes = new Map<Hash, { key: number; nonce: number }>()
  function rawOf({ key, nonce, fee }: { key: number; nonce: number; fee: number }): Uint8Array {
    const known = signed.get(`${key} ${nonce} ${fee}`)
    if (known !== undefined) return known
    const raw = wallets.sign(key, { nonce: BigInt(nonce), ...feeOf(fee) })
    signed.set(`${key} ${nonce} ${fee}`, raw)
    hashes.set(wallets.hashOf(raw), { key, nonce })
    return raw
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.constantFrom('kill' as const, 'power cut' as const),
      fc.boolean(),
      async (steps, crash, isTiny) => {
        const store = new SlowStore()
        const config = isTiny ? { globalSlots: 2, globalQueue: 1, accountSlots: 1 } : {}
        const room = createLocalRoom({ wallets, store, config })
        await room.test.settle()
        store.isHolding = true
        const nonces = new Map<number, bigint>()
        const mined = new Set<Hash>()
        for (const each of steps) {
          if (each.do === 'submit') {
            room.submit(rawOf(each))
          } else if (each.do === 'flush') store.flush(1)
          else if (each.do === 'fill') store.isFull = !store.isFull
          else if (each.do === 'look') await room.test.pass(60_000)
          else if (each.do === 'mine') {
            const block = firstOfEach(room.pending())
            room.mine(block)
            for (const tx of block) {
              mined.add(tx.hash)
              for (const key of [0, 1, 2])
                if (wallets.address(key) === tx.sender) nonces.set(key, tx.nonce + 1n)
            }
          } else await room.test.settle()
        }
        const answered = room.taken.filter(({ answer }) => answer.ok)

        const disk = store.after(crash)
        const second = createLocalRoom({ wallets, config, store: disk, nonces, start: room.head })
        await second.test.settle()

        expect(second.test.fatals).toEqual([])
        const followed = new Map(
          second.tracked().map(({ from, nonce, hash }) => [`${from} ${nonce}`, hash]),
        )
        expect(followed.size).toBe(second.tracked().length)
        expect(await journalKeys(disk)).toHaveLength(followed.size)
        for (const { answer } of answered) {
          if (!answer.ok) continue
          const { hash } = answer.value
          const isThere = second.tracked().some(tx => tx.hash === hash)
          expect([hash, isThere || mined.has(hash) || isSuperseded(hash)]).toEqual([hash, true])
        }
        const seen = new Set(second.content().map(({ sender, nonce }) => `${sender} ${nonce}`))
        expect(seen.size).toBe(second.content().length)

        const third = createLocalRoom({
          ...{ wallets, config, nonces, start: room.head },
          store: disk.after(crash),
        })
        await third.test.settle()
        expect(hashesOf(third.content())).toEqual(hashesOf(second.content()))
        expect(hashesOf(third.tracked())).toEqual(hashesOf(second.tracked()))

        /** Its nonce was used, or a later submission of the same nonce took its place. */
        function isSuperseded(hash: Hash): boolean {
          const at = hashes.get(hash)
          if (at === undefined) return false
          if (BigInt(at.nonce) < (nonces.get(at.key) ?? 0n)) return true
          const standing = followed.get(`${wallets.address(at.key)} ${at.nonce}`)
          if (standing === undefined || standing === hash) return false
          const submitted = steps.flatMap(each =>
            each.do === 'submit' ? [wallets.hashOf(rawOf(each))] : [],
          )
          return submitted.lastIndexOf(standing) > submitted.indexOf(hash)
        }
      },
    ),
    { numRuns: 200 },
  )
}, 30_000)

/** What the next block takes: the first pending transaction of each sender. */
function firstOfEach(pending: readonly TxRecord[]): TxRecord[] {
  const first = new Map<string, TxRecord>()
  for (const tx of pending) {
    const known = first.get(tx.sender)
    if (known === undefined || tx.nonce < known.nonce) first.set(tx.sender, tx)
  }
  return [...first.values()]
}
