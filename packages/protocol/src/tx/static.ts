import { type Answer, type Failure, failed } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Address } from '../values/bytes.ts'
import { floorGas, intrinsicGas } from './gas.ts'
import type { DecodedTx, TxRecord } from './record.ts'
import type { ForkRules } from './rules.ts'
import { signatureParity } from './signature.ts'

/** What the checks that need no account state depend on. */
export interface StaticContext {
  /** Rules at the head, not of the block after it. */
  readonly rules: ForkRules
  readonly chainId: bigint
  /** Gas limit of the head. */
  readonly gasLimit: number
  /** Smallest tip the pool takes; the base fee is not looked at. Wei. */
  readonly minTip: bigint
}

const unsignedMax = (1n << 256n) - 1n
const nonceMax = (1n << 64n) - 1n
const osakaGasCap = 16_777_216
const amsterdamGasCap = 4_294_967_295
const berlinTypes: readonly number[] = [1, 2, 4]

/**
 * Everything that can be wrong without account state, in geth's order: form, sender, after the sender. `recovered` is what recovery made
 * of this transaction, used only when its form is right. The first failure wins.
 */
export function checkStatic(
  tx: DecodedTx,
  context: StaticContext,
  recovered: Answer<TxRecord>,
): Failure | undefined {
  const form = checkForm(tx, context) ?? checkSignatureForm(tx, context.chainId)
  if (form !== undefined) return form
  return recovered.ok ? checkAfterSender(tx, context, recovered.value.sender) : recovered
}

/**
 * The same checks in the order that suits transactions of strangers: what fails without recovery is never recovered, and of that what
 * depends on this node's head or settings (gas above the block's, tip below the minimum) comes last, when all that is wrong for everyone and
 * can be told without the sender is excluded.
 */
export function checkGossip(
  tx: DecodedTx,
  context: StaticContext,
  recovered: Answer<TxRecord>,
): Failure | undefined {
  const before = checkGossipBeforeRecovery(tx, context)
  if (before !== undefined) return before
  return recovered.ok ? checkGossipAfterRecovery(tx, context, recovered.value.sender) : recovered
}

/** The first half of `checkGossip`: what needs no sender. */
export function checkGossipBeforeRecovery(
  tx: DecodedTx,
  context: StaticContext,
): Failure | undefined {
  return (
    checkShape(tx, context) ??
    checkFees(tx) ??
    checkNonceAndValue(tx) ??
    // From Amsterdam on the price of a transfer to oneself differs, so gas waits for the sender.
    (context.rules.amsterdam ? undefined : checkGas(tx, context, undefined)) ??
    checkAuthorizations(tx) ??
    checkSignatureForm(tx, context.chainId) ??
    // Wrong only here and now, but nobody's recovery is worth what this node will not take.
    checkGasLimit(tx, context) ??
    checkTip(tx, context)
  )
}

/** The second half of `checkGossip`: what needs the sender, then what is wrong only here and now, by the head there is by then. */
export function checkGossipAfterRecovery(
  tx: DecodedTx,
  context: StaticContext,
  sender: Address,
): Failure | undefined {
  return (
    (context.rules.amsterdam ? checkGas(tx, context, sender) : undefined) ??
    checkGasLimit(tx, context) ??
    checkTip(tx, context)
  )
}

/** Size, type, init code, gas caps, fees: what comes before the sender. */
export function checkForm(tx: DecodedTx, context: StaticContext): Failure | undefined {
  return checkShape(tx, context) ?? checkGasLimit(tx, context) ?? checkFees(tx)
}

/** Chain id, then ranges of v, r and s; all of the sender check but the recovery itself. */
export function checkSignatureForm(tx: DecodedTx, chainId: bigint): Failure | undefined {
  const parity = signatureParity(tx, chainId)
  return parity.ok ? undefined : parity
}

/** Nonce, value, gas, tip, authorizations: what comes after the sender. */
export function checkAfterSender(
  tx: DecodedTx,
  context: StaticContext,
  sender: Address,
): Failure | undefined {
  return (
    checkNonceAndValue(tx) ??
    checkGas(tx, context, sender) ??
    checkTip(tx, context) ??
    checkAuthorizations(tx)
  )
}

