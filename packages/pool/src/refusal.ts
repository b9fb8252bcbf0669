import type { Address, Hash } from '@rockpool/protocol'
import type { Account } from './entry.ts'
import type { AddPart, Op, ResetPart } from './op.ts'

/** What an operation has to fit to. */
interface Stand {
  /** Instant of the operation before. Milliseconds. */
  readonly clock: number
  /** Head announced last. */
  readonly announced: Hash
  readonly accounts: ReadonlyMap<Address, Account>
}

/** Why an operation cannot be applied, which is a bug of its caller; undefined: it can. */
export function refusalOf(op: Op, { clock, announced, accounts }: Stand): string | undefined {
  if (op.now < clock) return `op out of order: at ${op.now} after ${clock}`
  const reset = op.op === 'reset' ? op : op.op === 'merge' ? op.reset : undefined
  if (reset !== undefined && reset.old !== null && reset.old.hash !== announced) {
    return `op out of order: reset from ${reset.old.hash}, announced was ${announced}`
  }
  const add = op.op === 'add' ? op : op.op === 'merge' ? op.add : undefined
  const missing = lackingToAdd(add, accounts) ?? lackingToReset(reset, accounts)
  return missing === undefined ? undefined : `op lacks an account: ${missing}`
}

/** The first account the operation should have brought and did not. */
function lackingToAdd(add: AddPart | undefined, held: Stand['accounts']): Address | undefined {
  return add?.txs.find(({ sender }) => !held.has(sender) && !add.accounts.has(sender))?.sender
}

function lackingToReset(
  reset: ResetPart | undefined,
  held: Stand['accounts'],
): Address | undefined {
  if (reset === undefined || reset.path.kind === 'missing') return undefined
  for (const address of held.keys()) if (!reset.accounts.has(address)) return address
  return reset.path.discarded.find(({ sender }) => !reset.accounts.has(sender))?.sender
}
