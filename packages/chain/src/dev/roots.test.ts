import { encodeRlp, fromHex, hashOf, quantityToBytes, toHex, zeroHash } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anAccount } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { theirOrderedRoot } from '../testkit/oracle.ts'
import { addressAt } from '../testkit/wallets.ts'
import { receiptsRoot, stateRoot, transactionsRoot } from './roots.ts'
import type { Account } from './state.ts'

const values = (count: number, size: (index: number) => number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    Uint8Array.from({ length: size(index) }, (__, at) => (index * 31 + at * 7) % 256),
  )

describe('ordered tries', () => {
  test.each([0, 1, 2, 17, 127, 128, 129, 256, 257, 1_400])(
    'the root over %i transactions is that of EthereumJS',
    async count => {
      const raws = values(count, index => 100 + (index % 60))

      expect(transactionsRoot(raws, keccak256)).toBe(await theirOrderedRoot(raws))
    },
    30_000,
  )

  test('values too short to be hashed, of one byte and very long ones are placed as EthereumJS does', async () => {
    const raws = values(300, index => [1, 2, 5, 28, 29, 30, 55, 56, 300, 2_000][index % 10] ?? 1)

    expect(transactionsRoot(raws, keccak256)).toBe(await theirOrderedRoot(raws))
  }, 30_000)

  test('an empty trie has the root every empty list has on Ethereum', () => {
    const empty = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

    expect(transactionsRoot([], keccak256)).toBe(empty)
    expect(receiptsRoot([], keccak256)).toBe(empty)
  })

  test('receipts are encoded with type, status, cumulative gas, zero bloom and no logs', async () => {
    const receipts = ([0, 1, 2, 4, 2, 0] as const).map((type, index) => ({
      type,
      receipt: {
        status: index % 2 === 0 ? (1 as const) : (0 as const),
        cumulativeGasUsed: [0, 1, 127, 128, 65_536, 30_000_000][index] ?? 0,
      },
    }))
    const encoded = receipts.map(({ type, receipt }) => {
      const list = encodeRlp([
        quantityToBytes(BigInt(receipt.status)),
        quantityToBytes(BigInt(receipt.cumulativeGasUsed)),
        new Uint8Array(256),
        [],
      ])
      return type === 0 ? list : Uint8Array.of(type, ...list)
    })

    expect(receiptsRoot(receipts, keccak256)).toBe(await theirOrderedRoot(encoded))
  })
})

describe('state root', () => {
  const plainRoot = (changes: ReadonlyMap<string, Account | null>): string => {
    const list = [...changes].sort(([left], [right]) => (left < right ? -1 : 1))
    const items = list.map(([address, account]) => {
      const delegation = account?.delegation ?? null
      const code = delegation === null ? '' : `ef0100${delegation.slice(2)}`
      return [
        fromHex(address),
        quantityToBytes(BigInt(account?.nonce ?? 0)),
        quantityToBytes(account?.balance ?? 0n),
        keccak256(fromHex(code)),
      ]
    })
    return hashOf(keccak256(Buffer.concat([new Uint8Array(32), encodeRlp(items)])))
  }

  test('it is the hash of the parent root and the RLP of the changed accounts by address', () => {
    const account = fc.record({
      nonce: fc.oneof(fc.nat(300), fc.maxSafeNat()),
      balance: fc.oneof(
        fc.bigInt(0n, 300n),
        fc.bigInt(0n, 2n ** 65n),
        fc.bigInt(0n, 2n ** 256n - 1n),
        fc.nat(255).map(bits => 2n ** BigInt(bits)),
        fc.nat(255).map(bits => 2n ** BigInt(bits) - 1n),
      ),
      delegation: fc.option(fc.nat().map(addressAt), { nil: null }),
    })
    const changes = fc
      .uniqueArray(fc.tuple(fc.nat().map(addressAt), fc.option(account, { nil: null })), {
        selector: ([address]) => address,
      })
      .map(entries => new Map(entries))
    fc.assert(
      fc.property(changes, it => {
        expect(stateRoot(zeroHash, it, keccak256)).toBe(plainRoot(it))
      }),
    )
  })

  test('no change still moves the root: it is the hash of the parent root and an empty list', () => {
    const expected = hashOf(keccak256(Uint8Array.of(...new Uint8Array(32), 0xc0)))

    expect(stateRoot(zeroHash, new Map(), keccak256)).toBe(expected)
  })

  test('a root depends on the root before it', () => {
    const changes = new Map([[addressAt(1), anAccount({ balance: 1n })]])
    const other = hashOf(keccak256(fromHex(toHex(Uint8Array.of(1)))))

    expect(stateRoot(other, changes, keccak256)).not.toBe(stateRoot(zeroHash, changes, keccak256))
  })
})
