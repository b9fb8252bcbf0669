import type { AccessEntry, Address, Authorization } from '@rockpool/protocol'
import { bytesEqual } from '@rockpool/protocol'
import type { Param } from '../method.ts'
import { plain } from '../rpc-error.ts'
import {
  cannot,
  intoField,
  kindOf,
  param,
  readAddress,
  readBytes,
  readHash,
  readQuantity,
  readRecord,
  readU64,
} from './params.ts'

/** A transaction as a wallet describes it; what is absent the node fills in. Fees in wei. */
export interface TxArgs {
  readonly from?: Address
  readonly to?: Address
  readonly gas?: bigint
  readonly gasPrice?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  readonly value?: bigint
  readonly nonce?: bigint
  readonly data?: Uint8Array
  readonly input?: Uint8Array
  readonly accessList?: readonly AccessEntry[]
  readonly chainId?: bigint
  readonly authorizationList?: readonly Authorization[]
  /** Which blob fields were given, so that they can be refused by name. */
  readonly blobFields: readonly string[]
}

const struct = 'TransactionArgs'
const field = (name: string, type: string) => intoField(struct, name, type)
const big = (name: string) => (value: unknown) => readQuantity(value, field(name, '*hexutil.Big'))
const u64 = (name: string) => (value: unknown) => readU64(value, field(name, 'hexutil.Uint64'))
const data = (name: string) => (value: unknown) => readBytes(value, field(name, 'hexutil.Bytes'))
const account = (name: string) => (value: unknown) =>
  readAddress(value, field(name, 'common.Address'))

const readers = {
  from: account('from'),
  to: account('to'),
  gas: u64('gas'),
  gasPrice: big('gasPrice'),
  maxFeePerGas: big('maxFeePerGas'),
  maxPriorityFeePerGas: big('maxPriorityFeePerGas'),
  value: big('value'),
  nonce: u64('nonce'),
  data: data('data'),
  input: data('input'),
  accessList: readAccessList,
  chainId: big('chainId'),
  authorizationList: readAuthorizations,
}

const blobFields = ['blobVersionedHashes', 'maxFeePerBlobGas', 'blobs', 'commitments', 'proofs']

export const txArgs: Param<TxArgs> = param('transaction', value => {
  const given = value === null ? {} : readRecord(value, `ethapi.${struct}`)
  const args: Record<string, unknown> = {
    blobFields: blobFields.filter(name => given[name] !== undefined && given[name] !== null),
  }
  for (const [name, read] of Object.entries(readers)) {
    const part = given[name]
    if (part !== undefined && part !== null) args[name] = read(part)
  }
  return args as unknown as TxArgs
})

/** Call data: `input`, or the older name `data`. Both may be given when they are equal. */
export function callData({ data, input }: TxArgs): Uint8Array {
  if (data !== undefined && input !== undefined && !bytesEqual(data, input))
    throw plain(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    )
  return input ?? data ?? new Uint8Array(0)
}

function readAccessList(value: unknown): AccessEntry[] {
  return readList(value, 'accessList', 'types.AccessList').map(item => {
    const { address, storageKeys } = readRecord(item, 'types.AccessTuple')
    const keys = readList(storageKeys ?? [], 'accessList.storageKeys', '[]common.Hash')
    return {
      address: readAddress(address, field('accessList.address', 'common.Address')),
      storageKeys: keys.map(key => readHash(key, field('accessList.storageKeys', 'common.Hash'))),
    }
  })
}

const tupleFields = ['chainId', 'address', 'nonce', 'yParity', 'r', 's']

function readAuthorizations(value: unknown): Authorization[] {
  const tuple = 'SetCodeAuthorization'
  const big = (part: unknown, name: string) =>
    readQuantity(part, intoField(tuple, name, 'hexutil.Big'))
  return readList(value, 'authorizationList', '[]types.SetCodeAuthorization').map(item => {
    const given = readRecord(item, `types.${tuple}`)
    const missing = tupleFields.find(name => given[name] === undefined || given[name] === null)
    if (missing !== undefined) throw new Error(`missing required field '${missing}' for ${tuple}`)
    const { chainId, address, nonce, yParity, r, s } = given
    return {
      chainId: big(chainId, 'chainId'),
      address: readAddress(address, intoField(tuple, 'address', 'common.Address')),
      nonce: readU64(nonce, intoField(tuple, 'nonce', 'hexutil.Uint64')),
      yParity: readU64(yParity, intoField(tuple, 'yParity', 'hexutil.Uint64')),
      r: big(r, 'r'),
      s: big(s, 's'),
    }
  })
}

function readList(value: unknown, name: string, type: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw cannot(kindOf(value), field(name, type))
}
