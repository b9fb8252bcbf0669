import { type Method, method } from '../method.ts'
import { plain } from '../rpc-error.ts'
import { anything, count, optional, param } from './params.ts'

const scope = 'devnet'

/**
 * Names that test tools know from other development chains. Those exist for one node with a state of its own; here several nodes agree on
 * blocks, so what only one of them could do is refused with the reason, never pretended.
 */
export function devnetAliases(table: readonly Method[]): Method[] {
  const reorg = table.find(({ name }) => name === 'devnet_reorg')

  return [
    method(
      'anvil_reorg',
      [count('depth'), optional(param('transactions', readPairs))],
      async ([depth, given = []], caller) => {
        if (given.length > 0)
          throw cannot('place given transactions in a reorganisation', 'they go through the pools')
        if (reorg === undefined)
          throw cannot('reorganise on request', 'this node has no director to build the branch')
        await reorg.run([depth], caller)
        return null
      },
      { scope },
    ),
    refusal(
      'anvil_setBalance',
      'write a balance',
      'every node works the state out from genesis and blocks; send ether from a funded account',
    ),
    refusal(
      'evm_increaseTime',
      'move its time',
      'every node has its own clock and refuses a block from the future',
    ),
    refusal(
      'evm_snapshot',
      'be set back to a snapshot later',
      'the other nodes keep their blocks; use devnet_reorg',
    ),
    refusal(
      'evm_revert',
      'be set back to a snapshot',
      'the other nodes keep their blocks; use devnet_reorg',
    ),
  ]
}

function refusal(name: string, what: string, why: string): Method {
  const ignored = [optional(anything('first')), optional(anything('second'))]
  return method(
    name,
    ignored,
    () => {
      throw cannot(what, why)
    },
    { scope },
  )
}

const cannot = (what: string, why: string) => plain(`this chain cannot ${what}: ${why}`)

function readPairs(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Error('a list of [transaction, block] pairs')
}
