import type {
  AccountsAnswer,
  AccountView,
  Address,
  Answer,
  BlockAnswer,
  BlockId,
  BuiltBlock,
  ChainStatus,
  Failure,
  Hash,
  Head,
  MinedTx,
} from '@rockpool/protocol'
import { type Backend, valueOf } from '../parts.ts'
import { failureError, type RpcError, refused } from '../rpc-error.ts'
import type { BlockWish } from './params.ts'

/** The node's questions to chain and producer, in the terms of RPC. */

export function askStatus({ chain }: Backend): Promise<ChainStatus> {
  return chain.ask<ChainStatus>(reply => ({ type: 'chain.getStatus', reply }))
}

export function isPending(id: BlockId): boolean {
  return 'tag' in id && id.tag === 'pending'
}

/** A block that exists, or null. `pending` does not exist yet: see `askPreview`. */
export async function askBlock({ chain }: Backend, id: BlockId): Promise<BlockAnswer | null> {
  const answer = await chain.ask<Answer<BlockAnswer | null>>(reply => ({
    type: 'chain.getBlock',
    id,
    reply,
  }))
  if (!answer.ok && answer.code === 'chain/unknown-block') return null
  return valueOf(answer)
}

/** A transaction on the branch of the head, with its receipt; null when it is not mined. */
export async function askMined({ chain }: Backend, hash: Hash): Promise<MinedTx | null> {
  return valueOf(
    await chain.ask<Answer<MinedTx | null>>(reply => ({
      type: 'chain.getTransaction',
      hash,
      reply,
    })),
  )
}

/** What this node would produce now. */
export async function askPreview({ producer }: Backend): Promise<BuiltBlock> {
  return valueOf(
    await producer.ask<Answer<BuiltBlock>>(reply => ({
      type: 'producer.preview',
      reply,
    })),
  )
}

/** An account at the block the caller wished, in geth's words where there is none. Pending state is not built: the head stands for it. */
export async function askAccount(
  backend: Backend,
  address: Address,
  { id, canonical }: BlockWish,
): Promise<{ readonly at: Head; readonly account: AccountView }> {
  if (canonical) await requireCanonical(backend, id)
  const newest = 'tag' in id && (id.tag === 'latest' || id.tag === 'pending')
  const answer = await backend.chain.ask<Answer<AccountsAnswer>>(reply => ({
    type: 'chain.getAccounts',
    addresses: [address],
    ...(newest ? {} : { at: id }),
    reply,
  }))
  if (!answer.ok) throw stateError(answer)
  const [account] = answer.value.accounts
  if (account === undefined) throw new Error('chain.getAccounts answered with fewer accounts')
  return { at: answer.value.at, account }
}

async function requireCanonical(backend: Backend, id: BlockId): Promise<void> {
  const found = await askBlock(backend, id)
  if (found === null) throw refused('chain/unknown-block', 'header not found')
  if (!found.canonical) throw refused('chain/unknown-block', 'hash is not currently canonical')
}

function stateError(failure: Failure): RpcError {
  if (failure.code === 'chain/unknown-block')
    return refused(failure.code, 'header not found', failure.details)
  if (failure.code === 'chain/state-missing')
    return refused(failure.code, `missing trie node: ${failure.message}`, failure.details)
  return failureError(failure)
}
