import type { Hash } from '@rockpool/protocol'
import { invalidParams, type Method, method } from '../method.ts'
import type { Backend } from '../parts.ts'
import { plain } from '../rpc-error.ts'
import { balanceMethods } from './devnet-balance.ts'
import { snapshotMethods } from './devnet-snapshots.ts'
import { anything, count, optional, param } from './params.ts'

const scope = 'devnet'

/**
 * Names that test tools know from other development chains, carried out by what this chain has: blocks, transfers and a director who may
 * replace blocks. Several nodes agree here, so what none of these can do is refused with the reason, never pretended.
 */
export function devnetAliases(backend: Backend, table: readonly Method[]): Method[] {
  const run = (name: string, ...params: readonly unknown[]): Promise<unknown> => {
    const found = table.find(each => each.name === name)
    if (found === undefined) throw new TypeError(`no method ${name}`)
    return Promise.resolve(found.run(params, {}))
  }
  const mine = (blocks: number) => run('devnet_mine', blocks)
  const reorg = (depth: number) => run('devnet_reorg', depth)

  return [
    method(
      'evm_mine',
      [optional(anything('options'))],
      async ([options]) => {
        await mine(blocksOf(options))
        return '0x0'
      },
      { scope },
    ),
    method(
      'anvil_mine',
      [optional(count('blocks')), optional(count('interval'))],
      async ([blocks = 1, interval = 0]) => {
        if (interval > 0) throw cannot('space blocks that are mined on request', 'move its clock')
        await mine(blocks)
        return null
      },
      { scope },
    ),
    method(
      'anvil_reorg',
      [count('depth'), optional(param('transactions', readPairs))],
      async ([depth, given = []]) => {
        if (given.length > 0)
          throw cannot('place given transactions in a reorganisation', 'they go through the pools')
        await reorg(depth)
        return null
      },
      { scope },
    ),
    ...snapshotMethods({ backend, reorg }),
    ...balanceMethods({
      backend,
      send: async tx => (await run('eth_sendTransaction', tx)) as Hash,
      mine: () => mine(1),
    }),
  ]
}

const cannot = (what: string, why: string) => plain(`this chain cannot ${what}: ${why}`)

/** Nothing or `{ blocks }`; a time of its own is one thing a block here cannot have. */
function blocksOf(options: unknown): number {
  if (options === undefined) return 1
  const blocks =
    typeof options === 'object' && options !== null && 'blocks' in options
      ? options.blocks
      : undefined
  if (blocks === undefined) throw cannot('mine at a given time', 'use evm_increaseTime before')
  const number = Number(blocks)
  if (!Number.isSafeInteger(number)) throw invalidParams('invalid argument 0: blocks is no number')
  return number
}

function readPairs(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Error('a list of [transaction, block] pairs')
}
