import type { NetworkFile } from './files.ts'

export interface DevnetBanner {
  readonly network: NetworkFile
  readonly name: string
  readonly block: string
  readonly readyMs: number
  readonly rpcNote: string | undefined
  readonly crypto: string
  /** How it is ended. */
  readonly stop: string
}

const accountsShown = 4

/** What a newcomer sees once: addresses, funded accounts and a line to paste that sends a transaction. */
export function devnetBanner({
  network,
  name,
  block,
  readyMs,
  rpcNote,
  crypto,
  stop,
}: DevnetBanner): string {
  const [first, second] = network.accounts
  const node = network.nodes[0]
  if (node === undefined || first === undefined || second === undefined) return ''
  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_sendTransaction',
    params: [{ from: first.address, to: second.address, value: '0xde0b6b3a7640000' }],
  })
  return [
    '',
    `  Rockpool devnet "${name}"   ${network.nodes.length} nodes   chain ${network.chainId}   a block every ${block}`,
    ...(rpcNote === undefined ? [] : [`  ${rpcNote}`]),
    '',
    ...network.nodes.map(each => `  ${each.name}  rpc ${each.rpc}   ops ${each.ops}/readyz`),
    '',
    '  Funded accounts, 10,000 ether each (public test keys, worth nothing elsewhere):',
    ...network.accounts
      .slice(0, accountsShown)
      .map(each => `  ${each.address}  ${each.privateKey}`),
    `  … ${network.accounts.length - accountsShown} more in .devnet/${name}/network.json`,
    '',
    ...(node.tower === undefined
      ? []
      : [`  Watchtower of ${node.name} (POST /register, docs/tower.md):`, `  ${node.tower}`, '']),
    `  ${node.name} holds the director's key and may replace any block: devnet_reorg`,
    '',
    '  Send a transaction:',
    `  curl -s ${node.rpc} -H 'content-type: application/json' -d '${call}'`,
    '',
    `  crypto ${crypto}; ready in ${(readyMs / 1_000).toFixed(1)} s. Stop with ${stop}`,
    '',
    '',
  ].join('\n')
}
