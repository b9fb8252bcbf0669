import { type RpcServerOptions, startRpcServer } from './index.ts'
import type { RpcParts } from './parts.ts'
import { createTestNode } from './test-node.ts'

/** Servers in front of a node in memory, on any port; `close` ends all that the last test opened. */
export function createTestServers() {
  const closing: (() => unknown)[] = []

  async function serve(options: Partial<RpcServerOptions> = {}, parts: Partial<RpcParts> = {}) {
    const node = await createTestNode(parts)
    const server = await startRpcServer({
      ...{ rpc: node.rpc, ip: '127.0.0.1', port: 0, vhosts: ['localhost'], cors: [] },
      ...options,
    })
    closing.push(() => server.close())
    return { node, server, url: `ws://127.0.0.1:${server.port}` }
  }

  return {
    serve,
    closing,
    async close(): Promise<void> {
      await Promise.all(closing.splice(0).map(close => close()))
    },
  }
}
