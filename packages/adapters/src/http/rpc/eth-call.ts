import { type Answer, type BlockId, type FeeHistory, limits, zeroAddress } from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { plain } from '../rpc-error.ts'
import { askAccount, askStatus } from './blocks.ts'
import { checksumAddress, quantity } from './encode.ts'
import { gasNeeded, refuseInitCode, rulesOf, txGasMax } from './gas.ts'
import {
  anything,
  type BlockWish,
  block,
  blockNumber,
  count,
  optional,
  percentiles,
} from './params.ts'
import { callData, type TxArgs, txArgs } from './tx-args.ts'

const latest: BlockWish = { id: { tag: 'latest' }, canonical: false }
/** Gas a call may use when it names none; geth's rpc.gascap. */
const callGasMax = 50_000_000n

/** Ethereum's questions about what a transaction would do and what it should pay. */
export function ethCallMethods(backend: Backend): Method[] {
  const { chain } = backend
  const { keccak256, forks } = backend.parts

  function noFunds(from: NonNullable<TxArgs['from']>, have: bigint, want: bigint): string {
    const name = checksumAddress(from, keccak256)
    return `insufficient funds for gas * price + value: address ${name} have ${have} want ${want}`
  }

  /** A call runs nothing; it fails where geth's would before anything ran. */
  async function call(args: TxArgs, at: BlockWish): Promise<string> {
    const from = args.from ?? zeroAddress
    callData(args)
    refuseInitCode(args)
    const { account } = await askAccount(backend, from, at)
    const gas = args.gas ?? callGasMax
    const want = (args.value ?? 0n) + gas * (args.maxFeePerGas ?? args.gasPrice ?? 0n)
    if (want > account.balance)
      throw plain(`err: ${noFunds(from, account.balance, want)} (supplied gas ${gas})`)
    return '0x'
  }

  async function estimate(args: TxArgs, at: BlockWish): Promise<number> {
    const from = args.from ?? zeroAddress
    callData(args)
    refuseInitCode(args)
    const { account, at: head } = await askAccount(backend, from, at)
    const rules = rulesOf(head, forks)
    const asked = args.gas !== undefined && args.gas >= 21_000n ? args.gas : BigInt(head.gasLimit)
    let most = rules.osaka && asked > txGasMax ? BigInt(txGasMax) : asked
    const value = args.value ?? 0n
    const price = args.maxFeePerGas ?? args.gasPrice ?? 0n
    if (price > 0n) {
      if (value > 0n && value >= account.balance) throw plain('insufficient funds for transfer')
      const affordable = (account.balance - value) / price
      if (affordable < most) most = affordable
    }
    const need = gasNeeded({ ...args, from }, rules)
    if (BigInt(need) > most) throw plain(`gas required exceeds allowance (${most})`)
    if (value > account.balance)
      throw plain(`failed with ${most} gas: ${noFunds(from, account.balance, value)}`)
    return need
  }

  async function feeHistory(
    blocks: number,
    newest: BlockId,
    rewards: readonly number[],
  ): Promise<unknown> {
    if (blocks < 1) return { oldestBlock: '0x0', gasUsedRatio: null }
    checkPercentiles(rewards)
    const { head } = await askStatus(backend)
    if ('number' in newest && newest.number > head.number)
      throw plain(`request beyond head block: requested ${newest.number}, head ${head.number}`)
    const answer = await chain.ask<Answer<FeeHistory>>(reply => ({
      type: 'chain.getFeeHistory',
      count: Math.min(blocks, limits.feeHistoryBlocksMax),
      newest,
      percentiles: rewards,
      reply,
    }))
    const history = valueOf(answer)
    return {
      oldestBlock: quantity(history.oldest),
      ...(rewards.length > 0 && {
        reward: (history.rewards ?? []).map(row => row.map(quantity)),
      }),
      baseFeePerGas: history.baseFees.map(quantity),
      gasUsedRatio: history.gasUsedRatios,
    }
  }

  return [
    method(
      'eth_call',
      [
        txArgs,
        optional(block),
        optional(anything('overrides')),
        optional(anything('block overrides')),
      ],
      ([args, at = latest, overrides, blockOverrides]) => {
        refuseOverrides(overrides)
        refuseOverrides(blockOverrides)
        return call(args, at)
      },
    ),
    method(
      'eth_estimateGas',
      [
        txArgs,
        optional(block),
        optional(anything('overrides')),
        optional(anything('block overrides')),
      ],
      async ([args, at = latest, overrides, blockOverrides]) => {
        refuseOverrides(overrides)
        refuseOverrides(blockOverrides)
        return quantity(await estimate(args, at))
      },
    ),
    method('eth_gasPrice', [], async () => {
      const [tip, { head }] = await Promise.all([askTip(backend), askStatus(backend)])
      return quantity(tip + head.baseFee)
    }),
    method('eth_maxPriorityFeePerGas', [], async () => quantity(await askTip(backend))),
    // The excess of a chain without blobs is 0, and so is its blob base fee at the least, 1 wei.
    method('eth_blobBaseFee', [], () => '0x1'),
    method(
      'eth_feeHistory',
      [count('blockCount'), blockNumber, percentiles],
      ([blocks, newest, rewards]) => feeHistory(blocks, newest, rewards),
    ),
  ]
}

export function askTip({ chain }: Backend): Promise<bigint> {
  return chain.ask<bigint>(reply => ({ type: 'chain.suggestTip', reply }))
}

function refuseOverrides(overrides: unknown): void {
  if (overrides === undefined) return
  if (typeof overrides === 'object' && Object.keys(overrides ?? {}).length === 0) return
  throw plain('this chain runs no contracts: state and block overrides are not supported')
}

function checkPercentiles(rewards: readonly number[]): void {
  const max = limits.feeHistoryPercentilesMax
  if (rewards.length > max) throw plain(`invalid reward percentile: over the query limit ${max}`)
  for (const [position, percentile] of rewards.entries()) {
    if (!(percentile >= 0 && percentile <= 100))
      throw plain(`invalid reward percentile: ${percentile.toFixed(6)}`)
    const before = rewards[position - 1]
    if (before !== undefined && percentile <= before)
      throw plain(
        `invalid reward percentile: #${position - 1}:${before.toFixed(6)} >= #${position}:${percentile.toFixed(6)}`,
      )
  }
}
