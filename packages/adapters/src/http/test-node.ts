import { type Behavior, Bus, RealClock } from '@rockpool/actor'
import {
  type AccountView,
  type Address,
  type Block,
  type BlockAnswer,
  type BlockId,
  type ChainMessage,
  type ChainStatus,
  checkSubmission,
  decodeTx,
  emptyCodeHash,
  type Fact,
  failed,
  type Hash,
  type Head,
  type Header,
  hashOf,
  ok,
  type PoolMessage,
  type ProducerMessage,
  type Signer,
  type TxOrigin,
  type TxReceipt,
  type TxRecord,
  zeroAddress,
  zeroHash,
} from '@rockpool/protocol'
import { type Hex, keccak256 as keccakHex, parseSignature } from 'viem'
import { mnemonicToAccount, privateKeyToAccount, sign } from 'viem/accounts'
import type { Dispatcher } from './json-rpc.ts'
import type { RpcParts } from './parts.ts'
import { createRpc } from './rpc.ts'

const mnemonic = 'test test test test test test test test test test test junk'
const aliceKey = keyAt(0)
export const alice = privateKeyToAccount(aliceKey)
const bob = privateKeyToAccount(keyAt(1))
export const aliceAddress = alice.address.toLowerCase() as Address
export const bobAddress = bob.address.toLowerCase() as Address
export const chainId = 1337
export const gwei = 10n ** 9n

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccakHex(bytes, 'bytes')
}

function keyAt(addressIndex: number): Hex {
  const { privateKey } = mnemonicToAccount(mnemonic, { addressIndex }).getHdKey()
  return `0x${Buffer.from(privateKey ?? []).toString('hex')}`
}

/** A record of signed bytes whose sender the test knows. */
function recordOf(raw: Hex, sender: Address, authorities: readonly Address[] = []): TxRecord {
  const decoded = decodeTx(Uint8Array.from(Buffer.from(raw.slice(2), 'hex')), keccak256)
  if (!decoded.ok) throw new Error(decoded.message)
  return { ...decoded.value, sender, authorities, authoritySlots: authorities }
}

/** One transaction of Alice of each type, nonces 0 to 4; the last creates an empty account. */
export async function oneOfEachType(): Promise<TxRecord[]> {
  const to = bob.address
  const gas = 100_000n
  const [maxFeePerGas, maxPriorityFeePerGas] = [3n * gwei, gwei]
  const accessList = [{ address: to, storageKeys: [zeroHash] }]
  const authorization = await bob.signAuthorization({ chainId, address: to, nonce: 7 })
  const raws = await Promise.all([
    alice.signTransaction({
      type: 'legacy',
      chainId,
      nonce: 0,
      gas,
      gasPrice: 2n * gwei,
      to,
      value: 1n,
    }),
    alice.signTransaction({
      ...{ type: 'eip2930', chainId, nonce: 1, gas, gasPrice: 2n * gwei, to, accessList },
    }),
    alice.signTransaction({
      ...{ type: 'eip1559', chainId, nonce: 2, gas, maxFeePerGas, maxPriorityFeePerGas, to },
      data: '0x00ff',
    }),
    alice.signTransaction({
      ...{ type: 'eip7702', chainId, nonce: 3, gas, maxFeePerGas, maxPriorityFeePerGas, to },
      authorizationList: [authorization],
    }),
    alice.signTransaction({
      ...{ type: 'eip1559', chainId, nonce: 4, gas, maxFeePerGas, maxPriorityFeePerGas, value: 5n },
    }),
  ])
  return raws.map((raw, index) => recordOf(raw, aliceAddress, index === 3 ? [bobAddress] : []))
}

export async function transferOf(nonce: number, fees: { gasPrice?: bigint } = {}): Promise<Hex> {
  const { gasPrice = 2n * gwei } = fees
  return alice.signTransaction({
    ...{ type: 'legacy', chainId, nonce, gas: 21_000n, gasPrice, to: bob.address, value: 1n },
  })
}

