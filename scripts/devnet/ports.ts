import { createServer } from 'node:net'

/** Takes the wanted port for a moment; undefined when another program has it. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const taken = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(taken))
    })
  })
}

export interface NodePorts {
  readonly rpc: number
  readonly ops: number
  readonly p2p: number
  readonly tower: number
}

/**
 * Ports of `count` nodes: n0 serves RPC on 8545 when that is free, all others are asked from the system, or all follow `base`. They are
 * fixed for the life of the devnet, so that a node that is killed and restarted is found where it was.
 */
export async function choosePorts(count: number, base: number | undefined): Promise<NodePorts[]> {
  const taken = new Set<number>()
  const free = async (): Promise<number> => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const port = await tryPort(0)
      if (port !== undefined && !taken.has(port)) {
        taken.add(port)
        return port
      }
    }
    throw new Error('the system gives no free port')
  }
  const nodes: NodePorts[] = []
  for (let index = 0; index < count; index += 1) {
    if (base !== undefined) {
      const own = base + 3 * index
      nodes.push({ rpc: own, ops: own + 1, p2p: own + 2, tower: base + 3 * count + index })
      continue
    }
    const rpc = index === 0 ? ((await tryPort(8_545)) ?? (await free())) : await free()
    nodes.push({ rpc, ops: await free(), p2p: await free(), tower: await free() })
  }
  return nodes
}
