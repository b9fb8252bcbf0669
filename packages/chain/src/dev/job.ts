import type { ActorRef, Context, Outcome, Reply, Typed } from '@rockpool/actor'

/** The ways in which a job may wait. Each resumes it once. */
export interface Door {
  /** I/O. `ms` bounds it; absent is the bound of a pipe. */
  pipe(work: () => Promise<unknown>, ms?: number): void
  pause(ms: number): void
  ask<Q, R>(to: ActorRef<Q>, make: (reply: Reply<R>) => Q, ms: number): void
}

/**
 * A course of several steps with waits in between, as a generator: handlers stay synchronous, and the course still reads from top to
 * bottom. It yields how it wants to wait; whoever runs it opens the door and resumes it with the outcome.
 */
export type Job<R> = Generator<(door: Door) => void, R, Outcome<unknown, unknown>>

/** Waits for I/O. */
export function* piped<T>(work: () => Promise<T>, ms?: number): Job<Outcome<T, unknown>> {
  // Here and below: a job is resumed with the outcome of exactly what it waits for.
  return (yield door => door.pipe(work, ms)) as Outcome<T, unknown>
}

/** Waits for another actor. */
export function* asked<Q, R>(
  to: ActorRef<Q>,
  make: (reply: Reply<R>) => Q,
  ms: number,
): Job<Outcome<R, unknown>> {
  return (yield door => door.ask(to, make, ms)) as Outcome<R, unknown>
}

/** Lets time pass. */
export function* pause(ms: number): Job<void> {
  yield door => door.pause(ms)
}

/** Lets other messages have their turn. */
export function* breathe(): Job<void> {
  yield door => door.pipe(() => Promise.resolve())
}

/** The doors of an actor; `timer` names the one timer a job may have. */
export function doorOf<M extends Typed, F extends Typed>(
  ctx: Context<M, F>,
  timer: string,
  resume: (outcome: Outcome<unknown, unknown>) => M,
): Door {
  return {
    pipe: (work, ms) => ctx.pipe(work, resume, ms),
    pause: ms => ctx.after(timer, ms, resume({ ok: true, value: undefined })),
    ask: (to, make, ms) => ctx.ask(to, make, ms, resume),
  }
}

/** What a job is begun with. */
export const begun: Outcome<unknown, unknown> = { ok: true, value: undefined }
