import type { Node } from '@rockpool/node'
import type { Answer, ChainClockView, ChainMessage, Reply } from '@rockpool/protocol'
import { askSocket, socketPath } from './socket.ts'

const answerMs = 5_000
const clockMs = 1_000

/**
 * The other nodes of a devnet, by their data directories: what an operator of one asks for the whole network is asked of each over its control
 * socket. One that does not run is passed over; what one refuses is thrown.
 */
export function siblingsOf(folders: readonly string[]) {
  return async (method: string, params: readonly unknown[]): Promise<void> => {
    const answers = await Promise.all(
      folders.map(folder =>
        askSocket(socketPath(folder, 'rockpool'), method, params, answerMs).catch(() => undefined),
      ),
    )
    for (const answer of answers) if (answer?.error) throw new Error(answer.error.message)
  }
}

/**
 * A chain clock begins with the wall clock. Where those of the other nodes have been put forward, or run at another speed, this one follows
 * them, else their blocks would be of the future here.
 */
export async function followClocks(node: Node, folders: readonly string[]): Promise<void> {
  const views = await Promise.all(
    folders.map(folder =>
      askSocket(socketPath(folder, 'rockpool'), 'devnet_jump', [0], clockMs).then(
        ({ result }) => result as ChainClockView | undefined,
        () => undefined,
      ),
    ),
  )
  const [furthest] = views
    .filter(view => view !== undefined)
    .sort((left, right) => right.aheadMs - left.aheadMs)
  if (furthest === undefined) return
  const { aheadMs, speed } = furthest
  const ask = (make: (reply: Reply<Answer<ChainClockView>>) => ChainMessage) =>
    node.bus.ask<ChainMessage, Answer<ChainClockView>>(node.refs.chain, make, answerMs)
  const ms = Math.round(aheadMs)
  if (ms > 0) await ask(reply => ({ type: 'chain.jump', ms, reply }))
  if (speed !== 1) await ask(reply => ({ type: 'chain.setSpeed', speed, reply }))
}
