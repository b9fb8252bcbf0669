import { type Answer, type ForcedReorg, type Hash, limits } from '@rockpool/protocol'
import { invalidParams, type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { quantity } from './encode.ts'
import { anything, count, optional } from './params.ts'

/** Control of a development chain; offered only where the configuration says so. */
export function devnetMethods({ producer }: Backend): Method[] {
  async function mine(blocks: number): Promise<readonly Hash[]> {
    if (blocks < 1 || blocks > limits.mineBlocksMax)
      throw invalidParams(`invalid argument 0: between 1 and ${limits.mineBlocksMax} blocks`)
    const answer = await producer.ask<Answer<readonly Hash[]>>(reply => ({
      type: 'producer.mine',
      count: blocks,
      reply,
    }))
    return valueOf(answer)
  }

  async function reorg(depth: number, keepTxs: number): Promise<unknown> {
    if (depth < 1 || depth > limits.reorgDepthMax)
      throw invalidParams(`invalid argument 0: between 1 and ${limits.reorgDepthMax} blocks`)
    const { ancestor, removed, added, reinjected } = valueOf(
      await producer.ask<Answer<ForcedReorg>>(reply => ({
        type: 'producer.reorg',
        depth,
        keepTxs,
        reply,
      })),
    )
    const { hash, number } = ancestor
    return { ancestor: { hash, number: quantity(number) }, removed, added, reinjected }
  }

  return [
    method('devnet_mine', [optional(count('blocks'))], ([blocks = 1]) => mine(blocks), {
      scope: 'devnet',
    }),
    method(
      'devnet_reorg',
      [count('depth'), optional(anything('options'))],
      ([depth, options]) => reorg(depth, shareOf(options)),
      { scope: 'devnet' },
    ),
  ]
}

/** `keepTxs` of the options: the share of the removed transactions that is mined again, by default none. */
function shareOf(options: unknown): number {
  if (options === undefined) return 0
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  const share = isObject && 'keepTxs' in options ? options.keepTxs : 0
  if (!isObject || typeof share !== 'number' || !(share >= 0 && share <= 1))
    throw invalidParams('invalid argument 1: keepTxs is a number from 0 to 1')
  return share
}
