import type { Clock, Rng } from '@rockpool/actor'
import type { Store } from '@rockpool/protocol'
import { createDatabase, type Engine, type Operation } from '@rockpool/protocol/store'
import type { Edge } from './api.ts'
import { DiskImage, engineError, idOf, type Undo } from './disk-image.ts'

/** A batch that a crash may still undo. */
interface Pending {
  readonly number: number
  readonly undo: Undo
  /** Told when it is durable; absent for a batch that nobody waits for. */
  done: (() => void) | undefined
}

/** One process's access to the disk. Ends with it. */
export interface Mount {
  store(room: string): Store
  /** Writes what waits; from then on everything rejects with `store/closed`. */
  close(): Promise<void>
  /** Nothing asked before settles any more. */
  kill(): void
}

export interface DiskParts {
  readonly clock: Pick<Clock, 'now' | 'at'>
  readonly rng: Rng
  readonly node: number
  readonly meanMs: number
  /** Resolves after one turn of the event loop, in which no time passes. */
  hop(): Promise<void>
  settled(): void
  count(what: string): void
  edge?: ((edge: Edge) => void) | undefined
}

const SYNC_MS = 0.2
const READ_MS = 0.02
const KERNEL_MS = 0.05
/** What a dead process waits for. */
const never = new Promise<never>(() => {})

/**
 * The disk of one machine with LevelDB's twin on it; survives its node, whose database over it is the one of production. A batch changes what
 * is read at once and is durable a drawn time later, in order: a crash keeps a prefix of what was not. A batch is atomic, as LevelDB's is.
 * One that failed leaves a torn record in the log: what is taken behind it is acknowledged and gone when the database is opened again.
 */
export class Disk {
  meanMs: number | undefined
  full = false
  private readonly parts: DiskParts
  private readonly image = new DiskImage()
  private pending: Pending[] = []
  private issued = 0
  private lastSync = 0
  /** The log has a torn record. */
  private torn = false
  /** What was taken behind it. */
  private behind: Undo[] = []

  constructor(parts: DiskParts) {
    this.parts = parts
  }

  get damaged(): boolean {
    return this.full || this.image.corrupt.size > 0
  }

  get unsynced(): number {
    return this.pending.length
  }

  mount(): Mount {
    const { clock, hop, settled } = this.parts
    const mount = { alive: true }
    this.recover()
    const database = createDatabase({
      engine: this.engine(mount),
      requireSpace: () => this.later(mount, KERNEL_MS, this.full ? noSpace : () => {}),
      now: () => clock.now(),
      turn() {
        settled()
        return hop()
      },
    })
    const ofTheLiving = (store: Store): Store => ({
      get: key => (mount.alive ? store.get(key) : never),
      getMany: keys => (mount.alive ? store.getMany(keys) : never),
      scan: range => (mount.alive ? store.scan(range) : never),
      batch: (writes, options) => (mount.alive ? store.batch(writes, options) : never),
    })
    return {
      store: name => ofTheLiving(database.room(name)),
      close() {
        settled()
        return database.close()
      },
      kill() {
        mount.alive = false
      },
    }
  }

  /** Power is gone: a drawn prefix of what was not durable remains. Returns how many batches were lost. */
  crash(): number {
    this.recover()
    const kept = this.parts.rng.int(this.pending.length + 1)
    const lost = this.pending.splice(kept)
    for (const { undo } of lost.reverse()) this.image.undo(undo)
    this.pending = []
    for (let count = 0; count < lost.length; count++) this.parts.count('batches lost')
    return lost.length
  }

  /** Everything written is durable: the process ended in order. */
  flush(): void {
    this.complete(this.issued)
  }

  /** This record cannot be read any more; without a key one that is drawn. */
  corrupt(room: string, key?: Uint8Array): void {
    const { image, parts } = this
    const id = key === undefined ? parts.rng.pick(image.keysOf(room)) : `!${room}!${idOf(key)}`
    if (id !== undefined) image.corrupt.add(id)
  }

  /** Ends faults; corrupt records stay. */
  heal(): void {
    this.full = false
    this.meanMs = undefined
  }

  /** The database is opened: its log is read up to the torn record. */
  private recover(): void {
    for (const undo of this.behind.reverse()) this.image.undo(undo)
    this.behind = []
    this.torn = false
  }

  /** LevelDB's twin, for one process. */
  engine(mount: { readonly alive: boolean } = { alive: true }): Engine {
    const { image } = this
    let status = 'open'
    const requireOpen = () => {
      if (status !== 'open') throw engineError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open')
    }
    /** What is found is found when asked; the answer comes later. */
    const read = async <T>(act: () => T): Promise<T> => {
      requireOpen()
      const found = act()
      return this.later(mount, READ_MS, () => found)
    }
    return {
      get status() {
        return status
      },
      open: async () => {
        this.recover()
        status = 'open'
      },
      async close() {
        status = 'closed'
      },
      getSync(key) {
        requireOpen()
        return image.get(key)
      },
      getMany: keys => read(() => keys.map(key => image.get(key))),
      entries: range => read(() => image.entries(range)),
      batch: async (operations, { sync }) => {
        requireOpen()
        return mount.alive ? this.write(operations, sync, mount) : never
      },
    }
  }

  private write(
    operations: readonly Operation[],
    sync: boolean,
    mount: { readonly alive: boolean },
  ): Promise<void> {
    const { clock, rng } = this.parts
    if (this.full) {
      this.torn = true
      return this.later(mount, KERNEL_MS, noSpace)
    }
    const undo = this.image.apply(operations)
    if (this.torn) {
      this.behind.push(undo)
      return this.later(mount, KERNEL_MS, () => {})
    }
    const batch: Pending = { number: this.issued++, undo, done: undefined }
    this.pending.push(batch)
    this.tell('asked', undo, sync)
    const meanMs = this.meanMs ?? this.parts.meanMs
    const due = Math.max(clock.now() + SYNC_MS + rng.exp(meanMs), this.lastSync)
    this.lastSync = due
    clock.at(due, () => this.complete(batch.number))
    if (!sync) return this.later(mount, KERNEL_MS, () => {})
    return new Promise(resolve => {
      batch.done = () => {
        if (!mount.alive) return
        this.tell('durable', undo, sync)
        this.parts.settled()
        resolve()
      }
    })
  }

  /** Durable up to and with this batch. What a crash has undone is no longer there. */
  private complete(number: number): void {
    const { pending } = this
    while (pending[0] !== undefined && pending[0].number <= number) pending.shift()?.done?.()
  }

  /** Settles in so many virtual milliseconds, unless the process is gone by then. */
  private later<T>(mount: { readonly alive: boolean }, ms: number, act: () => T): Promise<T> {
    const { clock, settled } = this.parts
    return new Promise((resolve, reject) => {
      clock.at(clock.now() + ms, () => {
        if (!mount.alive) return
        settled()
        try {
          resolve(act())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  private tell(phase: 'asked' | 'durable', undo: Undo, sync: boolean): void {
    const { edge, node } = this.parts
    if (edge === undefined) return
    const rooms = new Set(undo.map(([room]) => room.name))
    for (const room of rooms) edge({ type: 'stored', node, room, sync, phase })
  }
}

function noSpace(): never {
  throw new Error('IO error: no space left on device')
}
