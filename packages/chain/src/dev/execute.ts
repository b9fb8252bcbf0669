import type { Address, ForkRules, TxReceipt, TxRecord } from '@rockpool/protocol'
import { createdAddress, floorGas, intrinsicGas, zeroAddress } from '@rockpool/protocol'
import type { Cell, Cells } from './cells.ts'
import type { Keccak } from './keccak.ts'
import type { Changes, StateView, Undo } from './state.ts'

/** What a block's transactions can see of it. */
export interface ExecutionEnv {
  readonly number: number
  readonly timeMs: number
  readonly baseFee: bigint
  readonly gasLimit: number
  readonly producer: Address
  readonly rules: ForkRules
  readonly chainId: number
  /** Wei to the producer after the last transaction. */
  readonly reward: bigint
  readonly keccak256: Keccak
}

/** Which rule a transaction broke; shown to operators. */
export type Check =
  | 'type'
  | 'authorizations'
  | 'chain-id'
  | 'nonce-max'
  | 'initcode'
  | 'nonce'
  | 'block-gas'
  | 'gas-cap'
  | 'fee-cap'
  | 'tip'
  | 'intrinsic-gas'
  | 'floor-gas'
  | 'funds'

export interface Executed {
  readonly ok: true
  readonly changes: Changes
  readonly undo: Undo
  readonly receipts: readonly TxReceipt[]
  readonly gasUsed: number
}

export interface NotExecuted {
  readonly ok: false
  readonly code: 'chain/invalid-body'
  readonly check: Check
  /** Position of the transaction that broke the rule. */
  readonly index: number
}

/**
 * The effect of a block's transactions on the state before it. Ethereum's rules for accounts that run no code: transfers, empty
 * creations, authorizations and fees are exact, init code fails with all its gas, calls carry value and data and run nothing.
 * A block with one transaction that may not stand there is invalid as a whole.
 */
export function execute(
  parent: StateView,
  env: ExecutionEnv,
  txs: readonly TxRecord[],
): Executed | NotExecuted {
  const execution = new Execution(parent, env)
  let index = 0
  for (const tx of txs) {
    const check = execution.apply(tx)
    if (check !== null) return { ok: false, code: 'chain/invalid-body', check, index }
    index += 1
  }
  return execution.finish()
}

/** Why `tx` may not come next in this block, or null: what block building asks before it takes a transaction. */
export function includable(execution: Execution, tx: TxRecord): Check | null {
  return execution.check(tx)
}

/** EIP-3860. */
const initCodeBytesMax = 49_152
/** EIP-7825. */
const txGasMax = 16_777_216
/** EIP-7702: PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST, returned for an authority that existed. */
const existingAuthorityRefund = 12_500
/** EIP-3529: at most a fifth of the gas used is returned. */
const refundQuotient = 5
/** Highest s of a signature that may stand on the chain (EIP-2): half the order of the curve. */
const lowSMax = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n
/**
 * First nonce that may not be used. Ethereum's own bound (EIP-2681) is 2^64 - 1; here nonces are numbers, and no account gets this far.
 */
const nonceEnd = Number.MAX_SAFE_INTEGER
/** Gas of a transfer without data under every rule set before Amsterdam. */
const transferGas = 21_000
const transferGasBig = 21_000n

/** What a transaction pays for each gas, worked out from its caps. Wei. */
interface Fees {
  readonly feeCap: bigint
  readonly tipCap: bigint
  /** To the producer. */
  readonly tip: bigint
  readonly price: bigint
  /** All gas of a plain transfer. */
  readonly ofTransfer: bigint
}

/** One block being run: transactions are applied one by one, and `finish` tells what became of the state. */
export class Execution {
  readonly #env: ExecutionEnv
  readonly #cells: Cells
  readonly #producer: Cell
  readonly #receipts: TxReceipt[] = []
  readonly #chainId: bigint
  /** Under these rules a plain transfer costs exactly `transferGas`. */
  readonly #plainTransfers: boolean
  #gasUsed = 0
  /** The fees worked out last: neighbours in a block often pay the same, and arithmetic of bigints is most of what a transfer costs. */
  #fees: Fees = { feeCap: -1n, tipCap: -1n, tip: 0n, price: 0n, ofTransfer: 0n }
  /** Gas whose tips, at `#fees.tip`, the producer has not been paid yet. */
  #tippedGas = 0

