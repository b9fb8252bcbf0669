import type { Address } from '@rockpool/protocol'
import { devForks, rulesAt } from '@rockpool/protocol'
import type { ExecutionEnv } from '../dev/execute.ts'
import type { Genesis } from '../dev/genesis.ts'
import { devGenesis } from '../dev/genesis.ts'
import type { Account, Changes } from '../dev/state.ts'
import { State } from '../dev/state.ts'
import { keccak256 } from './keccak.ts'
import { addressAt } from './wallets.ts'

export const ether = 10n ** 18n
export const gwei = 10n ** 9n
export const aProducer = addressAt(0xfee)

/** A genesis with what the test cares about. */
export function aGenesis(wish: Partial<Genesis> = {}): Genesis {
  return { ...devGenesis({ producers: [aProducer] }), ...wish }
}

/** The surroundings of a block at 1 gwei under Osaka rules. */
export function anEnv(wish: Partial<ExecutionEnv> = {}): ExecutionEnv {
  return {
    number: 1,
    timeMs: 1_700_000_002_000,
    baseFee: gwei,
    gasLimit: 30_000_000,
    producer: aProducer,
    rules: rulesAt(devForks, { number: 1, timeSeconds: 1_700_000_002, merged: true }),
    chainId: 1337,
    reward: 0n,
    keccak256,
    ...wish,
  }
}

export function anAccount(wish: Partial<Account> = {}): Account {
  return { nonce: 0, balance: 0n, delegation: null, ...wish }
}

export function aState(accounts: Record<Address, Partial<Account>>): State {
  const entries = Object.entries(accounts).map(
    ([address, account]) => [address as Address, anAccount(account)] as const,
  )
  return new State(entries, keccak256)
}

/** Every account, by address, to compare states by. */
export function contentsOf(state: State): readonly (readonly [Address, Account])[] {
  return [...state.entries()].sort(([left], [right]) => (left < right ? -1 : 1))
}

export function sumOf(state: State): bigint {
  let sum = 0n
  for (const [, { balance }] of state.entries()) sum += balance
  return sum
}

/** The same accounts changed in the same way, whatever the order of the map. */
export function sorted(changes: Changes): readonly (readonly [Address, Account | null])[] {
  return [...changes].sort(([left], [right]) => (left < right ? -1 : 1))
}
