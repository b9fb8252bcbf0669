import { devForks, type Forks, rulesAt } from '../tx/rules.ts'
import type { StaticContext } from '../tx/static.ts'
import { type Address, concatBytes, fromHex, quantityToBytes } from '../values/bytes.ts'
import { keccak256, keyOf, signAuthorization, signDigest } from './crypto.ts'

/** RLP as an attacker writes it: `raw` stands as it is, whatever it is. */
export type Item = Uint8Array | readonly Item[] | { readonly raw: Uint8Array }

function encodeItem(item: Item): Uint8Array {
  if (item instanceof Uint8Array) {
    const bare = item.length === 1 && (item[0] as number) < 0x80
    return bare ? item : concatBytes(header(0x80, item.length), item)
  }
  if ('raw' in item) return item.raw
  const content = concatBytes(...item.map(encodeItem))
  return concatBytes(header(0xc0, content.length), content)
}

/** A header in its shortest form, or with a byte for the length that it does not need. */
export function header(base: number, length: number, minimal = true): Uint8Array {
  if (length < 56 && minimal) return Uint8Array.of(base + length)
  const width = length === 0 ? Uint8Array.of(0) : quantityToBytes(BigInt(length))
  return concatBytes(Uint8Array.of(base + 55 + width.length), width)
}

/** Numbers that look random and are the same in every run. */
export function createDice(seed: number) {
  let state = seed
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256))
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T
  return { below, bytes, pick }
}

export type Dice = ReturnType<typeof createDice>

export type SignedType = 0 | 1 | 2 | 4

/** Names of the fields in their order on the wire. */
export const fieldNames: Readonly<Record<SignedType, readonly string[]>> = {
  0: ['nonce', 'gasPrice', 'gas', 'to', 'value', 'data', 'v', 'r', 's'],
  1: 'chainId nonce gasPrice gas to value data accessList yParity r s'.split(' '),
  2: 'chainId nonce maxPriorityFeePerGas maxFeePerGas gas to value data accessList yParity r s'.split(
    ' ',
  ),
  4: 'chainId nonce maxPriorityFeePerGas maxFeePerGas gas to value data accessList authorizationList yParity r s'.split(
    ' ',
  ),
}

export interface Draft {
  readonly type: SignedType
  /** Every field but the signature, by name. */
  readonly fields: Readonly<Record<string, Item>>
  /** Chain id of a protected legacy transaction. */
  readonly protectedBy?: bigint
}

const quantity = quantityToBytes

/** A transaction that every check lets through, with varied contents. */
export function aDraft(dice: Dice, type: SignedType): Draft {
  const wei = (most: number) => BigInt(1 + dice.below(most))
  const tip = wei(1_000_000)
  const data = dice.below(3) === 0 ? dice.bytes(dice.below(200)) : new Uint8Array(0)
  const creates = type !== 4 && dice.below(10) === 0
  const fields: Record<string, Item> = {
    chainId: quantity(1337n),
    nonce: quantity(BigInt(dice.below(300))),
    gasPrice: quantity(tip),
    maxPriorityFeePerGas: quantity(tip),
    maxFeePerGas: quantity(tip + wei(1_000_000)),
    gas: quantity(BigInt(500_000 + dice.below(1_000_000))),
    to: creates ? new Uint8Array(0) : dice.bytes(20),
    value: quantity(dice.below(4) === 0 ? 0n : wei(2 ** 31) ** 2n),
    data,
    accessList: Array.from({ length: dice.below(3) }, () => [
      dice.bytes(20),
      Array.from({ length: dice.below(3) }, () => dice.bytes(32)),
    ]),
    authorizationList: Array.from({ length: 1 + dice.below(2) }, () => anAuthorization(dice)),
  }
  return { type, fields, ...(type === 0 && dice.below(2) === 0 ? { protectedBy: 1337n } : {}) }
}

export function anAuthorization(dice: Dice): Item {
  const address = `0x${Buffer.from(dice.bytes(20)).toString('hex')}` as Address
  const chainId = dice.pick([0n, 1337n, 5n])
  const nonce = BigInt(dice.below(10))
  const signed = signAuthorization({ chainId, address, nonce }, keyOf(1 + dice.below(250)))
  return [
    quantity(chainId),
    fromHex(address),
    quantity(nonce),
    quantity(signed.yParity),
    quantity(signed.r),
    quantity(signed.s),
  ]
}

/** What the sender of a draft signs, and its signature values, which a test may then spoil. */
export function signedItems(
  draft: Draft,
  key: Uint8Array,
): { items: Item[]; v: bigint; r: bigint; s: bigint } {
  const items = fieldNames[draft.type]
    .slice(0, -3)
    .map(name => draft.fields[name] ?? new Uint8Array(0))
  const { type, protectedBy } = draft
  const extra = protectedBy === undefined ? [] : [quantity(protectedBy), quantity(0n), quantity(0n)]
  const payload = encodeItem([...items, ...extra])
  const message = type === 0 ? payload : concatBytes(Uint8Array.of(type), payload)
  const { r, s, yParity } = signDigest(keccak256(message), key)
  const parity = BigInt(yParity)
  const v =
    type !== 0 ? parity : parity + (protectedBy === undefined ? 27n : 35n + 2n * protectedBy)
  return { items, v, r: big(r), s: big(s) }
}

export function rawOf(type: SignedType, items: readonly Item[]): Uint8Array {
  const list = encodeItem(items)
  return type === 0 ? list : concatBytes(Uint8Array.of(type), list)
}

/** The signed bytes of a draft. */
export function signDraft(draft: Draft, key: Uint8Array): Uint8Array {
  const { items, v, r, s } = signedItems(draft, key)
  return rawOf(draft.type, [...items, quantity(v), quantity(r), quantity(s)])
}

export function contextOf(forks: Forks = {}, gasLimit = 30_000_000): StaticContext {
  const rules = rulesAt({ ...devForks, ...forks }, { number: 1, timeSeconds: 1, merged: true })
  return { rules, chainId: 1337n, gasLimit, minTip: 1n }
}

const big = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
