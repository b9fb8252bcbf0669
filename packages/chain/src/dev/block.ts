import type { Address, Code, Hash, Header, TxReceipt, TxRecord } from '@rockpool/protocol'
import { limits, nextBaseFee, rulesAt } from '@rockpool/protocol'
import type { Executed, ExecutionEnv } from './execute.ts'
import { Execution } from './execute.ts'
import type { Genesis } from './genesis.ts'
import type { HeaderFields } from './header.ts'
import { encodeHeader, extraDataOf, hashHeader } from './header.ts'
import type { Keccak } from './keccak.ts'
import { turnOf } from './rank.ts'
import type { TypedReceipt } from './roots.ts'
import { receiptsRoot, stateRoot, transactionsRoot } from './roots.ts'
import type { Changes, StateView, Undo } from './state.ts'

/** Why a block is refused: its code and the rule behind it. */
export interface Refusal {
  readonly code: Extract<
    Code,
    'chain/unknown-producer' | 'chain/invalid-header' | 'chain/too-early' | 'chain/invalid-body'
  >
  readonly check: string
}

/** Base fee of the block after `parent`. Wei. */
export function baseFeeAfter(parent: Header): bigint {
  return nextBaseFee(parent)
}

/** What the transactions of a block on `parent` can see of it, by the rules of this chain. */
export function envOn(
  parent: Header,
  genesis: Genesis,
  block: { readonly producer: Address; readonly timeMs: number },
  keccak256: Keccak,
): ExecutionEnv {
  const number = parent.number + 1
  return {
    number,
    timeMs: block.timeMs,
    baseFee: baseFeeAfter(parent),
    gasLimit: genesis.gasLimit,
    producer: block.producer,
    rules: rulesAt(genesis.forks, {
      number,
      timeSeconds: Math.floor(block.timeMs / 1000),
      merged: true,
    }),
    chainId: genesis.chainId,
    reward: genesis.reward,
    keccak256,
  }
}

/** The rules a header must keep on top of its parent, short of its body: order of checks is order of codes. */
export function checkHeader(parent: Header, header: Header, genesis: Genesis): Refusal | null {
  const turn = turnOf(genesis, header.producer, header.number)
  if (turn === null) return { code: 'chain/unknown-producer', check: 'producer' }
  if (header.parentHash !== parent.hash) return broken('parent')
  if (header.number !== parent.number + 1) return broken('number')
  if (header.gasLimit !== genesis.gasLimit) return broken('gas-limit')
  if (header.gasUsed > header.gasLimit) return broken('gas-used')
  if (header.baseFee !== baseFeeAfter(parent)) return broken('base-fee')
  if (header.timeMs < parent.timeMs + turn.gapMs) {
    return { code: 'chain/too-early', check: 'spacing' }
  }
  return null
}

/** Whether these transactions are the ones the header names. */
export function bodyMatches(
  header: Header,
  raws: readonly Uint8Array[],
  keccak256: Keccak,
): boolean {
  return transactionsRoot(raws, keccak256) === header.transactionsRoot
}

/** Whether the header says what execution gave. */
export function verifyExecution(
  parent: Header,
  header: Header,
  txs: readonly TxRecord[],
  result: Executed,
  keccak256: Keccak,
): Refusal | null {
  if (result.gasUsed !== header.gasUsed) return differs('gas-used')
  if (receiptsRoot(typed(txs, result.receipts), keccak256) !== header.receiptsRoot) {
    return differs('receipts-root')
  }
  if (stateRoot(parent.stateRoot, result.changes, keccak256) !== header.stateRoot) {
    return differs('state-root')
  }
  return null
}

/** A block that lacks only its seal. */
export interface Built {
  readonly header: Header
  readonly encodedHeader: Uint8Array
  readonly receipts: readonly TxReceipt[]
  readonly changes: Changes
  readonly undo: Undo
  readonly included: readonly TxRecord[]
}

/**
 * A block on `parent` from those of `txs` that fit, in their order. Left out: what breaks a rule at its place, what exceeds
 * `blockTxBytesMax` or the gas left, and what might take the state over `accountsMax`.
 */
export function buildBlock(
  parent: Header,
  state: StateView,
  env: ExecutionEnv,
  txs: Iterable<TxRecord>,
): Built {
  const { keccak256 } = env
  const execution = new Execution(state, env)
  const included: TxRecord[] = []
  let bytesLeft: number = limits.blockTxBytesMax
  for (const tx of txs) {
    if (execution.gasLeft < 21_000) break
    if (tx.raw.length > bytesLeft) continue
    const newAccountsMax = 1 + tx.authorizations.length
    if (state.size + execution.newAccounts + newAccountsMax > limits.accountsMax) continue
    if (execution.apply(tx) !== null) continue
    included.push(tx)
    bytesLeft -= tx.raw.length
  }
  const { changes, undo, receipts, gasUsed } = execution.finish()
  const fields: HeaderFields = {
    parentHash: parent.hash,
    producer: env.producer,
    stateRoot: stateRoot(parent.stateRoot, changes, keccak256),
    transactionsRoot: transactionsRoot(
      included.map(tx => tx.raw),
      keccak256,
    ),
    receiptsRoot: receiptsRoot(typed(included, receipts), keccak256),
    number: env.number,
    gasLimit: env.gasLimit,
    gasUsed,
    timeMs: env.timeMs,
    extraData: extraDataOf(env.timeMs),
    baseFee: env.baseFee,
  }
  const encodedHeader = encodeHeader(fields)
  const hash: Hash = hashHeader(encodedHeader, keccak256)
  return { header: { hash, ...fields }, encodedHeader, receipts, changes, undo, included }
}

function typed(txs: readonly TxRecord[], receipts: readonly TxReceipt[]): readonly TypedReceipt[] {
  return receipts.map((receipt, index) => ({ type: txs[index]?.type ?? 0, receipt }))
}

function broken(check: string): Refusal {
  return { code: 'chain/invalid-header', check }
}

function differs(check: string): Refusal {
  return { code: 'chain/invalid-body', check }
}
