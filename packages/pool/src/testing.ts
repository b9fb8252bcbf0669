import {
  type Address,
  addressOf,
  devForks,
  emptyCodeHash,
  type Hash,
  type Head,
  hashOf,
  type TxOrigin,
  type TxRecord,
  type TxType,
} from '@rockpool/protocol'
import { defaultPoolConfig, type PoolConfig } from './config.ts'
import type { PoolAccountView } from './entry.ts'
import type { Accounts, Op, Outcome, ResetPath } from './op.ts'
import { Pool, type PoolParts } from './pool.ts'

/** What a test says of a transaction; the rest is a plain transfer of 100 wei. */
export interface TxWish {
  readonly from?: number | Address
  readonly nonce?: number | bigint
  readonly type?: TxType
  readonly feeCap?: number | bigint
  readonly tip?: number | bigint
  /** Sets both fees. */
  readonly price?: number | bigint
  readonly gas?: number | bigint
  readonly value?: number | bigint
  readonly slots?: number
  readonly size?: number
  readonly authorities?: readonly Address[]
  /** Tells two otherwise equal transactions apart. */
  readonly salt?: number
}

const noBytes = new Uint8Array(0)

/** A record without signatures: its hash is made of what the test said, so equal wishes are the same transaction. */
export function aTx(wish: TxWish = {}): TxRecord {
  const { from = 0, nonce = 0, price = 1_000, gas = 21_000, value = 100, slots = 1 } = wish
  const { size = 110, authorities = [], salt = 0 } = wish
  const sender = typeof from === 'number' ? addressAt(from) : from
  const feeCap = BigInt(wish.feeCap ?? price)
  const tip = BigInt(wish.tip ?? price)
  const raw = new Uint8Array(size)
  const hash = digest(
    `${sender} ${nonce} ${feeCap} ${tip} ${gas} ${value} ${slots} ${size} ${authorities} ${salt}`,
  )
  return {
    raw,
    hash,
    type: wish.type ?? (authorities.length > 0 ? 4 : 2),
    chainId: 1337n,
    nonce: BigInt(nonce),
    feeCap,
    tip,
    gas: BigInt(gas),
    to: addressAt(0),
    value: BigInt(value),
    data: noBytes,
    accessList: [],
    authorizations: [],
    v: 0n,
    r: 1n,
    s: 1n,
    signingPayload: noBytes,
    cost: BigInt(gas) * feeCap + BigInt(value),
    slots,
    zeroBytes: 0,
    nonZeroBytes: 0,
    accessAddressCount: 0,
    accessKeyCount: 0,
    sender,
    authorities,
    authoritySlots: authorities,
  }
}

/** The test account with this number. */
export function addressAt(index: number): Address {
  const bytes = new Uint8Array(20)
  new DataView(bytes.buffer).setUint32(16, index + 1)
  return addressOf(bytes)
}

/** An account with plenty of money, without code, at nonce 0. */
export function anAccount(wish: Partial<PoolAccountView> = {}): PoolAccountView {
  return { nonce: 0n, balance: 10n ** 18n, codeHash: emptyCodeHash, ...wish }
}

/** A head whose hash follows from its number and `branch`. The next base fee stays at 7 wei. */
export function aHead(wish: Partial<Head> & { readonly branch?: string } = {}): Head {
  const { branch = '', ...fields } = wish
  const number = fields.number ?? 0
  return {
    hash: digest(`block ${branch} ${number}`),
    number,
    parentHash: digest(`block ${branch} ${number - 1}`),
    timeMs: number * 2_000,
    gasLimit: 30_000_000,
    gasUsed: 15_000_000,
    baseFee: 7n,
    ...fields,
  }
}

export function aPool(
  wish: Partial<Omit<PoolParts, 'config'>> & { config?: Partial<PoolConfig> } = {},
): Pool {
  const { config, ...parts } = wish
  return new Pool({
    forks: devForks,
    head: aHead(),
    ...parts,
    config: { ...defaultPoolConfig, ...config },
  })
}

