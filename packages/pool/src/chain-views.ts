import type { ActorRef, AskError, Context, Outcome, Typed } from '@rockpool/actor'
import {
  type AccountsAnswer,
  type Address,
  type Answer,
  type ChainMessage,
  type Failure,
  failed,
  type Hash,
  limits,
} from '@rockpool/protocol'
import type { PoolAccountView } from './entry.ts'
import type { Accounts } from './op.ts'

/** Accounts at the block they were asked at, or why they could not be had. */
export type Views =
  | { readonly ok: true; readonly accounts: Accounts }
  | { readonly ok: false; readonly why: string }

export interface ViewsQuestion {
  readonly addresses: readonly Address[]
  readonly at: Hash
}

/** Asks the chain for accounts at a block; what comes back is the message `map` makes of it. */
export function askViews<M extends Typed>(
  ctx: Pick<Context<M>, 'ask'>,
  chain: ActorRef<ChainMessage>,
  { addresses, at }: ViewsQuestion,
  map: (views: Views) => M,
): void {
  ctx.ask<ChainMessage, Answer<AccountsAnswer>>(
    chain,
    reply => ({ type: 'chain.getAccounts', addresses, at: { hash: at }, reply }),
    limits.poolAccountsMs,
    outcome => map(viewsOf(addresses, outcome)),
  )
}

function viewsOf(
  addresses: readonly Address[],
  outcome: Outcome<Answer<AccountsAnswer>, AskError>,
): Views {
  if (!outcome.ok) return { ok: false, why: `chain does not answer (${outcome.error})` }
  if (!outcome.value.ok) return { ok: false, why: outcome.value.message }
  const accounts = new Map<Address, PoolAccountView>()
  for (const [index, view] of outcome.value.value.accounts.entries()) {
    const address = addresses[index]
    if (address !== undefined) accounts.set(address, view)
  }
  return { ok: true, accounts }
}

export function notReady(why: string): Failure {
  return failed('pool/state-missing', `txpool is not ready: ${why}`)
}
