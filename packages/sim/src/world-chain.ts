import type { TxRecord } from '@rockpool/protocol'
import type { WorldChain, WorldView } from './api.ts'
import { createSimChain, type SimChain } from './chain.ts'

/** Chances per block and node, in worlds whose chain is not calm. */
const stallChance = 0.01
const hideChance = 0.02

/**
 * The chain that all nodes of a world follow: a block every `blockMs`, from what waits in the pool of a drawn node, as a miner of that node
 * would. Where reorgs are drawn, heads also stall for some nodes and states are missing for a while; both end with the chaos.
 */
export function worldChain(world: WorldView): WorldChain & { readonly chain: SimChain } {
  const { genesis, options } = world
  const rng = world.fork('chain')
  const chain = createSimChain({
    genesis,
    keccak256: world.crypto.keccak256,
    rng,
    wallMs: () => world.wallMs,
    after: (ms, what, act) => world.at(world.nowMs + ms, what, act),
    isUp: node => world.nodes[node]?.running !== undefined,
    waiting,
  })

  /** What one of the nodes that are up would mine. */
  function waiting(baseFee: bigint): readonly TxRecord[] {
    const pools = world.nodes.flatMap(({ up, running }) =>
      up ? (running?.inside().pool ?? []) : [],
    )
    const pool = rng.pick(pools)
    return pool?.select({ gas: genesis.gasLimit, bytes: 1_000_000, baseFee }) ?? []
  }

  function trouble(): void {
    if (options.reorg.perBlock === 0 || world.nowMs >= world.healMs) return
    for (const { index } of world.nodes) {
      const most = world.healMs - world.nowMs
      if (rng.chance(stallChance)) {
        chain.stall(index, Math.min(most, rng.exp(5 * options.blockMs)))
        world.sometimes('chain/stalled')
      }
      if (rng.chance(hideChance)) chain.hide(index, Math.min(most, rng.exp(500)))
    }
  }

  function mine(): void {
    chain.grow()
    trouble()
    world.at(world.nowMs + options.blockMs, 'mine', mine)
  }

  world.at(options.blockMs, 'mine', mine)
  return {
    chain,
    source: node => chain.source(node),
    reorg(depth) {
      chain.reorg(depth)
      world.sometimes('chain/reorg')
    },
  }
}
