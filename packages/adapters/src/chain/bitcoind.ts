import { type Broadcast, CodedError, hashOf, type UtxoBackend } from '@rockpool/protocol'
import { type BitcoinRpc, createBitcoinRpc, RpcError, type RpcOptions } from './rpc.ts'

export type BitcoinNetwork = 'mainnet' | 'testnet' | 'signet' | 'regtest'

export interface BitcoindOptions extends RpcOptions {
  readonly network: BitcoinNetwork
}

export interface Bitcoind extends UtxoBackend {
  /** Resolves when the node answers and is of the right network; rejects with `config/bad-btc-network` for one of another network. */
  check(): Promise<void>
  close(): void
}

const names: Readonly<Record<BitcoinNetwork, string>> = {
  mainnet: 'main',
  testnet: 'test',
  signet: 'signet',
  regtest: 'regtest',
}
const ports: Readonly<Record<BitcoinNetwork, number>> = {
  mainnet: 8_332,
  testnet: 18_332,
  signet: 38_332,
  regtest: 18_443,
}

/** Where a node of this network listens if nobody has told it otherwise. */
export const rpcPortOf = (network: BitcoinNetwork): number => ports[network]

/** Refusals of bitcoin nodes: no such thing, a parameter out of range, no such method. */
const notFound = -5
const outOfRange = -8
const noMethod = -32_601
/** Outputs of a transaction that are looked at to learn whether the chain knows it. */
const outputsProbed = 4

/** A bitcoin node (Core or Knots from 25 on) over its JSON-RPC. It needs neither a wallet nor an index of transactions. */
export function createBitcoind(options: BitcoindOptions): Bitcoind {
  const rpc = createBitcoinRpc(options)
  let isChecked = false
  let tip: { readonly name: string; readonly height: number } | undefined

  async function check(): Promise<void> {
    const { chain } = (await rpc.call('getblockchaininfo')) as { chain: string }
    if (chain !== names[options.network])
      throw new CodedError(
        'config/bad-btc-network',
        `tower.btc_network is ${options.network} but bitcoind runs ${chain}`,
      )
    isChecked = true
  }

  return {
    check,
    close: rpc.close,
    async head() {
      if (!isChecked) await check()
      const name = (await rpc.call('getbestblockhash')) as string
      if (tip?.name !== name) {
        const { height } = (await rpc.call('getblockheader', [name])) as { height: number }
        tip = { name, height }
      }
      return { hash: hashOf(Buffer.from(name, 'hex')), height: tip.height }
    },
    block: height => readBlock(rpc, height),
    broadcast: raw => broadcast(rpc, raw),
    txStatus: txid => statusOf(rpc, shown(txid)),
    spender: ({ txid, index }) => spenderOf(rpc, shown(txid), index),
    async mempoolFloor() {
      const { mempoolminfee } = (await rpc.call('getmempoolinfo')) as { mempoolminfee: number }
      return mempoolminfee * satoshiPerVbyte
    },
  }
}

/** From bitcoin per thousand virtual bytes. */
const satoshiPerVbyte = 100_000

const shown = (txid: Uint8Array) => Buffer.from(txid).reverse().toString('hex')

async function readBlock(rpc: BitcoinRpc, height: number): ReturnType<UtxoBackend['block']> {
  const name = await unless(outOfRange, () => rpc.call('getblockhash', [height]))
  if (typeof name !== 'string') return null
  try {
    const bytes = Buffer.from((await rpc.call('getblock', [name, 0])) as string, 'hex')
    return { hash: hashOf(Buffer.from(name, 'hex')), bytes: new Uint8Array(bytes) }
  } catch (error) {
    if (error instanceof RpcError && error.message.includes('pruned')) return 'pruned'
    throw error
  }
}

async function broadcast(rpc: BitcoinRpc, raw: Uint8Array): Promise<Broadcast> {
  try {
    // The default highest fee would refuse a penalty that pays what justice is worth.
    await rpc.call('sendrawtransaction', [Buffer.from(raw).toString('hex'), 0])
    return { ok: true }
  } catch (error) {
    const { message } = error as Error
    return { ok: false, code: error instanceof RpcError ? error.code : 'transport', message }
  }
}

async function statusOf(
  rpc: BitcoinRpc,
  txid: string,
): Promise<'mempool' | 'confirmed' | 'unknown'> {
  const found = await unless(notFound, () => rpc.call('getrawtransaction', [txid, true]))
  if (found === undefined) return 'unknown'
  return (found as { blockhash?: string }).blockhash === undefined ? 'mempool' : 'confirmed'
}

async function spenderOf(
  rpc: BitcoinRpc,
  txid: string,
  index: number,
): ReturnType<UtxoBackend['spender']> {
  const output = (vout: number, withMempool = true) =>
    rpc.call('gettxout', [txid, vout, withMempool])
  if ((await output(index)) !== null) return 'unspent'
  const waiting = await unless(noMethod, () =>
    rpc.call('gettxspendingprevout', [[{ txid, vout: index }]]),
  )
  const [first] = (waiting ?? []) as readonly { spendingtxid?: string }[]
  if (first?.spendingtxid !== undefined) return 'mempool'
  // Nodes before version 24 cannot name it, but only a transaction that waits hides an output that the chain has.
  if ((await output(index, false)) !== null) return 'mempool'
  for (let vout = 0; vout < outputsProbed; vout += 1)
    if (vout !== index && (await output(vout)) !== null) return 'spent'
  return (await statusOf(rpc, txid)) === 'confirmed' ? 'spent' : 'unknown-output'
}

/** Undefined where the node refuses with this code. */
async function unless(code: number, call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof RpcError && error.code === code) return undefined
    throw error
  }
}
