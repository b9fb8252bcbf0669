import {
  type Account,
  type Chain,
  createPublicClient,
  createWalletClient,
  custom,
  type PublicClient,
  type Transport,
  type WalletClient,
} from 'viem'
import { alice, chainId, type TestNode } from './test-node.ts'

/** viem as any wallet uses it, over the dispatcher instead of a socket. */
export function clientsOf(node: TestNode): {
  readonly reader: PublicClient
  readonly wallet: WalletClient<Transport, Chain, Account>
} {
  const transport = custom(
    {
      async request({ method, params }: { method: string; params?: readonly unknown[] }) {
        const { result, error } = await node.call(method, ...(params ?? []))
        if (error !== undefined) throw Object.assign(new Error(error.message), error)
        return result
      },
    },
    { retryCount: 0 },
  )
  const chain = {
    ...{ id: chainId, name: 'dev', rpcUrls: { default: { http: [] } } },
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  }
  return {
    reader: createPublicClient({ transport, chain, cacheTime: 0, pollingInterval: 10 }),
    wallet: createWalletClient({ transport, chain, account: alice }),
  }
}
