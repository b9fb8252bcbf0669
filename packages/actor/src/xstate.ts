import {
  type Actor,
  type AnyStateMachine,
  createActor,
  type EventFromLogic,
  type InputFrom,
  type Snapshot,
  type SnapshotFrom,
} from 'xstate'
import type { Behavior, Context, Typed } from './api.ts'
import { assert } from './assert.ts'
import { ActorContext } from './context.ts'
import { foreign } from './tripwire.ts'

export interface HostOptions<L extends AnyStateMachine> {
  readonly input?: InputFrom<L>
  /** A persisted snapshot. Its state must not wait for an `after`: xstate would not arm it again. */
  readonly snapshot?: Snapshot<unknown>
  /** After every transition, and once at the start. */
  onSnapshot?(state: SnapshotFrom<L>): void
}

export interface Host<L extends AnyStateMachine> {
  /** Runs the transition to its end. An action that throws, throws here. */
  send(event: EventFromLogic<L>): void
  readonly state: SnapshotFrom<L>
  /** To store, and give back as `snapshot`. */
  snapshot(): Snapshot<unknown>
  stop(): void
}

/** A machine that is an actor of its own. Its end stops the actor; what its actions throw is for supervision. */
export function hosted<
  L extends AnyStateMachine,
  M extends EventFromLogic<L> & Typed,
  F extends Typed,
>(machine: L, parts: (ctx: Context<M, F>) => HostOptions<L> = () => ({})): Behavior<M, F> {
  return ctx => {
    const host = hostIn(ctx, '', machine, parts(ctx), () => ctx.stop())
    return msg => host.send(msg)
  }
}

/**
 * A machine inside the turns of an actor: `send` decides at once. Delayed transitions come through the actor's mailbox as
 * turns of their own, named `$after`. `name` tells several machines of one actor apart.
 */
export function hostIn<L extends AnyStateMachine, M extends Typed, F extends Typed>(
  ctx: Context<M, F>,
  name: string,
  machine: L,
  { input, snapshot, onSnapshot }: HostOptions<L> = {},
  onDone: () => void = () => {},
): Host<L> {
  assert(ctx instanceof ActorContext, 'a host lives in an actor')
  // Always named: ids xstate makes up come from a counter of the whole process.
  const id = name === '' ? ctx.path : `${ctx.path}:${name}`
  let actor: Actor<L>
  let over = false
  let failure: { error: unknown } | undefined

  const clock = hostClock(ctx, id, () => settle())
  const settle = () => {
    if (failure !== undefined) throw failure.error
    const state = actor.getSnapshot() as Snapshot<unknown>
    if (state.status === 'error') throw state.error
    if (state.status === 'done' && !over) {
      over = true
      onDone()
    }
  }
  const stop = () => {
    foreign(() => actor.stop())
  }

  actor = foreign(() => {
    const made = createActor(machine, {
      id,
      clock,
      ...(input === undefined ? {} : { input }),
      ...(snapshot === undefined ? {} : { snapshot }),
    } as never) as Actor<L>
    // What an observer throws, and an error without an observer, xstate rethrows from a timeout of its own.
    made.subscribe({
      next(state) {
        try {
          onSnapshot?.(state as SnapshotFrom<L>)
        } catch (error) {
          failure ??= { error }
        }
      },
      error: () => {},
    })
    return made
  })
  if (snapshot !== undefined) assertNothingPending(actor.getSnapshot())
  ctx.onStop(stop)
  foreign(() => actor.start())
  settle()

  return {
    send(event) {
      foreign(() => actor.send(event))
      settle()
    },
    get state() {
      return actor.getSnapshot()
    },
    snapshot: () => actor.getPersistedSnapshot(),
    stop,
  }
}

/** What xstate wants of a clock, over the actor's own timers. */
function hostClock(ctx: ActorContext, id: string, settle: () => void) {
  let made = 0
  return {
    setTimeout(fn: (...args: unknown[]) => void, ms: number): number {
      const number = ++made
      ctx.later(`$after ${id} ${number}`, ms, '$after', () => {
        foreign(fn)
        settle()
      })
      return number
    },
    clearTimeout(number: number): void {
      ctx.cancel(`$after ${id} ${number}`)
    },
  }
}

type WithNodes = {
  readonly _nodes?: readonly { readonly key: string; readonly after: readonly unknown[] }[]
}

function assertNothingPending(snapshot: unknown): void {
  for (const { key, after } of (snapshot as WithNodes)._nodes ?? []) {
    assert(after.length === 0, `restored in ${key}, which waits for a timer nobody arms again`)
  }
}
