import { curveOrder } from '../tx/signature.ts'
import type { StaticContext } from '../tx/static.ts'
import { concatBytes, quantityToBytes } from '../values/bytes.ts'
import { keyOf } from './crypto.ts'
import {
  aDraft,
  anAuthorization,
  contextOf,
  type Dice,
  type Draft,
  fieldNames,
  header,
  type Item,
  rawOf,
  type SignedType,
  signDraft,
  signedItems,
} from './txs.ts'

export interface Sample {
  readonly raw: Uint8Array
  readonly context: StaticContext
}

const types: readonly SignedType[] = [0, 1, 2, 4]
const quantity = quantityToBytes
const osaka = contextOf()
const none = new Uint8Array(0)
const key = (dice: Dice) => keyOf(1 + dice.below(250))

/** Transactions nothing is wrong with. */
export function* valid(dice: Dice, count: number): Generator<Sample> {
  for (let index = 0; index < count; index += 1) {
    const type = types[index % 4] as SignedType
    yield { raw: signDraft(aDraft(dice, type), key(dice)), context: osaka }
  }
}

/** Well-formed transactions that break one rule of their fields each. */
export function* ruleBreakers(dice: Dice, rounds: number): Generator<Sample> {
  const wide = quantity((1n << 256n) + BigInt(dice.below(1_000)))
  const preBerlin = { berlinBlock: null, londonBlock: null }
  const prague = contextOf({ osakaTime: null })
  const amsterdam = contextOf({ amsterdamTime: 0 })
  for (let round = 0; round < rounds; round += 1) {
    const anyType = dice.pick(types)
    const older = dice.pick([0, 1, 2] as const)
    const drafted = (type: SignedType, fields: Record<string, Item>, context = osaka) => {
      const draft = aDraft(dice, type)
      return {
        raw: signDraft({ ...draft, fields: { ...draft.fields, ...fields } }, key(dice)),
        context,
      }
    }
    const price = (value: Uint8Array) => ({ gasPrice: value, maxFeePerGas: value })
    yield drafted(anyType, { to: dice.bytes(20), data: new Uint8Array(131_100 + dice.below(200)) })
    yield drafted(dice.pick([1, 2, 4]), {}, contextOf(preBerlin))
    yield drafted(2, {}, contextOf({ londonBlock: null }))
    yield drafted(4, {}, contextOf({ pragueTime: null, osakaTime: null }))
    yield drafted(older, { to: none, data: new Uint8Array(49_153 + dice.below(100)) })
    yield drafted(anyType, { gas: quantity(16_777_217n + BigInt(dice.below(1_000))) })
    yield drafted(anyType, { gas: quantity(4_294_967_296n) }, amsterdam)
    yield drafted(anyType, { gas: quantity(30_000_001n) }, prague)
    yield drafted(older, price(wide))
    yield drafted(2, { maxPriorityFeePerGas: wide })
    yield drafted(dice.pick([2, 4]), {
      maxPriorityFeePerGas: quantity(3n),
      maxFeePerGas: quantity(2n),
    })
    yield drafted(anyType, { nonce: quantity((1n << 64n) - 1n) })
    yield drafted(older, { value: wide })
    yield drafted(anyType, { gas: quantity(BigInt(20_000 + dice.below(999))) })
    yield drafted(anyType, {
      to: dice.bytes(20),
      data: new Uint8Array(4_000),
      accessList: [],
      authorizationList: [anAuthorization(dice)],
      gas: quantity(62_999n),
    })
    yield drafted(2, {
      to: dice.bytes(20),
      data: new Uint8Array(9_000),
      gas: quantity(61_001n),
      accessList: [],
    })
    yield drafted(
      2,
      {
        to: dice.bytes(20),
        accessList: Array.from({ length: 5_500 }, (_, at) => [wordOf(at).slice(12), []]),
        gas: quantity(24_000_000n),
      },
      amsterdam,
    )
    yield drafted(anyType, { gasPrice: none, maxPriorityFeePerGas: none })
    yield drafted(4, { authorizationList: [] })
    yield drafted(dice.pick([1, 2, 4]), { chainId: quantity(BigInt(dice.below(1_336))) })
    yield {
      raw: signDraft({ ...aDraft(dice, 0), protectedBy: BigInt(dice.below(1_336)) }, key(dice)),
      context: osaka,
    }
    yield* badSignatures(dice, anyType)
  }
}

/** Each with one thing wrong in v, r or s. */
function* badSignatures(dice: Dice, type: SignedType): Generator<Sample> {
  const draft = aDraft(dice, type)
  const { items, v, r, s } = signedItems(draft, key(dice))
  const flipped =
    type === 0 && draft.protectedBy === undefined
      ? 55n - v
      : type === 0
        ? v % 2n === 1n
          ? v + 1n
          : v - 1n
        : 1n - v
  const spoiled: readonly (readonly [bigint, bigint, bigint])[] = [
    [flipped, r, curveOrder - s],
    [v, 0n, s],
    [v, r, 0n],
    [v, curveOrder + BigInt(dice.below(9)), s],
    [v, r, curveOrder],
    [type === 0 ? BigInt(dice.below(2)) : 2n + BigInt(dice.below(300)), r, s],
    [v, BigInt(5 + dice.below(1_000)), s],
    [v, BigInt(5 + dice.below(1_000)), s],
    [flipped, r, s],
    [type === 0 ? 29n + BigInt(dice.below(6)) : v, r, s],
    [type === 0 ? (1n << 65n) + BigInt(dice.below(100)) : v, r, s],
  ]
  for (const values of spoiled) {
    yield { raw: rawOf(type, [...items, ...values.map(quantity)]), context: osaka }
  }
}

