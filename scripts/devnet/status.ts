import type { NetworkFile } from './files.ts'

/** What the launcher shows of one node. */
export interface NodeStatus {
  readonly name: string
  readonly up: boolean
  readonly height: number
  readonly head: string
  readonly peers: number
  readonly pending: number
  readonly queued: number
  /** Why it was not asked, for example `paused`. */
  readonly state?: string
}

const calls = [
  { method: 'eth_getBlockByNumber', params: ['latest', false] },
  { method: 'net_peerCount', params: [] },
  { method: 'txpool_status', params: [] },
].map((call, id) => ({ jsonrpc: '2.0', id, ...call }))

/** Asks one node by its public RPC; a node that does not answer within a second is shown as down. */
export async function askStatus(name: string, rpc: string): Promise<NodeStatus> {
  try {
    const response = await fetch(rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(calls),
      signal: AbortSignal.timeout(1_000),
    })
    const [block, peers, pool] = (await response.json()) as [
      { result: { number: string; hash: string } },
      { result: string },
      { result: { pending: string; queued: string } },
    ]
    return {
      name,
      up: true,
      height: Number(block.result.number),
      head: block.result.hash,
      peers: Number(peers.result),
      pending: Number(pool.result.pending),
      queued: Number(pool.result.queued),
    }
  } catch {
    return { ...down, name }
  }
}

/** All nodes; one that is paused or gone is not asked. */
export function askAll(
  { nodes }: NetworkFile,
  states: readonly { readonly name: string; readonly state: string }[],
): Promise<NodeStatus[]> {
  return Promise.all(
    nodes.map(async ({ name, rpc }) => {
      const state = states.find(each => each.name === name)?.state
      if (state === undefined || state === 'running') return askStatus(name, rpc)
      return { ...down, name, state }
    }),
  )
}

const down = { up: false, height: 0, head: '', peers: 0, pending: 0, queued: 0 }

/** `#12 one head │ n0 3 peers 4+0 │ n1 …`: height, agreement, then peers and pending+queued of each node. */
export function statusText(nodes: readonly NodeStatus[]): string {
  const up = nodes.filter(node => node.up)
  const heads = new Set(up.map(node => node.head))
  const height = Math.max(0, ...up.map(node => node.height))
  const agreement = heads.size <= 1 ? 'one head' : `${heads.size} heads`
  const each = nodes.map(node =>
    node.up
      ? `${node.name} #${node.height} ${node.peers} peers ${node.pending}+${node.queued}`
      : `${node.name} ${node.state ?? 'down'}`,
  )
  return [`#${height} ${agreement}`, ...each].join(' | ')
}
