import type { Signature } from '../ports.ts'
import { type Address, fromHex, quantityToBytes } from '../values/bytes.ts'
import type { AccessEntry, Authorization, TxType } from './record.ts'
import { encodeRlp, type RlpItem } from './rlp.ts'

/** What a sender decides and signs. A decoded transaction fits too. */
export interface TxFields {
  readonly type: TxType
  /** Required for typed transactions; a legacy one with it is protected by EIP-155, without it is valid on every chain. */
  readonly chainId?: bigint | undefined
  readonly nonce: bigint
  /** maxFeePerGas; the gas price for types 0 and 1. Wei. */
  readonly feeCap: bigint
  /** maxPriorityFeePerGas; not used by types 0 and 1. Wei. */
  readonly tip?: bigint
  readonly gas: bigint
  /** Null creates a contract; type 4 must have a recipient. */
  readonly to: Address | null
  readonly value: bigint
  readonly data?: Uint8Array
  readonly accessList?: readonly AccessEntry[]
  readonly authorizations?: readonly Authorization[]
}

/** The bytes whose keccak256 the sender signs (EIP-155, EIP-2930, EIP-1559, EIP-7702). */
export function unsignedPayload(fields: TxFields): Uint8Array {
  const items = itemsOf(fields)
  if (fields.type !== 0) return typed(fields.type, items)
  if (fields.chainId === undefined) return encodeRlp(items)
  return encodeRlp([
    ...items,
    quantityToBytes(fields.chainId),
    new Uint8Array(0),
    new Uint8Array(0),
  ])
}

/** The signed EIP-2718 bytes. */
export function encodeSigned(fields: TxFields, signature: Signature): Uint8Array {
  const parity = BigInt(signature.yParity)
  const v =
    fields.type !== 0
      ? parity
      : fields.chainId === undefined
        ? 27n + parity
        : 35n + 2n * fields.chainId + parity
  const items = [
    ...itemsOf(fields),
    quantityToBytes(v),
    withoutZeros(signature.r),
    withoutZeros(signature.s),
  ]
  return fields.type === 0 ? encodeRlp(items) : typed(fields.type, items)
}

/** The bytes of a transaction nobody has signed: geth's form, with zeros where the signature will stand, also of a legacy one. */
export function encodeUnsigned(fields: TxFields): Uint8Array {
  const zero = new Uint8Array(0)
  const items = [...itemsOf(fields), zero, zero, zero]
  return fields.type === 0 ? encodeRlp(items) : typed(fields.type, items)
}

/** The bytes whose keccak256 an authority signs (EIP-7702): 0x05 ‖ rlp[chainId, address, nonce]. */
export function authorizationPayload(
  authorization: Pick<Authorization, 'chainId' | 'address' | 'nonce'>,
): Uint8Array {
  return typed(5, [
    quantityToBytes(authorization.chainId),
    fromHex(authorization.address),
    quantityToBytes(authorization.nonce),
  ])
}

function itemsOf(fields: TxFields): RlpItem[] {
  const { type, chainId, nonce, feeCap, gas, to, value, data } = fields
  const items: RlpItem[] = [quantityToBytes(nonce)]
  if (type !== 0) {
    if (chainId === undefined) throw new TypeError(`a transaction of type ${type} needs a chain id`)
    items.unshift(quantityToBytes(chainId))
  }
  if (type === 2 || type === 4) items.push(quantityToBytes(fields.tip ?? 0n))
  items.push(
    quantityToBytes(feeCap),
    quantityToBytes(gas),
    to === null ? new Uint8Array(0) : fromHex(to),
    quantityToBytes(value),
    data ?? new Uint8Array(0),
  )
  if (type !== 0) items.push((fields.accessList ?? []).map(accessItem))
  if (type === 4) items.push((fields.authorizations ?? []).map(authorizationItem))
  return items
}

function accessItem(entry: AccessEntry): RlpItem {
  return [fromHex(entry.address), entry.storageKeys.map(fromHex)]
}

function authorizationItem(authorization: Authorization): RlpItem {
  const { chainId, address, nonce, yParity, r, s } = authorization
  return [
    quantityToBytes(chainId),
    fromHex(address),
    quantityToBytes(nonce),
    quantityToBytes(yParity),
    quantityToBytes(r),
    quantityToBytes(s),
  ]
}

function typed(type: number, items: RlpItem): Uint8Array {
  const list = encodeRlp(items)
  const out = new Uint8Array(list.length + 1)
  out[0] = type
  out.set(list, 1)
  return out
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let from = 0
  while (from < bytes.length && bytes[from] === 0) from += 1
  return bytes.subarray(from)
}
