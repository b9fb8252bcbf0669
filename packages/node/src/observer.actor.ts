import type { Behavior } from '@rockpool/actor'
import type { Fact, ObserverMessage } from '@rockpool/protocol'

export type FactListener = (fact: Fact) => void

/** Tells edges outside the bus what happened: RPC subscriptions, status lines. They listen; they cannot answer. */
export function observer(listeners: ReadonlySet<FactListener>): Behavior<ObserverMessage> {
  return () => fact => {
    for (const listener of listeners) listener(fact)
  }
}
