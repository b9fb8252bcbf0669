import {
  HDNodeWallet,
  isError,
  JsonRpcProvider,
  Transaction,
  type TransactionRequest,
  type TransactionResponse,
  WebSocketProvider,
} from 'ethers'
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hash,
  http,
  parseEther,
  parseGwei,
  type ReplacementReturnType,
  webSocket,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

/* One node alone, and the two libraries most wallets are made of. What they decode is asserted, not only that they did. */

const phrase = 'test test test test test test test test test test test junk'
const nobody = `0x${'0b'.repeat(20)}` as const
const delegate = `0x${'0d'.repeat(20)}` as const
const blobHash = `0x01${'00'.repeat(31)}` as const
const blobRefusal = 'transaction type not supported: received type 3'
const gwei = parseGwei('1')
/** Below every base fee: taken, and never mined. */
const tooCheap = { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }
const quick = { maxFeePerGas: 3n * gwei, maxPriorityFeePerGas: gwei }
const storageKeys = [`0x${'00'.repeat(32)}` as const]
const accessList = [{ address: nobody, storageKeys }]

const scratch = createScratch()
let ports: Ports

beforeAll(async () => {
  const flags = [...quietFlags, '--chain.block-time', '500ms']
  ports = await scratch.run(scratch.path('node'), flags).ready()
})

afterAll(() => scratch.close())

