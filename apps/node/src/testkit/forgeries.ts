import secp256k1 from 'secp256k1'
import {
  type Hex,
  hexToBigInt,
  keccak256,
  numberToHex,
  parseTransaction,
  serializeTransaction,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import {
  encodeBlock,
  encodeHeader,
  type Header,
  nextBaseFee,
  receiptsRootOf,
  sealOf,
  stateRootAfter,
  transactionsRootOf,
} from './foreign-block.ts'

/** The chain as the forger finds it, and the keys it holds: a producer's, and a funded account's. */
export interface Ground {
  readonly chainId: number
  readonly blockTimeMs: number
  readonly parent: {
    readonly hash: Hex
    readonly number: number
    readonly stateRoot: Hex
    readonly gasLimit: number
    readonly gasUsed: number
    readonly baseFee: bigint
    readonly timeMs: number
  }
  /** In turn on top of the parent. */
  readonly producerKey: Hex
  readonly senderKey: Hex
  /** Wei. The sender has sent nothing yet. */
  readonly senderBalance: bigint
  /** Has nothing yet. */
  readonly recipient: Hex
}

/** Where the one thing that is wrong goes in; everything else follows from it as in a true block. */
interface Recipe {
  readonly chainId?: number
  readonly nonce?: number
  readonly value?: bigint
  readonly senderKey?: Hex
  /** The signed transaction, changed. */
  readonly raw?: (raw: Hex) => Hex
  /** Key of whom the header names. */
  readonly producerKey?: Hex
  readonly header?: (header: Header) => Partial<Header>
  readonly sealKey?: Hex
  readonly seal?: (seal: Uint8Array) => Uint8Array
}

const gas = 21_000
const tip = 1_000_000_000n
const feeCap = 3_000_000_000n
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
/** In no genesis and without money. */
const strangerKey: Hex = `0x${'5a'.repeat(32)}`
const otherHash: Hex = `0x${'ab'.repeat(32)}`

const recipes = {
  nothing: () => ({}),
  'transaction signature with high s': () => ({ raw: withHighS }),
  'transaction signed by a stranger': () => ({ senderKey: strangerKey }),
  'transaction of another chain': ({ chainId }) => ({ chainId: chainId + 1 }),
  'transaction nonce': () => ({ nonce: 1 }),
  overdraft: ({ senderBalance }) => ({ value: senderBalance }),
  'base fee': () => ({ header: ({ baseFee }) => ({ baseFee: baseFee + 1n }) }),
  'state root': () => ({ header: () => ({ stateRoot: otherHash }) }),
  'transactions root': () => ({ header: () => ({ transactionsRoot: otherHash }) }),
  'receipts root': () => ({ header: () => ({ receiptsRoot: otherHash }) }),
  'gas used': () => ({ header: ({ gasUsed }) => ({ gasUsed: gasUsed + 1 }) }),
  'gas limit': () => ({ header: ({ gasLimit }) => ({ gasLimit: gasLimit + 1 }) }),
  number: () => ({ header: ({ number }) => ({ number: number + 1 }) }),
  'too early': () => ({ header: ({ timeMs }) => ({ timeMs: timeMs - 1 }) }),
  'unknown producer': () => ({ producerKey: strangerKey }),
  'seal of a stranger': () => ({ sealKey: strangerKey }),
  'seal with high s': () => ({ seal: sealWithHighS }),
} satisfies Record<string, (ground: Ground) => Recipe>

/** What is wrong with a block; `nothing` is the true twin of all the others. */
export type Flaw = keyof typeof recipes

/** A block that is right in everything but `flaw`, as it travels. */
export async function forge(ground: Ground, flaw: Flaw): Promise<{ hash: Hex; frame: Uint8Array }> {
  const recipe: Recipe = recipes[flaw](ground)
  const producerKey = recipe.producerKey ?? ground.producerKey
  const { parent } = ground
  const baseFee = nextBaseFee(parent.gasLimit, parent.gasUsed, parent.baseFee)
  const value = recipe.value ?? 10n ** 18n
  const raw = await transfer(ground, recipe, value)
  const honest: Header = {
    parentHash: parent.hash,
    producer: addressOf(producerKey),
    stateRoot: stateRootAfter(parent.stateRoot, changes(ground, producerKey, value, baseFee)),
    transactionsRoot: transactionsRootOf(raw),
    receiptsRoot: receiptsRootOf(gas),
    number: parent.number + 1,
    gasLimit: parent.gasLimit,
    gasUsed: gas,
    timeMs: parent.timeMs + ground.blockTimeMs,
    baseFee,
  }
  const header = encodeHeader({ ...honest, ...recipe.header?.(honest) })
  const hash = keccak256(header)
  const seal = sealOf(hash, recipe.sealKey ?? producerKey)
  return { hash, frame: encodeBlock(header, [raw], recipe.seal?.(seal) ?? seal) }
}

async function transfer(ground: Ground, recipe: Recipe, value: bigint): Promise<Hex> {
  const raw = await privateKeyToAccount(recipe.senderKey ?? ground.senderKey).signTransaction({
    type: 'eip1559',
    chainId: recipe.chainId ?? ground.chainId,
    nonce: recipe.nonce ?? 0,
    gas: BigInt(gas),
    maxFeePerGas: feeCap,
    maxPriorityFeePerGas: tip,
    to: ground.recipient,
    value,
  })
  return recipe.raw?.(raw) ?? raw
}

/** The accounts after the transfer, as if it were valid. */
function changes(ground: Ground, producerKey: Hex, value: bigint, baseFee: bigint) {
  const paidTip = tip < feeCap - baseFee ? tip : feeCap - baseFee
  const left = ground.senderBalance - value - BigInt(gas) * (baseFee + paidTip)
  return [
    { address: addressOf(ground.senderKey), nonce: 1, balance: left > 0n ? left : 0n },
    { address: ground.recipient, nonce: 0, balance: value },
    { address: addressOf(producerKey), nonce: 0, balance: BigInt(gas) * paidTip },
  ]
}

function addressOf(key: Hex): Hex {
  return privateKeyToAccount(key).address.toLowerCase() as Hex
}

/** The same signature as far as the curve is concerned; Ethereum takes only the lower s (EIP-2). */
function withHighS(raw: Hex): Hex {
  const { r, s, yParity, v: _, ...tx } = parseTransaction(raw)
  if (r === undefined || s === undefined || yParity === undefined) throw new Error('not signed')
  const high = numberToHex(order - hexToBigInt(s), { size: 32 })
  return serializeTransaction(tx as Parameters<typeof serializeTransaction>[0], {
    r,
    s: high,
    yParity: 1 - yParity,
  })
}

function sealWithHighS(seal: Uint8Array): Uint8Array {
  const s = secp256k1.privateKeyNegate(Buffer.from(seal.subarray(32, 64)))
  return Buffer.concat([seal.subarray(0, 32), s, Buffer.of(1 - (seal[64] ?? 0))])
}