export function headerOf(number: number, fields: Partial<Header> = {}): Header {
  return {
    hash: hashOf(keccak256(Buffer.from(`block ${number}`))),
    parentHash: number === 0 ? zeroHash : hashOf(keccak256(Buffer.from(`block ${number - 1}`))),
    producer: number === 0 ? zeroAddress : bobAddress,
    stateRoot: zeroHash,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    number,
    gasLimit: 30_000_000,
    gasUsed: 0,
    timeMs: 1_700_000_000_000 + number * 2_000 + 250,
    extraData: Uint8Array.from(Buffer.from('rockpool')),
    baseFee: gwei,
    ...fields,
  }
}

export function blockOf(number: number, txs: readonly TxRecord[] = []): Block {
  return { header: headerOf(number), txs, seal: new Uint8Array(65), size: 600 }
}

export function receiptsOf({ txs, header }: Block): TxReceipt[] {
  return txs.map((tx, index) => ({
    txHash: tx.hash,
    status: 1,
    gasUsed: 21_000,
    cumulativeGasUsed: 21_000 * (index + 1),
    effectiveGasPrice: header.baseFee + (tx.type < 2 ? tx.feeCap - header.baseFee : tx.tip),
    contractAddress: tx.to === null ? bobAddress : null,
  }))
}

function headOf({ hash, number, parentHash, timeMs, gasLimit, gasUsed, baseFee }: Header): Head {
  return { hash, number, parentHash, timeMs, gasLimit, gasUsed, baseFee }
}

export type TestNode = Awaited<ReturnType<typeof createTestNode>>