describe('viem', () => {
  const account = mnemonicToAccount(phrase, { addressIndex: 0 })
  const authority = mnemonicToAccount(phrase, { addressIndex: 5 })

  function clients() {
    const chain = defineChain({
      ...{ id: 1337, name: 'dev', rpcUrls: { default: { http: [ports.rpc] } } },
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    })
    const options = { chain, pollingInterval: 50, cacheTime: 0 }
    return {
      reader: createPublicClient({ ...options, transport: http(ports.rpc) }),
      wallet: createWalletClient({ ...options, account, transport: http(ports.rpc) }),
      listener: createPublicClient({ ...options, transport: webSocket(ports.ws) }),
    }
  }

  test('sends, waits, and reads receipt and history', async () => {
    const { reader, wallet } = clients()
    const before = await reader.getBalance({ address: account.address })

    const hash = await wallet.sendTransaction({ to: nobody, value: parseEther('1') })
    const receipt = await reader.waitForTransactionReceipt({ hash })

    expect(receipt).toMatchObject({
      ...{ status: 'success', type: 'eip1559', gasUsed: 21_000n, logs: [], contractAddress: null },
      ...{ transactionHash: hash, from: account.address.toLowerCase(), to: nobody },
    })
    const { blockNumber, effectiveGasPrice } = receipt
    const block = await reader.getBlock({ blockNumber, includeTransactions: true })
    expect(block).toMatchObject({ hash: receipt.blockHash, gasUsed: 21_000n, uncles: [] })
    expect(block.transactions).toMatchObject([
      { hash, blockNumber, nonce: 0, value: parseEther('1'), gasPrice: effectiveGasPrice },
    ])
    expect(await reader.getTransaction({ hash })).toEqual(block.transactions[0])
    expect(await reader.getTransactionConfirmations({ hash })).toBeGreaterThanOrEqual(1n)
    const after = before - parseEther('1') - 21_000n * effectiveGasPrice
    const { address } = account
    expect(await reader.getBalance({ address, blockNumber })).toBe(after)
    expect(await reader.getBalance({ address, blockNumber: blockNumber - 1n })).toBe(before)
    expect(await reader.getTransactionCount({ address, blockNumber })).toBe(1)
    expect(await reader.getLogs({ fromBlock: 0n, toBlock: blockNumber })).toEqual([])
  })

  test('has transactions of types 0, 1, 2 and 4 mined', async () => {
    const { reader, wallet } = clients()
    const signed = await wallet.signAuthorization({ account: authority, contractAddress: delegate })
    const gasPrice = 2n * gwei
    const hashes: Hash[] = []
    hashes.push(await wallet.sendTransaction({ to: nobody, value: 1n, type: 'legacy', gasPrice }))
    hashes.push(await wallet.sendTransaction({ to: nobody, type: 'eip2930', gasPrice, accessList }))
    hashes.push(await wallet.sendTransaction({ to: nobody, type: 'eip1559', ...quick, accessList }))
    hashes.push(
      await wallet.sendTransaction({
        to: authority.address,
        authorizationList: [signed],
        ...quick,
      }),
    )

    const receipts = await Promise.all(
      hashes.map(hash => reader.waitForTransactionReceipt({ hash })),
    )

    expect(receipts.map(({ type, status }) => `${type} ${status}`)).toEqual(
      ['legacy', 'eip2930', 'eip1559', 'eip7702'].map(type => `${type} success`),
    )
    const [, listed, , delegating] = await Promise.all(
      hashes.map(hash => reader.getTransaction({ hash })),
    )
    expect(listed).toMatchObject({ accessList, chainId: 1337 })
    expect(delegating).toMatchObject({ authorizationList: [{ address: delegate, nonce: 0 }] })
    expect(await reader.getCode({ address: authority.address })).toBe(
      `0xef0100${delegate.slice(2)}`,
    )
  })

  test('speeds a waiting transaction up, and hears that it was repriced', async () => {
    const { reader, wallet } = clients()
    const nonce = await reader.getTransactionCount({ address: account.address })
    const wish = { to: nobody, value: 7n, nonce } as const
    const slow = await wallet.sendTransaction({ ...wish, ...tooCheap })
    await expect(wallet.sendTransaction({ ...wish, ...tooCheap, value: 8n })).rejects.toThrow(
      'replacement transaction underpriced',
    )
    const replaced: ReplacementReturnType[] = []
    const waiting = reader.waitForTransactionReceipt({
      hash: slow,
      onReplaced: replacement => replaced.push(replacement),
    })
    // It can only follow what it has seen: it looks at each block, and by the second it has.
    const since = await reader.getBlockNumber()
    await until('two more blocks', async () => (await reader.getBlockNumber()) >= since + 2n)

    const fast = await wallet.sendTransaction({ ...wish, ...quick })

    expect(await waiting).toMatchObject({ transactionHash: fast, status: 'success' })
    expect(replaced).toMatchObject([{ reason: 'repriced', transaction: { hash: fast } }])
    await expect(reader.getTransaction({ hash: slow })).rejects.toThrow('could not be found')
  })

  test('is told by filters and by subscriptions', async () => {
    const { reader, wallet, listener } = clients()
    const heads: bigint[] = []
    const heard: Hash[] = []
    const stops = [
      listener.watchBlocks({ onBlock: ({ number }) => heads.push(number) }),
      listener.watchPendingTransactions({ onTransactions: hashes => heard.push(...hashes) }),
    ]
    const blocks = await reader.createBlockFilter()
    const pending = await reader.createPendingTransactionFilter()
    await until('a first head', () => heads.length > 0)

    const hash = await wallet.sendTransaction({ to: nobody, value: 1n })
    const { blockNumber, blockHash } = await reader.waitForTransactionReceipt({ hash })

    await until('head and transaction are heard', () =>
      [heads.includes(blockNumber), heard.includes(hash)].every(Boolean),
    )
    const [first = 0n] = heads
    expect(heads).toEqual(heads.map((_, index) => first + BigInt(index)))
    expect(await reader.getFilterChanges({ filter: pending })).toEqual([hash])
    expect(await reader.getFilterChanges({ filter: blocks })).toContain(blockHash)
    expect(await reader.uninstallFilter({ filter: blocks })).toBe(true)
    for (const stop of stops) stop()
    ;(await listener.transport.getRpcClient()).close()
  })

  test('reads fees, and estimates from them', async () => {
    const { reader } = clients()
    const history = await reader.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] })
    const newest = await reader.getBlock({ blockNumber: history.oldestBlock + 3n })

    expect(history.baseFeePerGas).toHaveLength(5)
    expect(history.baseFeePerGas[3]).toBe(newest.baseFeePerGas)
    expect(history.gasUsedRatio).toHaveLength(4)
    expect(history.reward?.map(row => row.length)).toEqual([2, 2, 2, 2])
    const { maxFeePerGas, maxPriorityFeePerGas } = await reader.estimateFeesPerGas()
    expect(maxFeePerGas).toBeGreaterThan(maxPriorityFeePerGas)
    expect(await reader.estimateGas({ account, to: nobody, value: 1n })).toBe(21_000n)
  })

  test('is refused a blob transaction in geth’s words', async () => {
    const { reader } = clients()
    const serializedTransaction = await account.signTransaction({
      ...{ type: 'eip4844', chainId: 1337, nonce: 99, gas: 21_000n, to: nobody, ...quick },
      ...{ maxFeePerBlobGas: 1n, blobVersionedHashes: [blobHash] },
    })

    await expect(reader.sendRawTransaction({ serializedTransaction })).rejects.toThrow(blobRefusal)
  })
})

