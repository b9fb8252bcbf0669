import type { Answer, ChainClockView } from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { anything, count } from './params.ts'

const scope = 'devnet'

/** The chain clock of this node, and by `evm_increaseTime` that of all nodes of its devnet. */
export function clockMethods({ chain, parts }: Backend): Method[] {
  async function jump(ms: number): Promise<ChainClockView> {
    return valueOf(
      await chain.ask<Answer<ChainClockView>>(reply => ({ type: 'chain.jump', ms, reply })),
    )
  }

  async function setSpeed(speed: number): Promise<ChainClockView> {
    return valueOf(
      await chain.ask<Answer<ChainClockView>>(reply => ({ type: 'chain.setSpeed', speed, reply })),
    )
  }

  /** All at once: a node that went ahead alone would make blocks that the others put off. */
  async function jumpTogether(ms: number): Promise<number> {
    const [{ aheadMs }] = await Promise.all([jump(ms), parts.others?.('devnet_jump', [ms])])
    return Math.floor(aheadMs / 1_000)
  }

  return [
    method('devnet_jump', [count('ms')], ([ms]) => jump(ms), { scope }),
    method('devnet_chainSpeed', [anything('speed')], ([speed]) => setSpeed(Number(speed)), {
      scope,
    }),
    // As on other development chains it answers by how many seconds the clock is now ahead, over all calls.
    method('evm_increaseTime', [count('seconds')], ([seconds]) => jumpTogether(seconds * 1_000), {
      scope,
    }),
  ]
}
