import type { Node } from '@rockpool/node'
import type { Hash } from '@rockpool/protocol'
import type { Cast } from './cast.ts'
import { schemaVersion } from './datadir.ts'
import type { Effective } from './settings.ts'
import type { NodeStatus } from './status.ts'
import { version } from './version.ts'

export interface RunFacts {
  readonly effective: Effective
  readonly crypto: string
  readonly genesisHash: Hash
  readonly startedAt: number
}

/** The answer of `node_status`. */
export async function statusOf(
  { node, recording }: Pick<Cast, 'node' | 'recording'>,
  { effective, crypto, genesisHash, startedAt }: RunFacts,
): Promise<NodeStatus> {
  const { chain, pool, peers } = await node.status()
  const health = node.health()
  return {
    version,
    pid: process.pid,
    state: health.state,
    ready: health.ready,
    why: whyOf(
      health.state,
      health.reasons.map(reason => reason.text),
    ),
    reasons: health.reasons.map(({ code, text }) => ({ code, text })),
    network: effective.read.text('network'),
    chainId: chain.chainId,
    genesis: genesisHash,
    head: {
      number: chain.head.number,
      hash: chain.head.hash,
      ageMs: Math.max(0, Date.now() - chain.head.timeMs),
    },
    peers: peers.length,
    pool: { pending: pool.pending, queued: pool.queued },
    recording: recording?.status() ?? null,
    crypto,
    node: process.version,
    schema: schemaVersion,
    config: effective.digest,
    datadir: effective.paths.root,
    uptimeMs: Math.round(performance.now() - startedAt),
  }
}

function whyOf(state: string, reasons: readonly string[]): string {
  if (reasons.length > 0) return reasons.join('; ')
  return state === 'ready' ? 'all services are served' : `the node is ${state}`
}

/** `ready · head 1,204 · 3 peers · pool 312+18`, from memory. */
export function statusText(node: Node): string {
  const { height, pending, queued, peers } = node.glance()
  const { state } = node.health()
  return `${state} · head ${height.toLocaleString('en')} · ${peers} peers · pool ${pending}+${queued}`
}
