import { CodedError } from '../errors.ts'
import { limits } from '../limits.ts'

/** As much of a write as must be known to keep bounds; the rest is the engine's. */
export interface Sized {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

interface Waiting<O> {
  readonly operations: readonly O[]
  readonly bytes: number
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Joins batches into commits. While one commit is on its way to the disk the next batches gather; the first of an idle moment waits one
 * `turn` of the event loop. So a batch never waits for a timer, and a hundred writers share one fsync.
 *
 * One commit at a time, in the order of the calls: two un-awaited writes of one key end as they were asked. A commit is synced when any
 * batch in it asked for that. Each batch is whole within one commit; a failed commit rejects all its batches.
 */
export function createGroupCommit<O extends Sized>(
  commit: (operations: O[], sync: boolean) => Promise<void>,
  turn: () => Promise<void>,
) {
  let waiting: Waiting<O>[] = []
  let waitingBytes = 0
  let closed = false
  let running: Promise<void> | undefined

  function add(operations: readonly O[], sync: boolean): Promise<void> {
    if (closed) return Promise.reject(new CodedError('store/closed'))
    if (operations.length === 0 && !sync) return Promise.resolve()
    const bytes = sizeOf(operations)
    if (waitingBytes > 0 && waitingBytes + bytes > limits.storeWaitingBytesMax) {
      return Promise.reject(new CodedError('load/queue-full'))
    }
    return new Promise((resolve, reject) => {
      waiting.push({ operations, bytes, sync, resolve, reject })
      waitingBytes += bytes
      running ??= run()
    })
  }

  async function run(): Promise<void> {
    await turn()
    while (waiting.length > 0) {
      const group = takeGroup()
      const operations = group.flatMap(batch => batch.operations)
      const sync = group.some(batch => batch.sync)
      try {
        await commit(operations, sync)
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    running = undefined
  }

  function takeGroup(): Waiting<O>[] {
    let bytes = 0
    let count = 0
    for (const batch of waiting) {
      if (count > 0 && bytes + batch.bytes > limits.storeGroupBytes) break
      bytes += batch.bytes
      count += 1
    }
    waitingBytes -= bytes
    const group = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return group
  }

  /** Takes nothing more; resolves when all that waits is written or refused. */
  async function drain(): Promise<void> {
    closed = true
    await running
  }

  return { add, drain }
}

function sizeOf(operations: readonly Sized[]): number {
  let bytes = 0
  for (const operation of operations) {
    bytes += operation.key.length + (operation.value?.length ?? 0)
  }
  return bytes
}