/**
 * A pool with a chain beside it that tells it accounts: what a test would otherwise say at every operation. Unknown accounts are rich.
 */
export class Bench {
  readonly pool: Pool
  readonly log: Op[] = []
  now = 0
  /** Accounts at the present head. */
  readonly state = new Map<Address, PoolAccountView>()
  private last: Head
  private height = 0

  constructor(wish: Parameters<typeof aPool>[0] = {}) {
    this.pool = aPool(wish)
    this.last = this.pool.head
  }

  account(from: number): PoolAccountView {
    return this.state.get(addressAt(from)) ?? anAccount()
  }

  /** Changes an account in the next block; the pool learns of it at the next reset only if it holds the sender. */
  set(from: number, change: Partial<PoolAccountView>): this {
    this.state.set(addressAt(from), { ...this.account(from), ...change })
    return this
  }

  add(...txs: readonly TxRecord[]): Outcome {
    return this.addFrom('gossip', ...txs)
  }

  addFrom(origin: TxOrigin, ...txs: readonly TxRecord[]): Outcome {
    const accounts = this.views(this.pool.needs({ op: 'add', txs }))
    return this.apply({ op: 'add', now: this.now, origin, txs, accounts })
  }

  /** Codes of an add: `pending`, `queued` or the short code of the refusal. */
  codes(...txs: readonly TxRecord[]): string[] {
    return this.add(...txs).results.map(result =>
      result.ok ? result.value.half : result.code.slice('pool/'.length),
    )
  }

  /** One block later, or on whatever path is said. */
  reset(
    path: Partial<Exclude<ResetPath, { kind: 'missing' }>> = {},
    head: Partial<Head> = {},
  ): Outcome {
    const whole: ResetPath = { kind: 'child', discarded: [], included: new Set(), ...path }
    this.height += 1
    const next = aHead({ number: this.last.number + 1, branch: `${this.height}`, ...head })
    const accounts = this.views(this.pool.needs({ op: 'reset', path: whole }))
    const old = this.last
    this.last = next
    return this.apply({ op: 'reset', now: this.now, old, new: next, path: whole, accounts })
  }

  /** A head whose state cannot be had. */
  resetMissing(head: Partial<Head> = {}): Outcome {
    this.height += 1
    const next = aHead({ number: this.last.number + 1, branch: `${this.height}`, ...head })
    const old = this.last
    this.last = next
    const path = { kind: 'missing', what: 'state' } as const
    return this.apply({ op: 'reset', now: this.now, old, new: next, path, accounts: new Map() })
  }

  apply(op: Op): Outcome {
    this.log.push(op)
    return this.pool.apply(op)
  }

  get counts(): [pending: number, queued: number] {
    const { pending, queued } = this.pool.stats
    return [pending, queued]
  }

  /** Nonces of one account by half. */
  nonces(from: number): { pending: number[]; queued: number[] } {
    const { pending, queued } = this.pool.contentFrom(addressAt(from))
    const list = (half: ReadonlyMap<Address, readonly TxRecord[]>) =>
      (half.get(addressAt(from)) ?? []).map(({ nonce }) => Number(nonce))
    return { pending: list(pending), queued: list(queued) }
  }

  private views(addresses: readonly Address[]): Accounts {
    return new Map(addresses.map(address => [address, this.state.get(address) ?? anAccount()]))
  }
}

/** A short text as 32 bytes that differ when the text does. */
function digest(text: string): Hash {
  const bytes = new Uint8Array(32)
  const words = new DataView(bytes.buffer)
  for (let lane = 0; lane < 8; lane++) {
    let word = 0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b1)
    for (let index = 0; index < text.length; index++) {
      word = Math.imul(word ^ text.charCodeAt(index), 0x01000193)
      word ^= word >>> 15
    }
    words.setUint32(lane * 4, word >>> 0)
  }
  return hashOf(bytes)
}
