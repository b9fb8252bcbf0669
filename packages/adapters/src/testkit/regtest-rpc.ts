import type { Entry } from 'bcoin'
import { entryAt, Refused, type RegtestNode } from './regtest-node.ts'

type Params = readonly unknown[]
export type RegtestCalls = Readonly<Record<string, (params: Params) => Promise<unknown>>>

const unknownBlock = () => new Refused(-5, 'Block not found')
const internal = (shown: unknown) => Buffer.from(String(shown), 'hex').reverse().toString('hex')

/** The calls of a bitcoin node over the façade, with the answers and refusals of a real one without an index of transactions. */
export function regtestCalls(
  regtest: RegtestNode,
  state: { readonly prunedBelow: () => number },
): RegtestCalls {
  const { node } = regtest
  const { chain, mempool } = node

  async function entryOf(shown: unknown): Promise<Entry> {
    const entry = await chain.getEntry(internal(shown))
    if (entry === null) throw unknownBlock()
    return entry
  }

  async function txOut([txid, index, withMempool = true]: Params): Promise<unknown> {
    const hash = internal(txid)
    if (withMempool === true && mempool.getSpentTX(hash, Number(index)) !== null) return null
    const params = [txid, index, withMempool]
    return node.rpc.execute({ method: 'gettxout', params })
  }

  async function accept([hexes]: Params): Promise<unknown> {
    const [hex] = hexes as readonly string[]
    const raw = Buffer.from(hex ?? '', 'hex')
    try {
      const txid = await regtest.send(raw)
      const entry = mempool.getEntry(internal(txid))
      if (entry !== null) mempool.evictEntry(entry)
      return [{ txid, allowed: true }]
    } catch (error) {
      const isMissing = (error as Error).message.startsWith('bad-txns-inputs-missing')
      return [
        {
          allowed: false,
          'reject-reason': isMissing ? 'missing-inputs' : (error as Error).message,
        },
      ]
    }
  }

  return {
    async getblockchaininfo() {
      return {
        chain: 'regtest',
        blocks: chain.height,
        headers: chain.height,
        bestblockhash: chain.tip.rhash(),
        initialblockdownload: false,
        pruned: state.prunedBelow() > 0,
        ...(state.prunedBelow() > 0 && { pruneheight: state.prunedBelow() }),
      }
    },
    getbestblockhash: async () => chain.tip.rhash(),
    getblockcount: async () => chain.height,
    getblockhash: async ([height]) => (await entryAt(node, Number(height))).rhash(),
    async getblockheader([hash]) {
      const entry = await entryOf(hash)
      const isMain = await chain.isMainHash(entry.hash)
      return {
        hash: entry.rhash(),
        confirmations: isMain ? chain.height - entry.height + 1 : -1,
        height: entry.height,
        time: entry.time,
        bits: entry.bits.toString(16).padStart(8, '0'),
        chainwork: ''.padStart(64, '0'),
        ...(entry.height > 0 && { previousblockhash: internal(entry.prevBlock) }),
      }
    },
    async getblock([hash, verbosity = 1]) {
      const entry = await entryOf(hash)
      if (entry.height < state.prunedBelow())
        throw new Refused(-1, 'Block not available (pruned data)')
      const block = await chain.getBlock(entry.hash)
      if (block === null) throw unknownBlock()
      if (verbosity === 0) return block.toRaw().toString('hex')
      const { height } = entry
      return { hash: entry.rhash(), height, tx: block.txs.map(tx => tx.txid()) }
    },
    async getrawtransaction([txid]) {
      const tx = mempool.getTX(internal(txid))
      if (tx === null)
        throw new Refused(-5, 'No such mempool transaction. Use -txindex to look at blocks.')
      return { txid, hex: tx.toRaw().toString('hex') }
    },
    gettxout: txOut,
    async gettxspendingprevout([outputs]) {
      return (outputs as readonly { txid: string; vout: number }[]).map(each => {
        const spender = mempool.getSpentTX(internal(each.txid), each.vout)
        return spender === null ? each : { ...each, spendingtxid: spender.txid() }
      })
    },
    testmempoolaccept: accept,
    sendrawtransaction: ([hex, feeRateMax = 0.1]) =>
      regtest.send(Buffer.from(String(hex), 'hex'), Number(feeRateMax)),
    async getmempoolinfo() {
      const rate = regtest.floor / 100_000
      return { loaded: true, size: mempool.map.size, mempoolminfee: rate, minrelaytxfee: rate }
    },
    async getrawmempool() {
      return [...mempool.map.values()].map(({ tx }) => tx.txid())
    },
  }
}
