import { type Answer, failed, type Hash, limits } from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { failureError } from '../rpc-error.ts'
import { headOf } from './devnet-parts.ts'
import { quantity } from './encode.ts'
import { hash as aHash, count, optional } from './params.ts'

interface Snapshot {
  readonly hash: Hash
  readonly number: number
}

export interface SnapshotParts {
  readonly backend: Backend
  /** Replaces the last blocks with empty ones, as `devnet_reorg` does. */
  readonly reorg: (depth: number) => Promise<unknown>
}

const scope = 'devnet'
const optionalHash = optional(aHash)

/**
 * Snapshots in the way that a chain of several nodes allows: a place in the chain, to which the director leads everybody back with a heavier
 * branch of empty blocks. Balances and nonces are then those of the snapshot; height and time go on.
 */
export function snapshotMethods({ backend, reorg }: SnapshotParts): Method[] {
  const snapshots = new Map<number, Snapshot>()
  let last = 0

  async function take(): Promise<string> {
    const { hash, number } = await headOf(backend)
    last += 1
    snapshots.set(last, { hash, number })
    const [oldest] = snapshots.keys()
    if (snapshots.size > limits.snapshotsMax && oldest !== undefined) snapshots.delete(oldest)
    return quantity(last)
  }

  /** False when there is no such snapshot. It and all that were taken after it are used up. */
  async function revert(id: number): Promise<boolean> {
    const to = snapshots.get(id)
    if (to === undefined) return false
    const depth = await depthOf(to)
    if (depth > 0) await leadBack(to.hash, depth)
    for (const later of snapshots.keys()) if (later >= id) snapshots.delete(later)
    return true
  }

  async function depthOf({ hash, number }: Snapshot): Promise<number> {
    const answer = await backend.chain.ask<Answer<{ canonical: boolean } | null>>(reply => ({
      type: 'chain.getBlock',
      id: { hash },
      reply,
    }))
    if (valueOf(answer)?.canonical !== true) throw failureError(failed('devnet/snapshot-gone'))
    return (await headOf(backend)).number - number
  }

  async function leadBack(ancestor: Hash, depth: number): Promise<void> {
    await forgetEverywhere(ancestor)
    try {
      await reorg(depth)
    } catch (error) {
      await forgetEverywhere(null)
      throw error
    }
  }

  async function forgetEverywhere(ancestor: Hash | null): Promise<void> {
    const others = backend.parts.others?.('devnet_forget', [ancestor])
    await Promise.all([forget(ancestor), others])
  }

  const forget = (ancestor: Hash | null): Promise<null> =>
    backend.pool.ask<null>(reply => ({ type: 'pool.forget', ancestor, reply }))

  return [
    method('evm_snapshot', [], take, { scope }),
    method('evm_revert', [count('id')], ([id]) => revert(id), { scope }),
    // Between the nodes of a devnet: what the branch on this block replaces does not return to the pools.
    method('devnet_forget', [optionalHash], ([ancestor]) => forget(ancestor ?? null), { scope }),
  ]
}
