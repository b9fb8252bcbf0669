import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codedAs, createDatabase, type DatabaseRooms, type Engine } from '@rockpool/protocol/store'
import { ClassicLevel } from 'classic-level'
import { spaceOn } from './space.ts'

/** The node's one database, with a part for each room. */
export interface Database extends DatabaseRooms {
  /** Size of its files on disk. */
  bytes(): Promise<number>
}

const view = { keyEncoding: 'view', valueEncoding: 'view' } as const

/**
 * Opens or creates the database in directory `path`. Throws `store/locked` when another process holds it, `store/corrupt` when it cannot
 * be read; nothing is repaired or deleted here.
 */
export async function openDatabase(path: string): Promise<Database> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, view)
  await level.open().catch(codedAs)
  const engine: Engine = {
    get status() {
      return level.status
    },
    open: () => level.open(),
    close: () => level.close(),
    getSync: key => level.getSync(key),
    getMany: keys => level.getMany(keys),
    entries: range => level.iterator(range).all(),
    batch: (operations, options) => level.batch(operations, { ...view, ...options }),
  }
  const rooms = createDatabase({
    engine,
    requireSpace: spaceOn(path),
    now: () => performance.now(),
    turn: () => new Promise(resolve => setImmediate(resolve)),
  })
  return {
    ...rooms,
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
