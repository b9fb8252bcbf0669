import type { ActorRef, Outcome, Typed } from './api.ts'
import { type Ask, failHand, type Hand, replyOf } from './ask.ts'
import type { Bus } from './bus.ts'
import type { Timer } from './heap.ts'
import { CAPACITY, type SpaceSource } from './mailbox.ts'
import { backoffMs } from './supervision.ts'

/** Messages a worker may have and not have finished. */
export const WORKER_WINDOW = 64
/** Messages per post: one by one, posting costs more than most work. */
export const WORKER_BATCH = 32

/** One end of a message channel between threads. A `MessagePort` and a `Worker` fit. */
export interface Port {
  postMessage(frame: unknown): void
  on(event: 'message', listener: (frame: unknown) => void): unknown
}

/** Sequence number, message without its reply, and for a question the ms left to answer it. */
type Task = readonly [sequence: number, msg: Typed, ms?: number]
/** Gives back one place in the window, with the outcome if there was a question. */
type Done = readonly [sequence: number, outcome?: Outcome<unknown>]
type Posted = { readonly msg: Typed; readonly ask: Ask | undefined }

export interface WorkerRef<M> extends ActorRef<M>, SpaceSource {
  /** The thread is gone: what it had crashed, what still waits goes to the next one. */
  lost(error: unknown): void
  /** For good. Whatever waits is dead. */
  stop(): void
  readonly waiting: number
  readonly posted: number
}

export interface WorkerRefOptions {
  readonly bus: Bus
  readonly path: string
  /** Makes a thread and returns its port. Called again after a loss, with backoff. */
  connect(): Port
  readonly capacity?: number
  readonly backoff?: readonly [minMs: number, maxMs: number]
}

const BACKOFF: readonly [number, number] = [100, 30_000]

/**
 * An actor in another thread, as a ref like any other: bounded, with `offer` and `whenSpace`, and every question
 * answered, if only with `crashed`. Messages must be structured-clone-safe.
 */
export function createWorkerRef<M extends Typed>(options: WorkerRefOptions): WorkerRef<M> {
  const { bus, path, connect, capacity = CAPACITY, backoff = BACKOFF } = options
  const queue: Posted[] = []
  const posted = new Map<number, Posted>()
  const holder: Hand = { hand: undefined }
  const waiters = new Map<object, () => void>()
  let port: Port | undefined
  let losses = 0
  let sequence = 0
  let flushing = false
  let stopped = false
  let restart: Timer | undefined

  function open(): void {
    restart = undefined
    const opened = connect()
    port = opened
    opened.on('message', frame => {
      // A late word of a thread already given up.
      if (port === opened) settle(frame as readonly Done[])
    })
    flush()
  }

  function accept(msg: Typed): void {
    const ask = replyOf(msg)
    ask?.hold(holder)
    queue.push({ msg, ask })
    if (flushing) return
    if (bus.clock.soon === undefined || queue.length >= WORKER_BATCH) return flush()
    flushing = true
    bus.clock.soon(flush)
  }

  function flush(): void {
    flushing = false
    while (port !== undefined && queue.length > 0 && posted.size < WORKER_WINDOW) {
      const batch: Task[] = []
      const room = Math.min(WORKER_BATCH, WORKER_WINDOW - posted.size)
      while (batch.length < room && queue.length > 0) {
        const next = queue.shift() as Posted
        if (next.ask?.outcome !== undefined) bus.buryElsewhere('expired', path, next.msg)
        else batch.push(task(next))
      }
      if (batch.length > 0) port.postMessage(batch)
    }
    if (queue.length * 2 <= capacity) tellWaiters()
  }

  function task(next: Posted): Task {
    posted.set(++sequence, next)
    if (next.ask === undefined) return [sequence, next.msg]
    const { reply: _, ...question } = next.msg as Typed & { reply: unknown }
    return [sequence, question, Math.max(0, next.ask.due - bus.clock.now())]
  }

  function settle(batch: readonly Done[]): void {
    losses = 0
    for (const [number, outcome] of batch) {
      const done = posted.get(number)
      posted.delete(number)
      if (outcome === undefined || done?.ask === undefined) continue
      if (outcome.ok) done.ask.tell(outcome.value)
      else done.ask.fail(outcome.error)
    }
    flush()
  }

  function tellWaiters(): void {
    const told = [...waiters.values()]
    waiters.clear()
    for (const tell of told) tell()
  }

  function buryAll(reason: 'dead' | 'crashed', messages: Iterable<Posted>): void {
    for (const { msg } of messages) bus.buryElsewhere(reason, path, msg)
  }

  function lost(error: unknown): void {
    if (stopped || port === undefined) return
    port = undefined
    losses++
    const waitMs = backoffMs(losses, backoff, bus.luck.f())
    bus.report('warn', 'actor/worker-lost', { error, posted: posted.size, waitMs }, path)
    const crashed = [...posted.values()]
    posted.clear()
    buryAll('crashed', crashed)
    restart = bus.clock.at(bus.clock.now() + waitMs, open)
  }

  function stop(): void {
    if (stopped) return
    stopped = true
    port = undefined
    if (restart !== undefined) bus.clock.clear(restart)
    const left = [...posted.values(), ...queue.splice(0)]
    posted.clear()
    buryAll('dead', left)
    failHand(holder, 'dead')
    tellWaiters()
  }

  open()
  return {
    path,
    tell(msg) {
      if (stopped) bus.buryElsewhere('dead', path, msg)
      else if (queue.length >= capacity) bus.buryElsewhere('full', path, msg)
      else accept(msg)
    },
    offer(msg) {
      if (stopped) bus.buryElsewhere('dead', path, msg)
      else if (queue.length >= capacity) {
        bus.refused++
        return false
      } else accept(msg)
      return true
    },
    whenSpace(waiter, fn) {
      if (stopped || queue.length * 2 <= capacity) fn()
      else waiters.set(waiter, fn)
    },
    lost,
    stop,
    get waiting() {
      return queue.length
    },
    get posted() {
      return posted.size
    },
  }
}

/**
 * The other side: hands what comes through `port` to an actor of the worker's own bus. A message gives its place in the
 * window back when the mailbox has taken it, a question when it is answered.
 */
export function serveWorker<M extends Typed>(port: Port, bus: Bus, ref: ActorRef<M>): void {
  const backlog: Task[] = []
  const done: Done[] = []
  let posting = false

  function post(): void {
    posting = false
    if (done.length > 0) port.postMessage(done.splice(0))
  }

  function finish(item: Done): void {
    done.push(item)
    if (posting) return
    if (bus.clock.soon === undefined || done.length >= WORKER_BATCH) return post()
    posting = true
    bus.clock.soon(post)
  }

  function work(): void {
    for (let task = backlog[0]; task !== undefined; task = backlog[0]) {
      const [sequence, msg, ms] = task
      if (ms !== undefined) {
        const ask = (reply: unknown) => ({ ...msg, reply }) as unknown as M
        void bus.ask(ref, ask, ms).then(outcome => finish([sequence, outcome]))
      } else if (ref.offer(msg as M)) finish([sequence])
      else return bus.whenSpace(ref, work)
      backlog.shift()
    }
  }

  port.on('message', frame => {
    // Bounded by the other side's window.
    backlog.push(...(frame as readonly Task[]))
    work()
  })
}
