import { limits } from '../limits.ts'
import type { Engine } from './engine.ts'
import { codedAs } from './store-errors.ts'

export interface MendingParts {
  readonly engine: Pick<Engine, 'status' | 'open' | 'close'>
  /** Throws when the disk has no room for what opening again writes. */
  readonly requireSpace: () => Promise<void>
  /** Monotonic. Milliseconds. */
  readonly now: () => number
}

/**
 * After a failed write LevelDB's log ends in a torn record, and what it takes behind that is acknowledged and gone at the next start. So no
 * write is taken before the database was opened again, which ends the log at its last whole record. That waits until there is space: a
 * database that cannot be opened cannot be read either, while one with a torn log can.
 */
export function createMending({ engine, requireSpace, now }: MendingParts) {
  /** Why writes are not taken now. */
  let failure: unknown
  let triedMs = Number.NEGATIVE_INFINITY
  /** While it is being opened again: readers wait. */
  let opening: Promise<void> | undefined
  let reading = 0
  let idle: (() => void) | undefined

  async function write(commit: () => Promise<void>): Promise<void> {
    if (failure !== undefined) await mend()
    try {
      await commit()
    } catch (error) {
      failure = error
      codedAs(error)
    }
  }

  async function mend(): Promise<void> {
    if (now() - triedMs < limits.storeMendEveryMs) codedAs(failure)
    triedMs = now()
    try {
      await requireSpace()
      opening = openAgain()
      await opening
      failure = undefined
    } catch (error) {
      failure = error
      codedAs(error)
    } finally {
      opening = undefined
    }
  }

  async function openAgain(): Promise<void> {
    if (reading > 0) {
      await new Promise<void>(resolve => {
        idle = resolve
      })
    }
    if (engine.status === 'open') await engine.close()
    await engine.open()
  }

  async function read<T>(look: () => T | Promise<T>): Promise<T> {
    // A failure to open is told by the look itself.
    while (opening !== undefined) await opening.catch(() => {})
    reading += 1
    try {
      return await look()
    } catch (error) {
      return codedAs(error)
    } finally {
      reading -= 1
      if (reading === 0) idle?.()
    }
  }

  return { write, read }
}
