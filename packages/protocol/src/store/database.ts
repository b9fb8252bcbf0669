import { limits } from '../limits.ts'
import type { Range, Store, Write } from '../ports.ts'
import type { Engine, Operation } from './engine.ts'
import { createGroupCommit } from './group-commit.ts'
import { createMending } from './mending.ts'

/** What a database stands on. */
export interface DatabaseParts {
  /** Open already. */
  readonly engine: Engine
  /** Throws when the disk has no room for what opening the engine again writes. */
  requireSpace(): Promise<void>
  /** Monotonic. Milliseconds. */
  now(): number
  /** Resolves after one turn of the event loop. */
  turn(): Promise<void>
}

/** Rooms of one engine, each with keys of its own, that share its commits. */
export interface DatabaseRooms {
  /** The part of one room; asked twice it is the same keys. */
  room(name: string): Store
  /** Writes what waits, then closes the engine. May be called again. */
  close(): Promise<void>
}

/** The `Store` port over an engine that is open. */
export function createDatabase(parts: DatabaseParts): DatabaseRooms {
  const { engine, turn } = parts
  const { read, write } = createMending(parts)
  const commit = createGroupCommit<Operation>(
    (operations, sync) => write(() => engine.batch(operations, { sync })),
    turn,
  )
  let closing: Promise<void> | undefined

  function room(name: string): Store {
    const keys = roomKeys(name)

    return {
      // The synchronous one has seven times the rate of the awaited, which goes through the thread pool.
      get: key => read(() => copied(engine.getSync(keys.inside(key)))),
      getMany: wanted =>
        read(async () => (await engine.getMany(wanted.map(keys.inside))).map(copied)),
      scan({ gte, lt, reverse = false, limit = limits.storeScanDefault }: Range) {
        const bounds = {
          gte: gte ? keys.inside(gte) : keys.first,
          lt: lt ? keys.inside(lt) : keys.end,
        }
        return read(async () => {
          const entries = await engine.entries({ ...bounds, reverse, limit })
          return entries.map(([key, value]) => ({
            key: keys.outside(key),
            value: new Uint8Array(value),
          }))
        })
      },
      batch(writes: readonly Write[], { sync = false } = {}) {
        return commit.add(
          writes.map(write => {
            const key = keys.inside(write.key)
            return write.type === 'put'
              ? { type: 'put', key, value: new Uint8Array(write.value) }
              : { type: 'del', key }
          }),
          sync,
        )
      },
    }
  }

  return {
    room,
    close() {
      closing ??= commit.drain().then(() => engine.close())
      return closing
    },
  }
}

/**
 * Keys of a room lie under `!name!`, the layout of abstract-level's sublevels, so that its tools read them. Not its sublevel objects: they
 * open late, and a room must answer at once.
 */
function roomKeys(name: string) {
  const prefix = new TextEncoder().encode(`!${name}!`)
  const end = new TextEncoder().encode(`!${name}"`)
  return {
    first: prefix,
    end,
    inside(key: Uint8Array): Uint8Array {
      const whole = new Uint8Array(prefix.length + key.length)
      whole.set(prefix)
      whole.set(key, prefix.length)
      return whole
    },
    /** A copy: what the engine returns may be a view on a larger, reused buffer. */
    outside: (whole: Uint8Array): Uint8Array => new Uint8Array(whole.subarray(prefix.length)),
  }
}

function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes)
}