  constructor(parent: StateView, env: ExecutionEnv) {
    this.#env = env
    this.#cells = parent.cells()
    this.#chainId = BigInt(env.chainId)
    this.#plainTransfers = !env.rules.amsterdam
    this.#producer = this.#cells.of(env.producer)
  }

  get gasLeft(): number {
    return this.#env.gasLimit - this.#gasUsed
  }

  /** Accounts touched that did not exist before; not all of them need exist afterwards. */
  get newAccounts(): number {
    return this.#cells.newCount
  }

  /** The first rule that keeps `tx` from standing next in this block, or null. Changes nothing. */
  check(tx: TxRecord): Check | null {
    return this.#check(tx, this.#payer(tx), this.#isPlainTransfer(tx))
  }

  /** Runs `tx` if it may stand here; otherwise tells the rule it breaks and changes nothing. */
  apply(tx: TxRecord): Check | null {
    const sender = this.#payer(tx)
    const plain = this.#isPlainTransfer(tx)
    const check = this.#check(tx, sender, plain)
    if (check !== null) return check

    const { rules } = this.#env
    const { price, ofTransfer } = this.#feesOf(tx)
    const nonce = sender.nonce
    sender.nonce = nonce + 1

    let status: 0 | 1 = 1
    let contractAddress: Address | null = null
    let gasUsed = transferGas
    if (tx.to !== null && plain) {
      const target = this.#cells.of(tx.to)
      if (target.delegation !== null && this.#invalidCode(target.delegation)) {
        status = 0
        gasUsed = Number(tx.gas)
        sender.balance -= price * tx.gas
      } else {
        sender.balance -= ofTransfer + tx.value
        target.balance += tx.value
      }
    } else {
      // Whether an authority exists shows in its balance, and the producer may be one.
      this.#payProducer()
      const refund = tx.type === 4 ? this.#authorize(tx) : 0
      if (tx.to === null) {
        contractAddress = createdAddress(tx.sender, tx.nonce, this.#env.keccak256)
        status = this.#create(tx, sender, this.#cells.of(contractAddress))
      } else {
        status = this.#call(tx.value, sender, this.#cells.of(tx.to))
      }
      gasUsed = status === 1 ? intrinsicGas(tx, rules, tx.sender) : Number(tx.gas)
      gasUsed -= Math.min(refund, Math.floor(gasUsed / refundQuotient))
      gasUsed = Math.max(gasUsed, floorGas(tx, rules, tx.sender))
      sender.balance -= price * BigInt(gasUsed)
    }

    this.#tippedGas += gasUsed
    this.#gasUsed += gasUsed
    this.#receipts.push({
      txHash: tx.hash,
      status,
      gasUsed,
      cumulativeGasUsed: this.#gasUsed,
      effectiveGasPrice: price,
      contractAddress,
    })
    return null
  }

  /** Pays the reward and tells what changed. Call once, after the last transaction. */
  finish(): Executed {
    this.#payProducer()
    this.#producer.balance += this.#env.reward
    const { changes, undo } = this.#cells.finish()
    return { ok: true, changes, undo, receipts: this.#receipts, gasUsed: this.#gasUsed }
  }

  /** The account that pays for `tx`, with all it has earned. */
  #payer(tx: TxRecord): Cell {
    const cell = this.#cells.of(tx.sender)
    if (cell === this.#producer) this.#payProducer()
    return cell
  }

  #payProducer(): void {
    if (this.#tippedGas === 0) return
    this.#producer.balance += this.#fees.tip * BigInt(this.#tippedGas)
    this.#tippedGas = 0
  }

  #hasFeesOf(tx: TxRecord): boolean {
    return tx.feeCap === this.#fees.feeCap && tx.tip === this.#fees.tipCap
  }

  /** What `tx` pays; its fee cap has been checked. */
  #feesOf(tx: TxRecord): Fees {
    if (this.#hasFeesOf(tx)) return this.#fees
    this.#payProducer()
    const { baseFee } = this.#env
    const { feeCap, tip: tipCap } = tx
    const room = feeCap - baseFee
    const tip = tipCap < room ? tipCap : room
    const price = baseFee + tip
    this.#fees = { feeCap, tipCap, tip, price, ofTransfer: price * transferGasBig }
    return this.#fees
  }

  #check(tx: TxRecord, sender: Cell, plain: boolean): Check | null {
    const { rules, baseFee, gasLimit } = this.#env
    if (tx.type !== 0) {
      if (tx.type === 1 && !rules.berlin) return 'type'
      if (tx.type === 2 && !rules.london) return 'type'
      if (tx.type === 4) {
        if (!rules.prague || tx.to === null) return 'type'
        if (tx.authorizations.length === 0) return 'authorizations'
      }
    }
    if (tx.chainId !== undefined && tx.chainId !== this.#chainId) return 'chain-id'
    const nonce = Number(tx.nonce)
    if (nonce >= nonceEnd) return 'nonce-max'
    if (tx.to === null && rules.shanghai && tx.data.length > initCodeBytesMax) return 'initcode'
    if (nonce !== sender.nonce) return 'nonce'
    const gas = tx.gas === transferGasBig ? transferGas : Number(tx.gas)
    if (gas > gasLimit - this.#gasUsed) return 'block-gas'
    if (rules.osaka && gas > txGasMax) return 'gas-cap'
    if (!this.#hasFeesOf(tx)) {
      if (tx.feeCap < baseFee) return 'fee-cap'
      if (tx.tip > tx.feeCap) return 'tip'
    }
    if (plain) {
      if (gas < transferGas) return 'intrinsic-gas'
    } else {
      if (gas < intrinsicGas(tx, rules, tx.sender)) return 'intrinsic-gas'
      if (gas < floorGas(tx, rules, tx.sender)) return 'floor-gas'
    }
    if (sender.balance < tx.cost) return 'funds'
    return null
  }

  /** Value, no data, no lists: its gas is known without counting. */
  #isPlainTransfer(tx: TxRecord): boolean {
    return (
      this.#plainTransfers &&
      tx.type !== 4 &&
      tx.to !== null &&
      tx.data.length === 0 &&
      tx.accessAddressCount === 0
    )
  }

  #call(value: bigint, sender: Cell, target: Cell): 0 | 1 {
    if (target.delegation !== null && this.#invalidCode(target.delegation)) return 0
    sender.balance -= value
    target.balance += value
    return 1
  }

  /** Whether calling an account delegated to `address` meets code that starts with 0xEF: a delegation itself is such code. */
  #invalidCode(address: Address): boolean {
    return this.#cells.of(address).delegation !== null
  }

  #create(tx: TxRecord, sender: Cell, created: Cell): 0 | 1 {
    const collides = created.nonce !== 0 || created.delegation !== null
    if (collides || tx.data.length > 0) return 0
    sender.balance -= tx.value
    created.balance += tx.value
    created.nonce = 1
    return 1
  }

  /** Applies a type 4's authorizations in order (EIP-7702); what is not valid now is skipped. Returns the gas to give back. */
  #authorize(tx: TxRecord): number {
    let refund = 0
    for (const [index, authorization] of tx.authorizations.entries()) {
      const { chainId, nonce, s, yParity, address } = authorization
      const authority = tx.authoritySlots[index]
      if (chainId !== 0n && chainId !== this.#chainId) continue
      if (authority === null || authority === undefined) continue
      if (s > lowSMax || yParity > 1n) continue
      const cell = this.#cells.of(authority)
      if (Number(nonce) >= nonceEnd || Number(nonce) !== cell.nonce) continue
      if (cell.nonce !== 0 || cell.balance !== 0n) refund += existingAuthorityRefund
      cell.delegation = address === zeroAddress ? null : address
      cell.nonce += 1
    }
    return refund
  }
}
