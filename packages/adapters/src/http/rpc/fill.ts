import type { AccessEntry, Address, Authorization, TxFields, TxType } from '@rockpool/protocol'
import { zeroAddress } from '@rockpool/protocol'
import type { Backend } from '../parts.ts'
import { plain, refused } from '../rpc-error.ts'
import { askStatus } from './blocks.ts'
import { askTip } from './eth-call.ts'
import { gasNeeded, refuseInitCode, rulesOf } from './gas.ts'
import { callData, type TxArgs } from './tx-args.ts'

/** A transaction with nothing left open. */
export interface Filled extends TxFields {
  readonly type: TxType
  readonly chainId: bigint
  readonly tip: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessEntry[]
  readonly authorizations: readonly Authorization[]
}

/** Blobs are told apart from everything else first: nothing of such a wish can be kept. */
export function refuseBlobs({ blobFields }: TxArgs): void {
  if (blobFields.includes('blobs')) throw plain('"blobs" is not supported for this RPC method')
  if (blobFields.length > 0) throw plain('signing blob transactions not supported')
}

/** What is absent from `args`: fees, value, nonce, gas, type; in geth's order, so that the first fault named is the one geth names. */
export async function fill(
  backend: Backend,
  args: TxArgs,
  askNonce: (sender: Address) => Promise<bigint>,
): Promise<Filled> {
  const { parts } = backend
  const from = args.from ?? zeroAddress
  const { feeCap, tip, legacy } = await fillFees(backend, args)
  const value = args.value ?? 0n
  const nonce = args.nonce ?? (await askNonce(from))
  const data = callData(args)
  if (args.to === undefined) {
    if (args.authorizationList !== undefined)
      throw plain('authorizationList provided for contract creation, but "to" field is missing')
    if (data.length === 0) throw plain('contract creation without any data provided')
  }
  const gas = args.gas ?? (await fillGas(backend, { ...args, from }))
  const chainId = BigInt(parts.chainId)
  if (args.chainId !== undefined && args.chainId !== chainId)
    throw plain(`chainId does not match node's (have=${args.chainId}, want=${chainId})`)
  const { to = null, accessList = [], authorizationList = [] } = args
  const type = typeOf(args, legacy)
  return {
    ...{ type, chainId, nonce, feeCap, tip, gas, to, value, data, accessList },
    authorizations: authorizationList,
  }
}

interface Fees {
  readonly feeCap: bigint
  readonly tip: bigint
  readonly legacy: boolean
}

async function fillFees(backend: Backend, args: TxArgs): Promise<Fees> {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = args
  if (gasPrice !== undefined && (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined))
    throw plain('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified')
  if (gasPrice !== undefined && args.authorizationList !== undefined)
    throw plain('both gasPrice and authorizationList specified')
  if (maxFeePerGas !== undefined && maxPriorityFeePerGas !== undefined) {
    if (maxFeePerGas === 0n) throw plain('maxFeePerGas must be non-zero')
    return capped(maxFeePerGas, maxPriorityFeePerGas)
  }
  if (gasPrice !== undefined) {
    if (gasPrice === 0n) throw plain('gasPrice must be non-zero after london fork')
    return { feeCap: gasPrice, tip: gasPrice, legacy: true }
  }
  const tip = maxPriorityFeePerGas ?? (await askTip(backend))
  if (maxFeePerGas !== undefined) return capped(maxFeePerGas, tip)
  const { head } = await askStatus(backend)
  return capped(tip + 2n * head.baseFee, tip)
}

function capped(feeCap: bigint, tip: bigint): Fees {
  if (feeCap < tip)
    throw plain(
      `maxFeePerGas (0x${feeCap.toString(16)}) < maxPriorityFeePerGas (0x${tip.toString(16)})`,
    )
  return { feeCap, tip, legacy: false }
}

async function fillGas(backend: Backend, args: TxArgs): Promise<bigint> {
  refuseInitCode(args)
  const { head } = await askStatus(backend)
  return BigInt(gasNeeded(args, rulesOf(head, backend.parts.forks)))
}

/** geth signs type 0 and drops an access list that comes with `gasPrice`; here the caller gets what was asked for. */
function typeOf(args: TxArgs, legacy: boolean): TxType {
  if (args.authorizationList !== undefined) return 4
  if (!legacy) return 2
  return args.accessList === undefined ? 0 : 1
}

/** What eth_signTransaction wants to be told: it fills nothing in that decides what is paid. */
export function requireComplete(args: TxArgs): void {
  const { gas, gasPrice, maxFeePerGas, maxPriorityFeePerGas, nonce } = args
  if (gas === undefined) throw plain('gas not specified')
  if (gasPrice === undefined && (maxFeePerGas === undefined || maxPriorityFeePerGas === undefined))
    throw plain('missing gasPrice or maxFeePerGas/maxPriorityFeePerGas')
  if (nonce === undefined) throw plain('nonce not specified')
}

export const unknownAccount = () => refused('crypto/unknown-key', 'unknown account')
