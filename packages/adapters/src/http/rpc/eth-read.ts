import { type Answer, type BlockId, type PooledTx, type TxRecord, toHex } from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { plain, RpcError, rpcCode } from '../rpc-error.ts'
import { askAccount, askBlock, askMined, askPreview, askStatus, isPending } from './blocks.ts'
import {
  blockJson,
  headerJson,
  minedTxJson,
  pendingBlockJson,
  pendingTxJson,
  quantity,
  receiptJson,
} from './encode.ts'
import {
  address,
  anything,
  block,
  blockNumber,
  blockOrHead,
  flag,
  hash,
  index,
  intoField,
  param,
  readBlockNumber,
  readHash,
  readRecord,
  slot,
} from './params.ts'

/** Ethereum's questions about the chain. */
export function ethReadMethods(backend: Backend): Method[] {
  const { pool } = backend
  const { chainId } = backend.parts

  /** A block in JSON, `pending` included; null when there is none. */
  async function blockOf(id: BlockId, full: boolean) {
    if (isPending(id)) return pendingBlockJson((await askPreview(backend)).block, full)
    const found = await askBlock(backend, id)
    return found === null ? null : blockJson(found.block, full)
  }

  async function txCount(id: BlockId) {
    if (isPending(id)) return quantity((await askPreview(backend)).block.txs.length)
    const found = await askBlock(backend, id)
    return found === null ? null : quantity(found.block.txs.length)
  }

  async function txAt(id: BlockId, position: number) {
    if (isPending(id)) {
      const tx = (await askPreview(backend)).block.txs[position]
      return tx === undefined ? null : pendingTxJson(tx)
    }
    const found = await askBlock(backend, id)
    const tx = found?.block.txs[position]
    return tx === undefined || found == null ? null : minedTxJson(tx, found.block.header, position)
  }

  async function pooledTx(txHash: TxRecord['hash']): Promise<TxRecord | null> {
    const found = await pool.ask<PooledTx | null>(reply => ({
      type: 'pool.getTransaction',
      hash: txHash,
      reply,
    }))
    return found === null || found.origin === 'private' ? null : found.tx
  }

  /** Chain and pool are asked one after the other: what is mined in between is in neither answer, so nothing is unknown before a second look. */
  async function whereIs(txHash: TxRecord['hash']) {
    for (let look = 0; look < 2; look += 1) {
      const mined = await askMined(backend, txHash)
      const pooled = mined === null ? await pooledTx(txHash) : null
      if (mined !== null || pooled !== null) return { mined, pooled }
    }
    return { mined: null, pooled: null }
  }

  return [
    method('eth_chainId', [], () => quantity(chainId)),
    method('eth_blockNumber', [], async () => quantity((await askStatus(backend)).head.number)),
    method('eth_syncing', [], async () => {
      const { state, head, sync } = await askStatus(backend)
      if (state !== 'syncing') return false
      return {
        startingBlock: quantity(sync?.start ?? head.number),
        currentBlock: quantity(head.number),
        highestBlock: quantity(sync?.highest ?? head.number),
      }
    }),
    method('eth_getBalance', [address, blockOrHead], async ([account, at]) =>
      quantity((await askAccount(backend, account, at)).account.balance),
    ),
    method('eth_getTransactionCount', [address, blockOrHead], async ([account, at]) => {
      if (!isPending(at.id)) return quantity((await askAccount(backend, account, at)).account.nonce)
      const answer = await pool.ask<Answer<bigint>>(reply => ({
        type: 'pool.getNonce',
        address: account,
        reply,
      }))
      return quantity(valueOf(answer))
    }),
    method('eth_getCode', [address, blockOrHead], async ([account, at]) => {
      const { delegation } = (await askAccount(backend, account, at)).account
      return delegation === null ? '0x' : `0xef0100${delegation.slice(2)}`
    }),
    method('eth_getStorageAt', [address, slot, blockOrHead], async ([account, , at]) => {
      await askAccount(backend, account, at)
      return `0x${'00'.repeat(32)}`
    }),
    method('eth_getProof', [address, anything('keys'), block], () => {
      throw new RpcError(rpcCode.method, 'this chain has no state trie')
    }),
    method('eth_getBlockByNumber', [blockNumber, flag('full')], ([id, full]) => blockOf(id, full), {
      answer: 'large',
    }),
    method(
      'eth_getBlockByHash',
      [hash, flag('full')],
      ([id, full]) => blockOf({ hash: id }, full),
      { answer: 'large' },
    ),
    method('eth_getHeaderByNumber', [blockNumber], async ([id]) => {
      if (isPending(id)) {
        const { header } = (await askPreview(backend)).block
        return { ...headerJson(header), hash: null, nonce: null, miner: null }
      }
      const found = await askBlock(backend, id)
      return found === null ? null : headerJson(found.block.header)
    }),
    method('eth_getHeaderByHash', [hash], async ([id]) => {
      const found = await askBlock(backend, { hash: id })
      return found === null ? null : headerJson(found.block.header)
    }),
    method('eth_getBlockTransactionCountByNumber', [blockNumber], ([id]) => txCount(id)),
    method('eth_getBlockTransactionCountByHash', [hash], ([id]) => txCount({ hash: id })),
    method('eth_getUncleCountByBlockNumber', [blockNumber], async ([id]) =>
      isPending(id) || (await askBlock(backend, id)) !== null ? '0x0' : null,
    ),
    method('eth_getUncleCountByBlockHash', [hash], async ([id]) =>
      (await askBlock(backend, { hash: id })) === null ? null : '0x0',
    ),
    method('eth_getTransactionByHash', [hash], async ([txHash]) => {
      const { mined, pooled } = await whereIs(txHash)
      if (mined !== null) return minedTxJson(mined.tx, mined.block.header, mined.index)
      return pooled === null ? null : pendingTxJson(pooled)
    }),
    method('eth_getRawTransactionByHash', [hash], async ([txHash]) => {
      const { mined, pooled } = await whereIs(txHash)
      const tx = mined?.tx ?? pooled
      return tx === null ? null : toHex(tx.raw)
    }),
    method('eth_getTransactionByBlockNumberAndIndex', [blockNumber, index], ([id, position]) =>
      txAt(id, position),
    ),
    method('eth_getTransactionByBlockHashAndIndex', [hash, index], ([id, position]) =>
      txAt({ hash: id }, position),
    ),
    method('eth_getTransactionReceipt', [hash], async ([txHash]) => {
      const mined = await askMined(backend, txHash)
      if (mined === null) return null
      return receiptJson(mined.tx, mined.receipt, mined.block.header, mined.index)
    }),
    method(
      'eth_getBlockReceipts',
      [block],
      async ([{ id }]) => {
        if (isPending(id)) return null
        const found = await askBlock(backend, id)
        if (found === null) return null
        const { header, txs } = found.block
        return txs.map((tx, position) => {
          const receipt = found.receipts[position]
          if (receipt === undefined) throw new Error(`block ${header.number} lacks receipts`)
          return receiptJson(tx, receipt, header, position)
        })
      },
      { answer: 'large' },
    ),
    method('eth_getLogs', [logFilter], async ([{ at }]) => {
      if (at !== undefined && (await askBlock(backend, { hash: at })) === null)
        throw plain('unknown block')
      return []
    }),
  ]
}

/** A log filter. This chain writes no logs, so only its form and its range matter. */
export const logFilter = param('filter', value => {
  const { blockHash, fromBlock, toBlock } = readRecord(value, 'filters.input')
  const has = (part: unknown) => part !== undefined && part !== null
  if (has(blockHash)) {
    if (has(fromBlock) || has(toBlock))
      throw new Error(
        'cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
      )
    return { at: readHash(blockHash, intoField('input', 'blockHash', 'common.Hash')) }
  }
  const from = has(fromBlock) ? readBlockNumber(fromBlock) : undefined
  const to = has(toBlock) ? readBlockNumber(toBlock) : undefined
  if (from && to && 'number' in from && 'number' in to && from.number > to.number)
    throw new RpcError(rpcCode.params, 'invalid block range params')
  return { at: undefined }
})