/** Every field of every type, spoiled in every way RLP knows; types 1 and 2, whose fields others share, in every other round. */
export function* malformed(dice: Dice, rounds: number): Generator<Sample> {
  for (let round = 0; round < rounds; round += 1) {
    for (const type of round % 2 === 0 ? types : ([0, 4] as const)) {
      const draft = withLists(aDraft(dice, type), dice)
      const { items, v, r, s } = signedItems(draft, key(dice))
      const whole = [...items, quantity(v), quantity(r), quantity(s)]
      for (const spoilt of spoiledLists(whole, fieldNames[type], type, dice)) {
        yield { raw: rawOf(type, spoilt), context: osaka }
      }
      const raw = rawOf(type, whole)
      yield { raw: concatBytes(raw, dice.bytes(1 + dice.below(3))), context: osaka }
      yield { raw: raw.slice(0, 2 + dice.below(raw.length - 2)), context: osaka }
      yield {
        raw: rawOf(type, { raw: concatBytes(header(0x80, 40), dice.bytes(40)) } as never),
        context: osaka,
      }
      yield { raw: Uint8Array.of(dice.below(0x80)), context: osaka }
      yield { raw: concatBytes(Uint8Array.of(5 + dice.below(0x7b)), raw), context: osaka }
      yield* mangled(raw, dice)
      yield { raw: concatBytes(Uint8Array.of(3), rawOf(0, Array(14).fill(none))), context: osaka }
      yield { raw: concatBytes(Uint8Array.of(3), rawOf(0, whole)), context: osaka }
    }
  }
}

/** Bytes changed, taken out and put in without sense. */
function* mangled(raw: Uint8Array, dice: Dice): Generator<Sample> {
  for (let index = 0; index < 12; index += 1) {
    const at = dice.below(raw.length)
    const changed = Uint8Array.from(raw)
    changed[at] = dice.pick([0, 0x7f, 0x80, 0x81, 0xb8, 0xc0, 0xf8, dice.below(256)])
    yield { raw: changed, context: osaka }
    yield { raw: concatBytes(raw.slice(0, at), raw.slice(at + 1)), context: osaka }
    yield { raw: concatBytes(raw.slice(0, at), dice.bytes(1), raw.slice(at)), context: osaka }
  }
}

function withLists(draft: Draft, dice: Dice): Draft {
  const accessList = [[dice.bytes(20), [dice.bytes(32), dice.bytes(32)]]]
  return {
    ...draft,
    fields: { ...draft.fields, accessList, authorizationList: [anAuthorization(dice)] },
  }
}

const fixedSizes: Readonly<Record<string, readonly number[]>> = {
  to: [19, 21],
  address: [0, 19, 21],
  key: [0, 31, 33],
}
const entryNames = ['address', 'storageKeys']
const authorizationNames = ['chainId', 'address', 'nonce', 'yParity', 'r', 's']

/** The list with one element at a time spoiled, missing or too many. */
function* spoiledLists(
  items: readonly Item[],
  names: readonly string[],
  type: SignedType,
  dice: Dice,
): Generator<Item[]> {
  for (const [at, item] of items.entries()) {
    const name = names[at] ?? ''
    const replaced = (spoilt: Item) => items.map((old, index) => (index === at ? spoilt : old))
    yield items.slice(0, at)
    if (Array.isArray(item)) {
      yield replaced(none)
      yield replaced({ raw: concatBytes(header(0xc0, 0, false)) })
      for (const inside of spoiledInside(item, name, type, dice)) yield replaced(inside)
      continue
    }
    yield replaced([])
    yield replaced({ raw: Uint8Array.of(0x81, dice.below(0x80)) })
    yield replaced({ raw: concatBytes(Uint8Array.of(0xb8, 5), dice.bytes(5)) })
    for (const size of fixedSizes[name] ?? []) yield replaced(dice.bytes(size))
    if (name === 'to' && type === 4) yield replaced(none)
    if (name === 'data' || fixedSizes[name] !== undefined) continue
    yield replaced(concatBytes(Uint8Array.of(0), dice.bytes(dice.below(4))))
    yield replaced(
      concatBytes(Uint8Array.of(1), dice.bytes(name === 'nonce' || name === 'gas' ? 8 : 32)),
    )
  }
  yield [...items, none]
  yield [...items.slice(0, -1), { raw: Uint8Array.of(0xa1, 1) }]
}

function* spoiledInside(
  list: readonly Item[],
  name: string,
  type: SignedType,
  dice: Dice,
): Generator<Item> {
  if (name === 'storageKeys') {
    yield* spoiledLists(list, ['key', 'key'], type, dice)
    return
  }
  const names = name === 'accessList' ? entryNames : authorizationNames
  const entry = list[0] as readonly Item[]
  yield [none]
  yield [{ raw: header(0xc0, 0, false) }]
  for (const spoilt of spoiledLists(entry, names, type, dice)) yield [spoilt]
}

const wordOf = (value: number) => {
  const word = new Uint8Array(32)
  new DataView(word.buffer).setUint32(28, value + 1)
  return word
}