/** Three real actors that answer from a list of blocks and a list of transactions. Block 1 holds one transaction of each type. */
export async function createTestNode(parts: Partial<RpcParts> = {}) {
  const bus = new Bus({ clock: new RealClock() })
  const listeners = new Set<(fact: Fact) => void>()
  const blocks: Block[] = [blockOf(0), blockOf(1, await oneOfEachType()), blockOf(2)]
  const accounts = new Map<Address, AccountView>([
    [aliceAddress, { nonce: 5n, balance: 10n ** 22n, codeHash: emptyCodeHash, delegation: null }],
    [bobAddress, { nonce: 8n, balance: 6n, codeHash: zeroHash, delegation: bobAddress }],
  ])
  const pooled: TxRecord[] = []
  const bugs: unknown[] = []
  const logged: (readonly [string, unknown])[] = []
  const state: { syncing: boolean; draining: boolean; answers: boolean; tip?: bigint } = {
    ...{ syncing: false, draining: false, answers: true },
  }
  const newest = () => blocks[blocks.length - 1] ?? blockOf(0)

  function find(id: BlockId): Block | undefined {
    if ('hash' in id) return blocks.find(({ header }) => header.hash === id.hash)
    if ('number' in id) return blocks[id.number]
    return id.tag === 'earliest' ? blocks[0] : newest()
  }

  const chain: Behavior<ChainMessage> = () => message => {
    if (!state.answers) return
    switch (message.type) {
      case 'chain.getStatus': {
        const status: ChainStatus = {
          ...{ chainId, genesisHash: headerOf(0).hash, head: headOf(newest().header) },
          ...{ totalWeight: blocks.length, safe: 0, finalized: 0 },
          state: state.syncing ? 'syncing' : 'following',
          ...(state.syncing && { sync: { start: 0, highest: 99 } }),
        }
        return message.reply.tell(status)
      }
      case 'chain.getBlock': {
        const block = find(message.id)
        const answer: BlockAnswer | null =
          block === undefined
            ? null
            : {
                block,
                receipts: receiptsOf(block),
                canonical: block.header.number !== 2,
                totalWeight: 1,
              }
        return message.reply.tell(ok(answer))
      }
      case 'chain.getTransaction': {
        for (const block of blocks) {
          const index = block.txs.findIndex(({ hash }) => hash === message.hash)
          const [tx, receipt] = [block.txs[index], receiptsOf(block)[index]]
          if (tx !== undefined && receipt !== undefined)
            return message.reply.tell(ok({ tx, block, index, receipt }))
        }
        return message.reply.tell(ok(null))
      }
      case 'chain.getAccounts': {
        const block = find(message.at ?? { tag: 'latest' })
        if (block === undefined) return message.reply.tell(failed('chain/unknown-block'))
        if (block.header.number === 0) return message.reply.tell(failed('chain/state-missing'))
        const none: AccountView = { nonce: 0n, balance: 0n, codeHash: zeroHash, delegation: null }
        const found = message.addresses.map(address => accounts.get(address) ?? none)
        return message.reply.tell(ok({ at: headOf(block.header), accounts: found }))
      }
      case 'chain.getFeeHistory': {
        const { count, percentiles } = message
        const rewards = percentiles.length > 0 ? { rewards: [percentiles.map(() => gwei)] } : {}
        const oldest = newest().header.number + 1 - Math.min(count, blocks.length)
        return message.reply.tell(
          ok({ oldest, baseFees: [gwei, 875_000_000n], gasUsedRatios: [0.5], ...rewards }),
        )
      }
      case 'chain.suggestTip':
        return message.reply.tell(gwei)
    }
  }

  const pool: Behavior<PoolMessage> = () => message => {
    if (!state.answers) return
    const pending = new Map([[aliceAddress, pooled]])
    switch (message.type) {
      case 'pool.submit': {
        const decoded = decodeTx(message.raw, keccak256)
        if (!decoded.ok) return message.reply.tell(decoded)
        const tx: TxRecord = {
          ...{ ...decoded.value, sender: aliceAddress, authorities: [], authoritySlots: [] },
        }
        const fault = checkSubmission(tx, message)
        if (fault !== undefined) return message.reply.tell(fault)
        if (pooled.some(({ hash }) => hash === tx.hash))
          return message.reply.tell(failed('pool/known'))
        if (tx.nonce < 5n)
          return message.reply.tell(
            failed('pool/nonce-too-low', `nonce too low: next nonce 5, tx nonce ${tx.nonce}`, {
              next: 5n,
            }),
          )
        pooled.push(tx)
        return message.reply.tell(ok({ hash: tx.hash, half: 'pending' }))
      }
      case 'pool.getTracked':
        return message.reply.tell(
          pooled.map(({ hash, sender, nonce }, index) => ({
            ...{ hash, from: sender, nonce, tries: index },
            ...(index === 0
              ? { state: 'pooled' }
              : { state: 'waiting', reason: 'pool/full', lastTryMs: 4_096 }),
          })),
        )
      case 'pool.explain': {
        const known = pooled.find(({ hash }) => hash === message.subject)
        return message.reply.tell({
          ...{ subject: `tx ${message.subject}`, unblock: [{ do: 'send', nonce: 7n }], story: [] },
          ...(known === undefined
            ? { state: 'unknown', reason: 'unknown', why: message.all ? 'Of all.' : 'Never seen.' }
            : { state: 'pending', reason: 'executable', why: 'Executable.', tracked: true }),
        })
      }
      case 'pool.getInfo':
        return message.reply.tell({
          ...{ config: { priceLimit: 1n }, head: { number: 2, hash: zeroHash }, drifted: false },
          ...{ gasTip: 9n, stats: { pending: 0, queued: 0, slots: 0 }, tracked: 0 },
          stories: { kept: 0, bound: 64 },
        })
      case 'pool.drop':
      case 'pool.untrack':
        return message.reply.tell(pooled.some(({ hash }) => hash === message.hash))
      case 'pool.findHashes':
        return message.reply.tell(pooled.map(({ hash }) => hash))
      case 'pool.getOwn':
        return message.reply.tell(pooled)
      case 'pool.setGasTip':
        state.tip = message.tip
        return
      case 'pool.getStatus':
        return message.reply.tell({ pending: pooled.length, queued: 0, slots: pooled.length })
      case 'pool.getContent': {
        const { from } = message
        const none = new Map<Address, TxRecord[]>()
        const all = pooled.length > 0 && (from ?? aliceAddress) === aliceAddress
        return message.reply.tell({ pending: all ? pending : none, queued: none })
      }
      case 'pool.getNonce':
        return message.reply.tell(ok(5n + BigInt(pooled.length)))
      case 'pool.getTransaction': {
        const tx = pooled.find(({ hash }) => hash === message.hash)
        return message.reply.tell(
          tx === undefined ? null : { tx, half: 'pending', origin: 'local', firstSeenMs: 0 },
        )
      }
    }
  }

  const producer: Behavior<ProducerMessage> = () => message => {
    if (message.type === 'producer.preview') {
      const block = blockOf(blocks.length, pooled)
      const { hash } = block.header
      message.reply.tell(ok({ hash, header: new Uint8Array(0), block, receipts: [] }))
    }
    if (message.type === 'producer.reorg') {
      const { depth, keepTxs, reply } = message
      if (depth >= blocks.length)
        return reply.tell(failed('devnet/too-shallow', 'the chain is only 2 blocks high'))
      const removed = blocks.slice(-depth).map(({ header }) => header.hash)
      const ancestor = { hash: headerOf(0).hash, number: blocks.length - 1 - depth }
      const reinjected = keepTxs === 1 ? removed : []
      reply.tell(ok({ ancestor, removed, added: [], reinjected }))
    }
    if (message.type === 'producer.mine') {
      const hashes: Hash[] = []
      for (let count = 0; count < message.count; count++) {
        const block = blockOf(blocks.length, pooled.splice(0))
        blocks.push(block)
        hashes.push(block.header.hash)
      }
      message.reply.tell(ok(hashes))
    }
  }

  const signer: Signer = {
    accounts: () => [aliceAddress],
    async sign(address, digest) {
      if (address !== aliceAddress) return failed('crypto/unknown-key')
      const hash: Hex = `0x${Buffer.from(digest).toString('hex')}`
      const { r, s, yParity } = parseSignature(
        await sign({ hash, privateKey: aliceKey, to: 'hex' }),
      )
      const bytes = (hex: Hex) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
      return ok({ r: bytes(r), s: bytes(s), yParity: yParity === 1 ? 1 : 0 })
    },
  }

  const rpc = createRpc({
    bus,
    refs: {
      chain: bus.spawn('chain', chain),
      pool: bus.spawn('pool', pool),
      producer: bus.spawn('producer', producer),
    },
    chainId,
    genesisHash: headerOf(0).hash,
    signer,
    keccak256,
    observe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    peerCount: () => 3,
    listening: () => true,
    version: '0.1.0',
    devnetControl: true,
    allowUnprotected: false,
    txFeeCapWei: 10n ** 18n,
    log: {
      debug() {},
      info: (code, fields) => logged.push([code, fields]),
      warn() {},
      error: (_code, fields) => bugs.push(fields),
    },
    draining: () => state.draining,
    ...parts,
  })

  return {
    bus,
    rpc,
    blocks,
    pooled,
    accounts,
    state,
    bugs,
    logged,
    emit: (fact: Fact): void => {
      for (const listener of listeners) listener(fact)
    },
    /** Result or error of one call, without any socket. */
    call: (method: string, ...params: readonly unknown[]) => callOf(rpc.dispatcher, method, params),
    /** The same as the operator. */
    adminCall: (method: string, ...params: readonly unknown[]) => callOf(rpc.admin, method, params),
  }
}

async function callOf(
  dispatcher: Dispatcher,
  method: string,
  params: readonly unknown[],
): Promise<Called> {
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { body } = await dispatcher.answer(text, {})
  return JSON.parse(typeof body === 'string' ? body : (body?.text() ?? '{}')) as Called
}

export interface Called {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** One head change that adds `added`. */
export function headFact(added: readonly Block[]): Fact {
  const [first] = added
  const last = added[added.length - 1]
  if (first === undefined || last === undefined) throw new Error('a head change adds blocks')
  return {
    ...{
      type: 'chain.head',
      old: headOf(headerOf(first.header.number - 1)),
      new: headOf(last.header),
    },
    ancestor: { hash: first.header.parentHash, number: first.header.number - 1 },
    ...{ removed: [], added },
  }
}

/** One pool turn after which these transactions are pending. */
export function pendingFact(txs: readonly TxRecord[], origin: TxOrigin = 'gossip'): Fact {
  const none: readonly Hash[] = []
  return {
    ...{ type: 'pool.changed', head: zeroHash, added: none, promoted: none, demoted: none },
    dropped: [],
    events: txs.map(tx => ({ tx, origin, relayed: false })),
    stats: { pending: txs.length, queued: 0, slots: txs.length },
  }
}
