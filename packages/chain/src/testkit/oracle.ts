import { createBlock, createBlockHeaderFromRLP, genTransactionsTrieRoot } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTxFromRLP } from '@ethereumjs/tx'
import { Account, createAddressFromString } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { createVM, encodeReceipt, runTx } from '@ethereumjs/vm'
import type { Address, Hash, TxRecord } from '@rockpool/protocol'
import { encodeRlp, hashOf, quantityToBytes, toHex } from '@rockpool/protocol'
import secp256k1 from 'secp256k1'
import type { Account as OurAccount } from '../dev/state.ts'
import { keccak256 } from './keccak.ts'

/** Mainnet's rules from Shanghai to Osaka at block 0 on chain 1337, with native signatures for speed. */
export function oracleCommon(): Common {
  const hardforks = Mainnet.hardforks
    .filter(({ name }) => !['dao'].includes(name))
    .filter(({ name }) => !laterForks.includes(name))
    .map(({ name }) =>
      timeForks.includes(name) ? { name, block: null, timestamp: 0 } : { name, block: 0 },
    )
  return createCustomCommon(
    {
      chainId: 1337,
      name: 'oracle',
      hardforks,
      genesis: {
        gasLimit: 30_000_000,
        difficulty: 0,
        nonce: '0x0000000000000000',
        extraData: '0x',
      },
    },
    Mainnet,
    {
      hardfork: 'osaka',
      customCrypto: {
        keccak256,
        ecrecover: (digest, v, r, s, chainId) => {
          const signature = new Uint8Array(64)
          signature.set(r, 32 - r.length)
          signature.set(s, 64 - s.length)
          const id = v < 27n ? v : chainId === undefined ? v - 27n : v - (chainId * 2n + 35n)
          return secp256k1.ecdsaRecover(signature, Number(id), digest, false).slice(1)
        },
      },
    },
  )
}

const timeForks = ['shanghai', 'cancun', 'prague', 'osaka']
const laterForks = ['bpo1', 'bpo2', 'bpo3', 'bpo4', 'bpo5', 'amsterdam']

export type TheirReceipt =
  | { readonly status: 0 | 1; readonly gasUsed: number }
  | { readonly refused: string }

/** A second opinion on execution: EthereumJS with a real state trie and virtual machine. */
export class Oracle {
  readonly common: Common
  readonly #vm: VM
  readonly #state: MerkleStateManager

  private constructor(common: Common, vm: VM, state: MerkleStateManager) {
    this.common = common
    this.#vm = vm
    this.#state = state
  }

  static async create(accounts: ReadonlyMap<Address, OurAccount>): Promise<Oracle> {
    const common = oracleCommon()
    const trie = await createMPT({ useKeyHashing: true, common })
    const state = new MerkleStateManager({ common, trie })
    const vm = await createVM({ common, stateManager: state })
    await state.checkpoint()
    for (const [address, { nonce, balance }] of accounts) {
      const account = new Account(BigInt(nonce), balance)
      await state.putAccount(createAddressFromString(address), account)
    }
    await state.commit()
    await state.flush()
    return new Oracle(common, vm, state)
  }

  /** Runs transactions in the block of `header` (encoded) and computes the roots of those that were not refused. */
  async run(
    header: Uint8Array,
    txs: readonly TxRecord[],
  ): Promise<{
    receipts: readonly TheirReceipt[]
    gasUsed: number
    receiptsRoot: Hash
    transactionsRoot: Hash
  }> {
    const block = createBlock(
      { header: createBlockHeaderFromRLP(header, { common: this.common }) },
      { common: this.common, skipConsensusFormatValidation: true },
    )
    const receipts: TheirReceipt[] = []
    const trie = await createMPT({ common: this.common })
    const taken = []
    let gasUsed = 0n
    for (const { raw } of txs) {
      try {
        const tx = createTxFromRLP(raw, { common: this.common })
        const result = await runTx(this.#vm, { tx, block, blockGasUsed: gasUsed })
        gasUsed += result.totalGasSpent
        const key = encodeRlp(quantityToBytes(BigInt(taken.length)))
        await trie.put(key, encodeReceipt(result.receipt, tx.type))
        taken.push(tx)
        const failed = result.execResult.exceptionError !== undefined
        receipts.push({ status: failed ? 0 : 1, gasUsed: Number(result.totalGasSpent) })
      } catch (error) {
        receipts.push({ refused: error instanceof Error ? error.message : String(error) })
      }
    }
    return {
      receipts,
      gasUsed: Number(gasUsed),
      receiptsRoot: hashOf(trie.root()),
      transactionsRoot: hashOf(await genTransactionsTrieRoot(taken)),
    }
  }

  /** An account as ours; undefined when it does not exist. */
  async account(address: Address): Promise<OurAccount | undefined> {
    const at = createAddressFromString(address)
    const account = await this.#state.getAccount(at)
    if (account === undefined) return undefined
    const code = account.isContract() ? await this.#state.getCode(at) : new Uint8Array(0)
    const delegation = code.length === 23 ? (toHex(code.subarray(3)) as Address) : null
    return { nonce: Number(account.nonce), balance: account.balance, delegation }
  }

  /** Base fee of the block after the one of `header` (encoded). */
  nextBaseFee(header: Uint8Array): bigint {
    return createBlockHeaderFromRLP(header, { common: this.common }).calcNextBaseFee()
  }
}

/** Roots of EthereumJS's own tries over values keyed by position. */
export async function theirOrderedRoot(values: readonly Uint8Array[]): Promise<Hash> {
  const trie = await createMPT({ common: oracleCommon() })
  for (const [index, value] of values.entries()) {
    await trie.put(encodeRlp(quantityToBytes(BigInt(index))), value)
  }
  return hashOf(trie.root())
}

/** Hash and encoding that EthereumJS gives to a header of ours. */
export function theirHeader(encoded: Uint8Array): {
  hash: Hash
  encoded: Uint8Array
  number: number
} {
  const header = createBlockHeaderFromRLP(encoded, { common: oracleCommon() })
  return { hash: hashOf(header.hash()), encoded: header.serialize(), number: Number(header.number) }
}