function checkShape(tx: DecodedTx, { rules }: StaticContext): Failure | undefined {
  const size = tx.raw.length
  if (size > limits.txBytesMax) {
    return failed(
      'pool/oversized',
      `oversized data: transaction size ${size}, limit ${limits.txBytesMax}`,
      { size, limit: limits.txBytesMax },
    )
  }
  const fork = missingFork(tx, rules)
  if (fork !== undefined) {
    return failed(
      'pool/type-not-enabled',
      `transaction type not supported: type ${tx.type} rejected, pool not yet in ${fork}`,
      { type: tx.type, fork },
    )
  }
  const codeMax = rules.amsterdam ? 131_072 : rules.shanghai ? 49_152 : Number.POSITIVE_INFINITY
  if (tx.to === null && tx.data.length > codeMax) {
    return failed(
      'pool/initcode-too-big',
      `max initcode size exceeded: code size ${tx.data.length} limit ${codeMax}`,
      { size: tx.data.length, limit: codeMax },
    )
  }
  const gasCap = rules.amsterdam ? amsterdamGasCap : rules.osaka ? osakaGasCap : undefined
  if (gasCap !== undefined && tx.gas > BigInt(gasCap)) {
    return failed(
      'pool/gas-cap',
      `transaction gas limit too high (cap: ${gasCap}, tx: ${tx.gas})`,
      { gas: tx.gas, limit: gasCap },
    )
  }
  // Bytes cannot say a negative value; a transaction built by a caller can.
  return tx.value < 0n ? failed('pool/negative-value') : undefined
}

function missingFork(tx: DecodedTx, rules: ForkRules): string | undefined {
  if (!rules.berlin && berlinTypes.includes(tx.type)) return 'Berlin'
  if (!rules.london && tx.type === 2) return 'London'
  if (!rules.prague && tx.type === 4) return 'Prague'
  return undefined
}

function checkGasLimit(tx: DecodedTx, { gasLimit }: StaticContext): Failure | undefined {
  if (tx.gas <= BigInt(gasLimit)) return undefined
  return failed('pool/gas-over-block', 'exceeds block gas limit', { gas: tx.gas, limit: gasLimit })
}

function checkFees(tx: DecodedTx): Failure | undefined {
  if (tx.feeCap > unsignedMax) return failed('pool/fee-cap-too-wide')
  if (tx.tip > unsignedMax) return failed('pool/tip-too-wide')
  if (tx.tip > tx.feeCap) {
    return failed('pool/tip-above-fee-cap', undefined, { tip: tx.tip, feeCap: tx.feeCap })
  }
  return undefined
}

function checkNonceAndValue(tx: DecodedTx): Failure | undefined {
  if (tx.nonce === nonceMax) return failed('pool/nonce-max')
  return tx.value > unsignedMax ? failed('pool/value-too-wide') : undefined
}

function checkGas(
  tx: DecodedTx,
  { rules }: StaticContext,
  sender: Address | undefined,
): Failure | undefined {
  const intrinsic = intrinsicGas(tx, rules, sender)
  if (tx.gas < BigInt(intrinsic)) {
    return failed(
      'pool/intrinsic-gas',
      `intrinsic gas too low: gas ${tx.gas}, minimum needed ${intrinsic}`,
      { gas: tx.gas, needed: intrinsic },
    )
  }
  const floor = floorGas(tx, rules, sender)
  if (tx.gas < BigInt(floor)) {
    return failed(
      'pool/floor-gas',
      `insufficient gas for floor data gas cost: gas ${tx.gas}, minimum needed ${floor}`,
      { gas: tx.gas, needed: floor },
    )
  }
  if (rules.amsterdam && Math.max(intrinsic, floor) > osakaGasCap) {
    return failed(
      'pool/floor-gas',
      `insufficient gas for floor data gas cost: intrinsic cost ${intrinsic}, floor: ${floor}`,
      { intrinsic, floor, limit: osakaGasCap },
    )
  }
  return undefined
}

function checkTip(tx: DecodedTx, { minTip }: StaticContext): Failure | undefined {
  if (tx.tip >= minTip) return undefined
  return failed(
    'pool/tip-below-minimum',
    `transaction gas price below minimum: gas tip cap ${tx.tip}, minimum needed ${minTip}`,
    { minTip },
  )
}

function checkAuthorizations(tx: DecodedTx): Failure | undefined {
  return tx.type === 4 && tx.authorizations.length === 0
    ? failed('pool/empty-authorizations')
    : undefined
}
