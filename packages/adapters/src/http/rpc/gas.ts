import {
  devForks,
  type ForkRules,
  type Forks,
  floorGas,
  type GasShape,
  type Head,
  intrinsicGas,
  rulesAt,
} from '@rockpool/protocol'
import { refused } from '../rpc-error.ts'
import { callData, type TxArgs } from './tx-args.ts'

/** Gas limit of one transaction from Osaka on (EIP-7825). */
export const txGasMax = 16_777_216

export function rulesOf({ number, timeMs }: Head, forks: Forks = devForks): ForkRules {
  return rulesAt(forks, { number, timeSeconds: Math.floor(timeMs / 1_000), merged: true })
}

/** Exactly what a transaction uses on a chain without contracts: nothing runs, so data and lists decide. */
export function gasNeeded(args: TxArgs, rules: ForkRules): number {
  const shape = gasShape(args)
  return Math.max(intrinsicGas(shape, rules, args.from), floorGas(shape, rules, args.from))
}

/** Init code would have to run; say so before a wallet pays for the failure. */
export function refuseInitCode(args: TxArgs): void {
  if (args.to === undefined && callData(args).length > 0) throw refused('rpc/no-contracts')
}

function gasShape(args: TxArgs): GasShape {
  const { to = null, value = 0n, accessList = [], authorizationList = [] } = args
  const data = callData(args)
  let zeroBytes = 0
  for (const byte of data) if (byte === 0) zeroBytes++
  let accessKeyCount = 0
  for (const entry of accessList) accessKeyCount += entry.storageKeys.length
  return {
    to,
    value,
    zeroBytes,
    nonZeroBytes: data.length - zeroBytes,
    accessAddressCount: accessList.length,
    accessKeyCount,
    authorizations: authorizationList,
  }
}
