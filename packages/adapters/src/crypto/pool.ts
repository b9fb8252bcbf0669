import type { Worker } from 'node:worker_threads'
import { CodedError, limits, type RecoveryJob } from '@rockpool/protocol'
import { packJobs, type Recovered, unpackAnswers } from './packed.ts'
import type { Backend } from './secp.ts'
import { startThread } from './thread.ts'
import type { FromWorker, ToWorker } from './worker.ts'

export interface RecoveryPool {
  /** What the threads use now: one step down after too many deaths. */
  readonly backend: Backend
  /** Threads at most. */
  readonly workers: number
  /** Rejects with `crypto/crashed` when a thread dies with part of the batch, `load/queue-full`, `crypto/closed`. */
  recover(jobs: readonly RecoveryJob[]): Promise<(Recovered | undefined)[]>
  /** Ends the threads; what waits is rejected with `crypto/closed`. */
  close(): Promise<void>
}

export interface RecoveryPoolOptions {
  readonly workers: number
  readonly backend: Backend
  /** A faster implementation died too often; the slower one takes over. */
  readonly onFallback?: (from: Backend, to: Backend, reason: string) => void
  readonly start?: (backend: Backend) => Worker
}

/** What one caller asked for; its jobs may travel in several batches. */
interface Request {
  readonly jobs: readonly RecoveryJob[]
  readonly answers: (Recovered | undefined)[]
  taken: number
  missing: number
  readonly resolve: (answers: (Recovered | undefined)[]) => void
  readonly reject: (error: Error) => void
}

/** A run of one request's jobs inside a batch. */
interface Part {
  readonly request: Request
  readonly from: number
  readonly count: number
}

interface Seat {
  /** Somebody was sent for, once: from then on the seat is filled again whenever it falls empty. */
  taken: boolean
  /** Passed its self-test. */
  thread: Worker | undefined
  /** The thread that runs for this seat, ready or only being started. */
  running: Running | undefined
  readonly inFlight: Map<number, readonly Part[]>
  restart: NodeJS.Timeout | undefined
}

interface Running {
  readonly thread: Worker
  readonly ended: Promise<void>
}

const slower: Partial<Record<Backend, Backend>> = { native: 'wasm', wasm: 'noble' }
/** From here on a batch runs a thread at its full rate. */
const fullRate = 16

/**
 * Recovery in threads. What callers ask for in one pass of the event loop goes out together: to a busy thread in batches of 16 to 64, at
 * once to one that has nothing to do. A thread holds up to four batches, so that it never waits for the event loop. Threads beyond the
 * first are started when those there are have all they may hold and more waits. Resolves when the first has passed the self-test.
 */
