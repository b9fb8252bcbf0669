import { toHex } from '@rockpool/protocol'
import { healthBody } from '../health.ts'
import { type Method, method } from '../method.ts'
import type { Backend } from '../parts.ts'
import { quantity } from './encode.ts'
import { bytes } from './params.ts'

/** Questions about the node itself. */
export function nodeMethods({ parts }: Backend): Method[] {
  const { version, chainId, genesisHash, keccak256, health } = parts
  const { arch, platform, version: node } = process
  const client = `Rockpool/v${version}/${platform}-${arch}/node${node}`
  return [
    method('net_version', [], () => String(chainId)),
    method('net_listening', [], () => parts.listening()),
    method('net_peerCount', [], () => quantity(parts.peerCount())),
    method('web3_clientVersion', [], () => client),
    method('web3_sha3', [bytes], ([data]) => toHex(keccak256(data))),
    method('rockpool_version', [], () => ({
      version,
      node,
      chainId: quantity(chainId),
      genesisHash,
    })),
    ...(health === undefined ? [] : [method('rockpool_health', [], () => healthBody(health()))]),
  ]
}

/** What can be called here, for tools that ask: every method, and the namespaces as geth lists them. */
export function listingMethods(table: readonly Method[], version: string): Method[] {
  const listings: Method[] = [
    method('rpc_methods', [], () =>
      rows.map(({ name, params, scope, cost }) => ({
        name,
        params: params.map(param => (param.optional ? `${param.name}?` : param.name)),
        scope,
        cost,
      })),
    ),
    // By the name the OpenRPC specification gives it.
    method('rpc.discover', [], () => openRpc(rows, version), { answer: 'large' }),
    method('rpc_modules', [], () =>
      Object.fromEntries(rows.map(({ name }) => [name.split(/[_.]/)[0] ?? name, '1.0'])),
    ),
  ]
  const rows = [...table, ...listings].sort((left, right) => (left.name < right.name ? -1 : 1))
  return listings
}

/**
 * The method table as an OpenRPC document. It names every parameter and says whether it may be left out; what a value looks like is said by
 * the refusal of a wrong one, in geth's words.
 */
function openRpc(rows: readonly Method[], version: string) {
  return {
    openrpc: '1.3.2',
    info: { title: 'Rockpool JSON-RPC', version },
    methods: rows.map(({ name, params, scope }) => ({
      name,
      tags: [{ name: scope }],
      paramStructure: 'by-position',
      params: params.map(({ name: param, optional }) => ({
        ...{ name: param, required: !optional, schema: {} },
      })),
      result: { name: 'result', schema: {} },
    })),
  }
}
