import { type Answer, type Hash, limits } from '@rockpool/protocol'
import { invalidParams, type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
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

  return [
    method('devnet_mine', [optional(count('blocks'))], ([blocks = 1]) => mine(blocks), {
      scope: 'devnet',
    }),
    // The name and the answer that test tools know from other development chains.
    method(
      'evm_mine',
      [optional(anything('timestamp'))],
      async () => {
        await mine(1)
        return '0x0'
      },
      { scope: 'devnet' },
    ),
  ]
}
