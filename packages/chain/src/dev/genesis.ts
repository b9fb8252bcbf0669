import type { Address, Answer, Forks, Header } from '@rockpool/protocol'
import {
  devForks,
  encodeRlp,
  failed,
  fromHex,
  ok,
  quantityToBytes,
  zeroAddress,
  zeroHash,
} from '@rockpool/protocol'
import { devAccounts, devBalance } from './dev-accounts.ts'
import { forkNames, readGenesis } from './genesis-reader.ts'
import type { HeaderFields } from './header.ts'
import { encodeHeader, hashHeader } from './header.ts'
import type { Keccak } from './keccak.ts'
import { receiptsRoot, stateRoot, transactionsRoot } from './roots.ts'
import type { Account } from './state.ts'

/** What a dev chain begins with. Two networks that differ in any of it differ in genesis hash, and so in their topics. */
export interface Genesis {
  readonly chainId: number
  readonly forks: Forks
  /** Constant on this chain. */
  readonly gasLimit: number
  /** Of block 0. Wei. */
  readonly baseFee: bigint
  /** 0 makes a block as soon as a transaction waits. */
  readonly blockTimeMs: number
  readonly producers: readonly Address[]
  /** To the producer of each block. Wei. */
  readonly reward: bigint
  readonly timeSeconds: number
  readonly alloc: ReadonlyMap<Address, { readonly balance: bigint; readonly nonce: bigint }>
  /** Whose blocks are always allowed. All-powerful; null on a network without one. */
  readonly director: Address | null
}

/** The built-in genesis: chain 1337, all forks, 30 M gas, 2 s blocks and the accounts everybody knows. */
export function devGenesis(options: {
  readonly producers: readonly Address[]
  readonly blockTimeMs?: number
  readonly timeSeconds?: number
  readonly director?: Address | null
}): Genesis {
  return {
    chainId: 1337,
    forks: devForks,
    gasLimit: 30_000_000,
    baseFee: 1_000_000_000n,
    blockTimeMs: options.blockTimeMs ?? 2_000,
    producers: options.producers,
    reward: 0n,
    timeSeconds: options.timeSeconds ?? 1_700_000_000,
    alloc: new Map(devAccounts.map(({ address }) => [address, { balance: devBalance, nonce: 0n }])),
    director: options.director ?? null,
  }
}

/**
 * A genesis from a parsed TOML or JSON file. Absent fields are the preset's, except `chain-id` and `producers`, which must be there.
 * Every mistake is in the message, a line each, with the name of its field. With `keccak256`, addresses in mixed case are checked (EIP-55).
 */
export function parseGenesis(value: unknown, keccak256?: Keccak): Answer<Genesis> {
  const { genesis, mistakes } = readGenesis(value, devGenesis({ producers: [] }), keccak256)
  return mistakes.length === 0
    ? ok(genesis)
    : failed('config/bad-genesis', mistakes.join('\n'), { mistakes: mistakes.length })
}

/** The file that `parseGenesis` reads back as the same genesis. */
export function genesisToPlain(genesis: Genesis): Record<string, unknown> {
  const alloc: Record<string, unknown> = {}
  for (const [address, { balance, nonce }] of sortedAlloc(genesis)) {
    alloc[address] =
      nonce === 0n
        ? { balance: balance.toString() }
        : { balance: balance.toString(), nonce: nonce.toString() }
  }
  return {
    'chain-id': genesis.chainId,
    forks: { ...genesis.forks },
    'gas-limit': genesis.gasLimit,
    'base-fee': genesis.baseFee.toString(),
    'block-time': genesis.blockTimeMs === 0 ? 0 : `${genesis.blockTimeMs}ms`,
    producers: [...genesis.producers],
    reward: genesis.reward.toString(),
    time: genesis.timeSeconds,
    alloc,
    ...(genesis.director === null ? {} : { director: genesis.director }),
  }
}

/** Block 0 and the accounts it begins with. Its extra data is a digest of every field of the genesis. */
export function genesisBlock(
  genesis: Genesis,
  keccak256: Keccak,
): { header: Header; encoded: Uint8Array; accounts: ReadonlyMap<Address, Account> } {
  const accounts = new Map<Address, Account>()
  for (const [address, { balance, nonce }] of genesis.alloc) {
    if (balance === 0n && nonce === 0n) continue
    accounts.set(address, { nonce: Number(nonce), balance, delegation: null })
  }
  const fields: HeaderFields = {
    parentHash: zeroHash,
    producer: zeroAddress,
    stateRoot: stateRoot(zeroHash, accounts, keccak256),
    transactionsRoot: transactionsRoot([], keccak256),
    receiptsRoot: receiptsRoot([], keccak256),
    number: 0,
    gasLimit: genesis.gasLimit,
    gasUsed: 0,
    timeMs: genesis.timeSeconds * 1000,
    extraData: genesisDigest(genesis, keccak256),
    baseFee: genesis.baseFee,
  }
  const encoded = encodeHeader(fields)
  return { header: { hash: hashHeader(encoded, keccak256), ...fields }, encoded, accounts }
}

/** keccak256 of the RLP of every field, in the order of the file; a fork that never comes is an empty list. */
function genesisDigest(genesis: Genesis, keccak256: Keccak): Uint8Array {
  const forks = forkNames.map(name => {
    const at = genesis.forks[name]
    const begins = at === undefined && name.endsWith('Block') ? 0 : at
    return begins === null || begins === undefined ? [] : [quantityToBytes(BigInt(begins))]
  })
  const alloc = sortedAlloc(genesis).map(([address, { balance, nonce }]) => [
    fromHex(address),
    quantityToBytes(balance),
    quantityToBytes(nonce),
  ])
  return keccak256(
    encodeRlp([
      quantityToBytes(BigInt(genesis.chainId)),
      forks,
      quantityToBytes(BigInt(genesis.gasLimit)),
      quantityToBytes(genesis.baseFee),
      quantityToBytes(BigInt(genesis.blockTimeMs)),
      genesis.producers.map(fromHex),
      quantityToBytes(genesis.reward),
      quantityToBytes(BigInt(genesis.timeSeconds)),
      alloc,
      genesis.director === null ? new Uint8Array(0) : fromHex(genesis.director),
    ]),
  )
}

function sortedAlloc(
  genesis: Genesis,
): readonly (readonly [Address, { readonly balance: bigint; readonly nonce: bigint }])[] {
  return [...genesis.alloc].sort(([left], [right]) => (left < right ? -1 : 1))
}
