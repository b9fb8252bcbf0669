import { type Address, limits } from '@rockpool/protocol'
import type { Compat } from './quirks.ts'

/** What an operator may choose about the pool. Counts are of transactions unless they say slots. */
export interface PoolConfig {
  /** Least tip cap at start. Wei. */
  readonly priceLimit: bigint
  /** Percent by which both fees of a replacement must rise. */
  readonly priceBump: number
  /** Pending transactions an account keeps even when all are over the cap: a floor, not a ceiling. */
  readonly accountSlots: number
  /** Pending transactions before the largest accounts are cut back. Also the first part of the capacity in slots. */
  readonly globalSlots: number
  /** Queued transactions of one account. */
  readonly accountQueue: number
  /** Queued transactions of all accounts. Also the second part of the capacity in slots. */
  readonly globalQueue: number
  /** How long queued transactions of an account wait without a sign of life. Milliseconds. */
  readonly lifetimeMs: number
  /** How long a transaction may be pending; 0: for ever, as in geth. Milliseconds. */
  readonly pendingLifetimeMs: number
  /** Whether geth's accidents are repaired or reproduced. */
  readonly compat: Compat
  /** Transactions in flight from an account with delegated code (EIP-7702). */
  readonly delegatedSlots: number
  /** Count queued transactions below a nonce in its balance check; geth does not. */
  readonly strictBalance: boolean
  /** Transactions of one actor turn. A count, never a time: a clock read inside a turn does not replay. */
  readonly turnMax: number
  /** Transactions waiting in front of the pool. */
  readonly intakeQueue: number
  /** Senders whose accepted transactions are followed wherever they came from. */
  readonly locals: readonly Address[]
  /** Nothing is followed: a submission gets every refusal of the pool and does not survive a restart. */
  readonly noLocals: boolean
  /** What is followed survives a restart. */
  readonly journal: boolean
  /** What else does: everything the pool holds, own transactions only, or nothing at all. */
  readonly persist: 'all' | 'local' | 'none'
  /** Time between two comparisons of the journal with what is followed. Milliseconds. */
  readonly rejournalMs: number
  /** Which records are on disk before anybody hears of the turn: those of submissions, all, or none (a killed process loses nothing in any case). */
  readonly journalSync: 'local' | 'all' | 'none'
  /** How long an own transaction is followed; 0: until it is mined. Milliseconds. */
  readonly localLifetimeMs: number
  /** How long an own transaction is pending before it is published again; 0: never. Milliseconds. */
  readonly republishMs: number
  /** Private transactions come back, as private ones, when their block leaves the chain. */
  readonly privateReinject: boolean
  /** Transactions that are not in the pool and whose stories are kept; 0: no stories. */
  readonly stories: number
}

/** geth's defaults where geth has the key. */
export const defaultPoolConfig: PoolConfig = {
  priceLimit: 1n,
  priceBump: 10,
  accountSlots: 16,
  globalSlots: 5120,
  accountQueue: 64,
  globalQueue: 1024,
  lifetimeMs: 10_800_000,
  pendingLifetimeMs: 0,
  compat: 'fixed',
  delegatedSlots: 1,
  strictBalance: false,
  turnMax: 512,
  intakeQueue: 8192,
  locals: [],
  noLocals: false,
  journal: true,
  persist: 'all',
  rejournalMs: 3_600_000,
  journalSync: 'local',
  localLifetimeMs: 604_800_000,
  republishMs: 300_000,
  privateReinject: true,
  stories: 32_768,
}

type Least = readonly [key: keyof PoolConfig, words: string, least: number]
const leasts: readonly Least[] = [
  ['priceLimit', 'price limit', 1],
  ['priceBump', 'price bump', 1],
  ['accountSlots', 'account slots', 1],
  ['globalSlots', 'global slots', 1],
  ['accountQueue', 'account queue', 1],
  ['globalQueue', 'global queue', 1],
  ['lifetimeMs', 'lifetime', 1],
  ['delegatedSlots', 'delegated slots', 1],
  ['turnMax', 'turn max', 1],
  ['intakeQueue', 'intake queue', 64],
  ['rejournalMs', 'journal time', 1_000],
]
/** Keys of which too small a value becomes the least one; of the others the default. */
const raised: ReadonlySet<keyof PoolConfig> = new Set(['intakeQueue', 'rejournalMs'])
const durations: ReadonlySet<keyof PoolConfig> = new Set([
  'lifetimeMs',
  'rejournalMs',
  'republishMs',
])

/**
 * Replaces impossible values as geth does and says so in its words. Too small a value becomes the default, of some keys the least.
 */
export function sanitizePoolConfig(wish: Partial<PoolConfig>): {
  config: PoolConfig
  warnings: readonly string[]
} {
  const given = { ...defaultPoolConfig, ...wish }
  const warnings: string[] = []
  const repaired: Record<string, unknown> = {}
  function repair(key: keyof PoolConfig, words: string, updated: unknown): void {
    repaired[key] = updated
    const show = durations.has(key) ? asDuration : String
    warnings.push(
      `Sanitizing invalid txpool ${words} provided=${show(given[key])} updated=${show(updated)}`,
    )
  }
  for (const [key, words, least] of leasts) {
    if (Number(given[key]) >= least) continue
    repair(key, words, raised.has(key) ? least : defaultPoolConfig[key])
  }
  const soonestMs = limits.republishLeastMs + limits.republishJitterMs
  if (given.republishMs > 0 && given.republishMs < soonestMs) {
    repair('republishMs', 'republish time', soonestMs)
  }
  return { config: { ...given, ...repaired }, warnings }
}

/** Milliseconds the way Go prints a duration: 0s, 500ms, 3h0m0s. */
function asDuration(value: unknown): string {
  const ms = Number(value)
  if (ms === 0) return '0s'
  if (Math.abs(ms) < 1000) return `${ms}ms`
  const seconds = ms / 1000
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const small = `${Math.round((seconds % 60) * 1000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${small}`
  return minutes > 0 ? `${minutes}m${small}` : small
}