export async function startRecoveryPool(options: RecoveryPoolOptions): Promise<RecoveryPool> {
  const { workers, onFallback, start = startThread } = options
  let backend = options.backend
  let closed = false
  let waiting: Request[] = []
  let waitingCount = 0
  let flush: NodeJS.Immediate | undefined
  let nextBatch = 0
  let deaths: number[] = []
  const seats: Seat[] = Array.from({ length: workers }, () => ({
    taken: false,
    thread: undefined,
    running: undefined,
    inFlight: new Map(),
    restart: undefined,
  }))

  const [first] = seats
  if (first)
    await occupy(first).catch(async error => {
      await close()
      throw error
    })

  function recover(jobs: readonly RecoveryJob[]): Promise<(Recovered | undefined)[]> {
    for (const job of jobs) checkWidths(job)
    if (closed) return Promise.reject(new CodedError('crypto/closed'))
    if (jobs.length === 0) return Promise.resolve([])
    if (waitingCount + jobs.length > limits.recoveryQueueMax) {
      return Promise.reject(new CodedError('load/queue-full'))
    }
    return new Promise((resolve, reject) => {
      const answers = new Array<Recovered | undefined>(jobs.length)
      waiting.push({ jobs, answers, taken: 0, missing: jobs.length, resolve, reject })
      waitingCount += jobs.length
      if (waitingCount >= fullRate) dispatch()
      else flush ??= setImmediate(onFlush)
    })
  }

  function onFlush(): void {
    flush = undefined
    dispatch()
  }

  /** Hands out what waits while a thread has room; less than a full-rate batch only where a thread would be idle without it. */
  function dispatch(): void {
    while (waitingCount > 0) {
      const seat = roomiest()
      if (!seat?.thread) return grow()
      if (waitingCount < fullRate && seat.inFlight.size > 0) return
      const parts = takeBatch()
      const id = nextBatch++
      seat.inFlight.set(id, parts)
      const jobs = packJobs(
        parts.flatMap(({ request, from, count }) => request.jobs.slice(from, from + count)),
      ).buffer
      seat.thread.postMessage({ type: 'jobs', id, jobs } satisfies ToWorker, [jobs])
    }
  }

  /** One more thread at a time, while a whole batch waits that nobody can take. */
  function grow(): void {
    if (closed || waitingCount < limits.recoveryBatchMax || seats.some(isStarting)) return
    const seat = seats.find(({ taken }) => !taken)
    if (seat) refill(seat)
  }

  function refill(seat: Seat): void {
    occupy(seat).catch((error: unknown) => {
      if (!closed) onDeath(seat, error)
    })
  }

  function roomiest(): Seat | undefined {
    let best: Seat | undefined
    for (const seat of seats) {
      if (!seat.thread || seat.inFlight.size >= limits.recoveryBatchesPerWorker) continue
      if (!best || seat.inFlight.size < best.inFlight.size) best = seat
    }
    return best
  }

  function takeBatch(): Part[] {
    const parts: Part[] = []
    let room: number = limits.recoveryBatchMax
    while (room > 0) {
      const request = waiting[0]
      if (!request) break
      const count = Math.min(room, request.jobs.length - request.taken)
      parts.push({ request, from: request.taken, count })
      request.taken += count
      if (request.taken === request.jobs.length) waiting.shift()
      room -= count
      waitingCount -= count
    }
    return parts
  }

  function onAnswers(seat: Seat, id: number, answers: ArrayBuffer): void {
    const parts = seat.inFlight.get(id)
    seat.inFlight.delete(id)
    const recovered = unpackAnswers(new Uint8Array(answers))
    let at = 0
    for (const { request, from, count } of parts ?? []) {
      for (let i = 0; i < count; i++) request.answers[from + i] = recovered[at++]
      request.missing -= count
      if (request.missing === 0) request.resolve(request.answers)
    }
    dispatch()
  }

  /** Fills a seat; resolves when its thread is ready, rejects when it dies before. */
  function occupy(seat: Seat): Promise<void> {
    seat.taken = true
    return new Promise((resolve, reject) => {
      const thread = start(backend)
      const ended = new Promise<void>(done => thread.once('exit', () => done()))
      seat.running = { thread, ended }
      let ready = false
      let reason: unknown
      thread.on('message', (message: FromWorker) => {
        if (message.type === 'answers') return onAnswers(seat, message.id, message.answers)
        ready = true
        if (!closed) seat.thread = thread
        resolve()
        dispatch()
      })
      thread.on('error', error => {
        reason = error
      })
      thread.on('exit', code => {
        seat.running = undefined
        const cause = reason ?? new Error(`thread ended with code ${code}`)
        if (ready && !closed) return onDeath(seat, cause)
        reject(new CodedError('crypto/crashed', 'a recovery worker did not start', { cause }))
      })
    })
  }

  function onDeath(seat: Seat, cause: unknown): void {
    seat.thread = undefined
    rejectParts(
      [...seat.inFlight.values()].flat(),
      new CodedError('crypto/crashed', undefined, { cause }),
    )
    seat.inFlight.clear()
    const now = performance.now()
    deaths = [...deaths.filter(at => now - at < limits.recoveryDeathsWindowMs), now]
    if (deaths.length >= limits.recoveryDeathsMax) stepDown(cause)
    const delay = limits.recoveryRestartMinMs * 2 ** Math.max(0, deaths.length - 1)
    seat.restart = setTimeout(
      () => {
        seat.restart = undefined
        refill(seat)
      },
      Math.min(delay, limits.recoveryRestartMaxMs),
    )
  }

  function stepDown(cause: unknown): void {
    const next = slower[backend]
    if (!next) return
    const reason = cause instanceof Error ? cause.message : String(cause)
    onFallback?.(backend, next, `${deaths.length} recovery workers died (${reason})`)
    backend = next
    deaths = []
  }

  /** A request is answered whole or not at all: what is left of it is not sent any more. */
  function rejectParts(parts: readonly Part[], error: Error): void {
    const lost = new Set(parts.map(part => part.request))
    for (const request of lost) request.reject(error)
    waiting = waiting.filter(request => !lost.has(request))
    waitingCount = waiting.reduce((sum, { jobs, taken }) => sum + jobs.length - taken, 0)
  }

  async function close(): Promise<void> {
    if (closed) return
    closed = true
    clearImmediate(flush)
    const error = new CodedError('crypto/closed')
    for (const request of waiting) request.reject(error)
    waiting = []
    waitingCount = 0
    const endings = seats.map(seat => {
      clearTimeout(seat.restart)
      rejectParts([...seat.inFlight.values()].flat(), error)
      return seat.running && end(seat.running)
    })
    await Promise.all(endings)
  }

  return {
    get backend() {
      return backend
    },
    workers,
    recover,
    close,
  }
}

/**
 * Asks a thread to end, and waits until it has. Not by `terminate()`: that interrupts a thread wherever it is, and inside the native
 * binding, or while that is being loaded, the whole process aborts. A thread that does not answer is interrupted all the same.
 */
async function end({ thread, ended }: Running): Promise<void> {
  thread.postMessage({ type: 'end' } satisfies ToWorker)
  const timer = setTimeout(() => void thread.terminate(), limits.recoveryEndMs)
  await ended
  clearTimeout(timer)
}

/** Its thread is on its way, for the first time or after a death. */
const isStarting = ({ taken, thread }: Seat): boolean => taken && thread === undefined

/** Throws on a job that is not 32, 32 and 32 bytes: a bug of the caller. */
export function checkWidths({ digest, r, s }: RecoveryJob): void {
  if (digest.length !== 32 || r.length !== 32 || s.length !== 32) {
    throw new RangeError(`a job has 32 bytes each, got ${digest.length}, ${r.length}, ${s.length}`)
  }
}
