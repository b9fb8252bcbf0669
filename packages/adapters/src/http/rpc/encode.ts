import {
  type AccessEntry,
  type Address,
  type Authorization,
  type Block,
  effectiveGasPrice,
  type Hash,
  type Header,
  type Hex,
  type TxReceipt,
  type TxRecord,
  toHex,
  zeroHash,
} from '@rockpool/protocol'

/** A minimal hex quantity. */
export function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`
}

/** keccak256 of the RLP of an empty list: this chain has no ommers. */
const emptyOmmersHash = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
/** Root of an empty trie: this chain has no withdrawals. */
const emptyTrieRoot = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'
/** SHA-256 of nothing: this chain has no execution requests (EIP-7685). */
const emptyRequestsHash = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const emptyBloom = `0x${'00'.repeat(256)}`
const zeroNonce = '0x0000000000000000'

/** A header as geth writes it: also the result of a newHeads notification. */
export function headerJson(header: Header) {
  return {
    number: quantity(header.number),
    hash: header.hash as Hash | null,
    parentHash: header.parentHash,
    nonce: zeroNonce as string | null,
    mixHash: zeroHash,
    sha3Uncles: emptyOmmersHash,
    logsBloom: emptyBloom,
    stateRoot: header.stateRoot,
    miner: header.producer as Address | null,
    difficulty: '0x0',
    extraData: toHex(header.extraData),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: timestamp(header),
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    baseFeePerGas: quantity(header.baseFee),
    withdrawalsRoot: emptyTrieRoot,
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    parentBeaconBlockRoot: zeroHash,
    requestsHash: emptyRequestsHash,
  }
}

/** A block with its transactions in full or as hashes. */
export function blockJson(block: Block, full: boolean) {
  return {
    ...headerJson(block.header),
    size: quantity(block.size),
    transactions: full
      ? block.txs.map((tx, index) => minedTxJson(tx, block.header, index))
      : block.txs.map(tx => tx.hash),
    uncles: [],
    withdrawals: [],
  }
}

/**
 * The block this node would produce now. Hash, nonce and miner are null because it is not sealed, and its transactions are not mined. Its
 * number is never null: wallets do sums with it.
 */
export function pendingBlockJson(block: Omit<Block, 'seal'>, full: boolean) {
  return {
    ...headerJson(block.header),
    hash: null,
    nonce: null,
    miner: null,
    size: quantity(block.size),
    transactions: full ? block.txs.map(pendingTxJson) : block.txs.map(tx => tx.hash),
    uncles: [],
    withdrawals: [],
  }
}

/** A transaction of a block. */
export function minedTxJson(tx: TxRecord, header: Header, index: number) {
  const place = {
    blockHash: header.hash,
    blockNumber: quantity(header.number),
    blockTimestamp: timestamp(header),
    transactionIndex: quantity(index),
  }
  return txJson(tx, place, effectiveGasPrice(tx, header.baseFee))
}

/** A transaction that waits; its gas price is the most it would pay. */
export function pendingTxJson(tx: TxRecord) {
  const place = {
    blockHash: null,
    blockNumber: null,
    blockTimestamp: null,
    transactionIndex: null,
  }
  return txJson(tx, place, tx.feeCap)
}

interface Place {
  readonly blockHash: Hash | null
  readonly blockNumber: Hex | null
  readonly blockTimestamp: Hex | null
  readonly transactionIndex: Hex | null
}

/** Fields and their order are geth's: types differ in which are present. */
function txJson(tx: TxRecord, place: Place, gasPrice: bigint) {
  const { type, chainId } = tx
  const capped = type === 2 || type === 4
  return {
    blockHash: place.blockHash,
    blockNumber: place.blockNumber,
    blockTimestamp: place.blockTimestamp,
    from: tx.sender,
    gas: quantity(tx.gas),
    gasPrice: quantity(gasPrice),
    ...(capped && {
      maxFeePerGas: quantity(tx.feeCap),
      maxPriorityFeePerGas: quantity(tx.tip),
    }),
    hash: tx.hash,
    input: toHex(tx.data),
    nonce: quantity(tx.nonce),
    to: tx.to,
    transactionIndex: place.transactionIndex,
    value: quantity(tx.value),
    type: quantity(type),
    ...(type !== 0 && { accessList: accessListJson(tx.accessList) }),
    ...(chainId !== undefined && { chainId: quantity(chainId) }),
    ...(type === 4 && { authorizationList: tx.authorizations.map(authorizationJson) }),
    v: quantity(tx.v),
    r: quantity(tx.r),
    s: quantity(tx.s),
    ...(type !== 0 && { yParity: quantity(tx.v) }),
  }
}

export function accessListJson(list: readonly AccessEntry[]) {
  return list.map(({ address, storageKeys }) => ({ address, storageKeys }))
}

export function authorizationJson(tuple: Authorization) {
  return {
    chainId: quantity(tuple.chainId),
    address: tuple.address,
    nonce: quantity(tuple.nonce),
    yParity: quantity(tuple.yParity),
    r: quantity(tuple.r),
    s: quantity(tuple.s),
  }
}

/** The receipt of transaction `index` of a block. This chain writes no logs. */
export function receiptJson(tx: TxRecord, receipt: TxReceipt, header: Header, index: number) {
  return {
    blockHash: header.hash,
    blockNumber: quantity(header.number),
    contractAddress: receipt.contractAddress,
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    from: tx.sender,
    gasUsed: quantity(receipt.gasUsed),
    logs: [],
    logsBloom: emptyBloom,
    status: quantity(receipt.status),
    to: tx.to,
    transactionHash: tx.hash,
    transactionIndex: quantity(index),
    type: quantity(tx.type),
  }
}

function timestamp({ timeMs }: Header): Hex {
  return quantity(Math.floor(timeMs / 1_000))
}

/** An address as people read it (EIP-55): capitals are a checksum. */
export function checksumAddress(
  address: Address,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): string {
  const digits = address.slice(2)
  const hash = keccak256(Buffer.from(digits, 'latin1'))
  let out = '0x'
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charAt(index)
    const nibble = ((hash[index >> 1] ?? 0) >> (index % 2 === 0 ? 4 : 0)) & 15
    out += nibble >= 8 ? digit.toUpperCase() : digit
  }
  return out
}
