import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits, type Range, type Store, type Write } from '@rockpool/protocol'
import { ClassicLevel } from 'classic-level'
import { createGroupCommit } from './group-commit.ts'
import { createMending, spaceOn } from './mending.ts'
import { codedAs } from './store-errors.ts'

/** The node's one database. A room is a part of it with keys of its own. */
export interface Database {
  /** The part of one room; asked twice it is the same keys. */
  room(name: string): Store
  /** Writes what waits, then closes. May be called again. */
  close(): Promise<void>
  /** Size of its files on disk. */
  bytes(): Promise<number>
}

const view = { keyEncoding: 'view', valueEncoding: 'view' } as const

type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/**
 * Opens or creates the database in directory `path`. Throws `store/locked` when another process holds it, `store/corrupt` when it cannot
 * be read; nothing is repaired or deleted here.
 */
export async function openDatabase(path: string): Promise<Database> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, view)
  await level.open().catch(codedAs)
  const { read, write } = createMending({
    engine: level,
    requireSpace: spaceOn(path),
    now: () => performance.now(),
  })
  const commit = createGroupCommit<Operation>((operations, sync) =>
    write(() => level.batch(operations, { ...view, sync })),
  )
  let closing: Promise<void> | undefined

  function room(name: string): Store {
    const keys = roomKeys(name)

    return {
      // The synchronous one has seven times the rate of the awaited, which goes through the thread pool.
      get: key => read(() => copied(level.getSync(keys.inside(key)))),
      getMany: wanted =>
        read(async () => (await level.getMany(wanted.map(keys.inside))).map(copied)),
      scan({ gte, lt, reverse = false, limit = limits.storeScanDefault }: Range) {
        const bounds = {
          gte: gte ? keys.inside(gte) : keys.first,
          lt: lt ? keys.inside(lt) : keys.end,
        }
        return read(async () => {
          const entries = await level.iterator({ ...bounds, reverse, limit }).all()
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
      closing ??= commit.drain().then(() => level.close())
      return closing
    },
    async bytes() {
      let sum = 0
      for (const name of await readdir(path)) {
        // A compaction may remove a file between the listing and the question.
        const file = await stat(join(path, name)).catch(() => undefined)
        sum += file?.isFile() ? file.size : 0
      }
      return sum
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
    /** A copy: what the library returns may be a view on a larger, reused buffer. */
    outside: (whole: Uint8Array): Uint8Array => new Uint8Array(whole.subarray(prefix.length)),
  }
}

function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes)
}
