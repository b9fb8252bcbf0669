import type { Typed } from './api.ts'
import { assert } from './assert.ts'
import type { Bus } from './bus.ts'

/** Names of the actors whose inbox accepts the fact. */
type ListenersOf<Inbox, Fact> = {
  [Actor in keyof Inbox & string]: [Fact] extends [Inbox[Actor]] ? Actor : never
}[keyof Inbox & string]

/**
 * Who hears which fact, in the order they are told. Written as `{ … } satisfies Wiring<Inbox, Fact>`: an omitted fact,
 * an unknown actor and a listener whose inbox lacks the fact do not compile. A fact nobody hears has the row `[]`.
 */
export type Wiring<Inbox, Fact extends Typed> = {
  readonly [Type in Fact['type']]: readonly ListenersOf<Inbox, Extract<Fact, { type: Type }>>[]
}

/** Tells `fact` to its listeners in table order. On a bus without a table nobody listens. */
export function tellListeners(bus: Bus, fact: Typed): void {
  if (bus.wiring === undefined) return
  const listeners = bus.wiring[fact.type]
  assert(listeners !== undefined, `no row for ${fact.type} in the wiring`)
  for (const name of listeners) {
    const listener = bus.roots.get(name)
    if (listener !== undefined) listener.tell(fact)
    else bus.buryElsewhere('dead', `/${name}`, fact)
  }
}