describe('ethers', () => {
  const path = (index: number) => `m/44'/60'/0'/0/${index}`
  let provider: JsonRpcProvider
  let wallet: HDNodeWallet
  let authority: HDNodeWallet

  beforeAll(() => {
    provider = new JsonRpcProvider(ports.rpc, 1337, {
      ...{ polling: true, pollingInterval: 50, cacheTimeout: -1, staticNetwork: true },
    })
    wallet = HDNodeWallet.fromPhrase(phrase, '', path(1)).connect(provider)
    authority = HDNodeWallet.fromPhrase(phrase, '', path(6)).connect(provider)
  })

  afterAll(() => provider.destroy())

  /** The mined receipt, which ethers types as maybe null. */
  async function receiptOf(response: TransactionResponse) {
    const receipt = await response.wait()
    if (receipt === null) throw new Error(`${response.hash} has no receipt`)
    return receipt
  }

  test('sends, waits, and reads receipt and history', async () => {
    const before = await provider.getBalance(wallet.address)

    const response = await wallet.sendTransaction({ to: nobody, value: parseEther('1') })
    const receipt = await receiptOf(response)

    expect(receipt).toMatchObject({
      ...{ status: 1, type: 2, gasUsed: 21_000n, logs: [], contractAddress: null },
      ...{ hash: response.hash, from: wallet.address, index: expect.any(Number) },
    })
    expect(receipt.to?.toLowerCase()).toBe(nobody)
    const { blockNumber, gasPrice } = receipt
    const block = await provider.getBlock(blockNumber, true)
    expect(block).toMatchObject({ hash: receipt.blockHash, gasLimit: 30_000_000n })
    expect(block?.getPrefetchedTransaction(response.hash)).toMatchObject({
      ...{ hash: response.hash, blockNumber, nonce: 0, value: parseEther('1'), gasPrice },
    })
    expect(await provider.getTransaction(response.hash)).toMatchObject({ blockNumber, nonce: 0 })
    const after = before - parseEther('1') - 21_000n * gasPrice
    expect(await provider.getBalance(wallet.address, blockNumber)).toBe(after)
    expect(await provider.getBalance(wallet.address, blockNumber - 1)).toBe(before)
    expect(await provider.getTransactionCount(wallet.address, blockNumber)).toBe(1)
    expect(await provider.getLogs({ fromBlock: 0, toBlock: blockNumber })).toEqual([])
  })

  test('has transactions of types 0, 1, 2 and 4 mined', async () => {
    const signed = await authority.authorize({ address: delegate, nonce: 0, chainId: 1337 })
    const gasPrice = 2n * gwei
    const wishes: readonly TransactionRequest[] = [
      { type: 0, gasPrice, to: nobody, value: 1n },
      { type: 1, gasPrice, to: nobody, accessList },
      { type: 2, ...quick, to: nobody },
      { type: 4, ...quick, to: authority.address, authorizationList: [signed] },
    ]
    const responses: TransactionResponse[] = []
    for (const wish of wishes) responses.push(await wallet.sendTransaction(wish))

    const receipts = await Promise.all(responses.map(receiptOf))

    expect(receipts.map(({ type, status }) => [type, status])).toEqual([
      ...[0, 1, 2, 4].map(type => [type, 1]),
    ])
    const delegating = await provider.getTransaction(responses[3]?.hash ?? '')
    expect(delegating?.authorizationList).toMatchObject([{ nonce: 0n, chainId: 1337n }])
    expect(await provider.getCode(authority.address)).toBe(`0xef0100${delegate.slice(2)}`)
  })

  test('speeds a waiting transaction up, and hears that it was repriced', async () => {
    const nonce = await provider.getTransactionCount(wallet.address)
    const wish = { to: nobody, value: 7n, nonce }
    const slow = await wallet.sendTransaction({ ...wish, ...tooCheap })
    const waiting = slow.wait().catch((error: unknown) => error)

    const fast = await wallet.sendTransaction({ ...wish, ...quick })

    const error = await waiting
    if (!isError(error, 'TRANSACTION_REPLACED')) throw error
    expect(error).toMatchObject({ reason: 'repriced', cancelled: false, hash: fast.hash })
    expect(error.receipt).toMatchObject({ hash: fast.hash, status: 1 })
    expect(await provider.getTransaction(slow.hash)).toBeNull()
  })

  test('is told by filters and by subscriptions', async () => {
    const socket = new WebSocketProvider(ports.ws, 1337, { staticNetwork: true })
    const heads: number[] = []
    const heard: string[] = []
    const polled: string[] = []
    await socket.on('block', (number: number) => heads.push(number))
    await socket.on('pending', (hash: string) => heard.push(hash))
    await provider.on('pending', (hash: string) => polled.push(hash))
    await until('a first head', () => heads.length > 0)

    const receipt = await receiptOf(await wallet.sendTransaction({ to: nobody, value: 1n }))

    await until('head and transaction are heard', () =>
      [heads.includes(receipt.blockNumber), heard.includes(receipt.hash)].every(Boolean),
    )
    await until('the filter tells too', () => polled.includes(receipt.hash))
    const [first = 0] = heads
    expect(heads).toEqual(heads.map((_, index) => first + index))
    await provider.off('pending')
    await socket.destroy()
  })

  test('reads fees, and estimates from them', async () => {
    const fees = await provider.getFeeData()
    const history = (await provider.send('eth_feeHistory', ['0x4', 'latest', [50]])) as {
      baseFeePerGas: string[]
      reward: string[][]
    }

    expect(fees.gasPrice).toBeGreaterThan(0n)
    expect(fees.maxFeePerGas).toBeGreaterThan(fees.maxPriorityFeePerGas ?? 0n)
    expect(history.baseFeePerGas).toHaveLength(5)
    expect(history.reward).toHaveLength(4)
    expect(await wallet.estimateGas({ to: nobody, value: 1n })).toBe(21_000n)
  })

  test('is refused a blob transaction in geth’s words', async () => {
    const blob = Transaction.from({
      ...{ type: 3, chainId: 1337, nonce: 99, gasLimit: 21_000n, to: nobody, ...quick },
      ...{ maxFeePerBlobGas: 1n, blobVersionedHashes: [blobHash] },
    })
    blob.signature = wallet.signingKey.sign(blob.unsignedHash)

    await expect(provider.broadcastTransaction(blob.serialized)).rejects.toThrow(blobRefusal)
  })
})
