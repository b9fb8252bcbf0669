import type { ActorRef, Bus } from '@rockpool/actor'
import type {
  AccountsAnswer,
  AccountView,
  Address,
  Answer,
  BlockAnswer,
  BlockId,
  ChainHead,
  ChainMessage,
  ChainSource,
  ChainStatus,
  Hash,
  HeadEvent,
  SourceStatus,
} from '@rockpool/protocol'
import { CodedError, failed, ok } from '@rockpool/protocol'

/** The dev chain as a source like any other. `heard` is given every fact `chain.head`, in order; `close` ends all callbacks. */
export interface DevSource extends ChainSource {
  heard(fact: ChainHead): void
  close(): void
}

const askMs = 30_000

/** For those outside the bus, who follow the chain inside this node as they would follow a remote one. */
export function devSource(bus: Pick<Bus, 'ask'>, chain: ActorRef<ChainMessage>): DevSource {
  const listeners = new Set<(event: HeadEvent) => void>()
  let state: ChainStatus['state'] = 'following'

  async function status(): Promise<ChainStatus> {
    const outcome = await bus.ask<ChainMessage, ChainStatus>(
      chain,
      reply => ({ type: 'chain.getStatus', reply }),
      askMs,
    )
    if (!outcome.ok)
      throw new CodedError('load/internal', `the chain does not answer: ${outcome.error}`)
    state = outcome.value.state
    return outcome.value
  }

  async function find(id: BlockId): Promise<BlockAnswer | null> {
    const outcome = await bus.ask<ChainMessage, Answer<BlockAnswer | null>>(
      chain,
      reply => ({ type: 'chain.getBlock', id, reply }),
      askMs,
    )
    if (!outcome.ok)
      throw new CodedError('load/internal', `the chain does not answer: ${outcome.error}`)
    if (!outcome.value.ok) throw new CodedError(outcome.value.code, outcome.value.message)
    return outcome.value.value
  }

  return {
    head: async () => (await status()).head,
    block: async hash => (await find({ hash }))?.block ?? null,
    hashAt: async number => (await find({ number }))?.block.header.hash ?? null,
    async accounts(
      addresses: readonly Address[],
      at: Hash,
    ): Promise<Answer<readonly AccountView[]>> {
      const outcome = await bus.ask<ChainMessage, Answer<AccountsAnswer>>(
        chain,
        reply => ({ type: 'chain.getAccounts', addresses, at: { hash: at }, reply }),
        askMs,
      )
      if (!outcome.ok) return failed('load/internal')
      return outcome.value.ok ? ok(outcome.value.value.accounts) : outcome.value
    },
    onHead(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    status(): SourceStatus {
      return { state: state === 'syncing' ? 'syncing' : 'following' }
    },
    heard({ old, new: head, ancestor, removed, added }) {
      const event: HeadEvent = { old, new: head, ancestor, removed, added }
      for (const listener of [...listeners]) listener(event)
    },
    close() {
      listeners.clear()
    },
  }
}
