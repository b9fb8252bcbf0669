import type { Clock, Rng } from '@rockpool/actor'
import { CodedError, limits, type Range, type Store, type Write } from '@rockpool/protocol'
import type { Edge } from './api.ts'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One room of the database: what a read finds now. */
interface Room {
  readonly name: string
  readonly entries: Map<string, Entry>
  sorted: readonly Entry[] | undefined
  readonly corrupt: Set<string>
}

/** A batch that a crash may still undo. */
interface Pending {
  readonly number: number
  readonly room: Room
  /** What was there before, newest last. */
  readonly before: readonly (readonly [id: string, entry: Entry | undefined])[]
  /** Told when it is durable; absent for a batch that nobody waits for. */
  done: (() => void) | undefined
}

/** One process's access to the disk. Ends with it. */
export interface Mount {
  store(room: string): Store
  /** From now on everything rejects with `store/closed`. */
  close(): void
  /** Nothing asked before settles any more. */
  kill(): void
}

export interface DiskParts {
  readonly clock: Pick<Clock, 'now' | 'at'>
  readonly rng: Rng
  readonly node: number
  readonly meanMs: number
  settled(): void
  count(what: string): void
  edge?: ((edge: Edge) => void) | undefined
}

const SYNC_MS = 0.2
const READ_MS = 0.02
const KERNEL_MS = 0.05

/**
 * The database of one machine; survives its node. A batch changes what is read at once and is durable a drawn time later, in order: a crash
 * keeps a prefix of what was not. A batch is atomic, as LevelDB's is: a torn one is dropped whole when the database is opened again.
 */
export class Disk {
  meanMs: number | undefined
  full = false
  private readonly parts: DiskParts
  private readonly rooms = new Map<string, Room>()
  private pending: Pending[] = []
  private issued = 0
  private lastSync = 0

  constructor(parts: DiskParts) {
    this.parts = parts
  }

  get damaged(): boolean {
    return this.full || [...this.rooms.values()].some(({ corrupt }) => corrupt.size > 0)
  }

  get unsynced(): number {
    return this.pending.length
  }

  mount(): Mount {
    const mount = { alive: true, open: true }
    return {
      store: name => this.storeOf(this.room(name), mount),
      close() {
        mount.open = false
      },
      kill() {
        mount.alive = false
      },
    }
  }

  /** Power is gone: a drawn prefix of what was not durable remains. Returns how many batches were lost. */
  crash(): number {
    const kept = this.parts.rng.int(this.pending.length + 1)
    const lost = this.pending.splice(kept)
    for (const { room, before } of lost.reverse()) {
      for (const [id, entry] of [...before].reverse()) {
        if (entry === undefined) room.entries.delete(id)
        else room.entries.set(id, entry)
      }
      room.sorted = undefined
    }
    this.pending = []
    for (let count = 0; count < lost.length; count++) this.parts.count('batches lost')
    return lost.length
  }

  /** Everything written is durable: the process ended in order. */
  flush(): void {
    this.complete(this.issued)
  }

  /** This record cannot be read any more; without a key one that is drawn. */
  corrupt(name: string, key?: Uint8Array): void {
    const room = this.room(name)
    const id = key === undefined ? this.parts.rng.pick([...room.entries.keys()]) : idOf(key)
    if (id !== undefined) room.corrupt.add(id)
  }

  /** Ends faults; corrupt records stay. */
  heal(): void {
    this.full = false
    this.meanMs = undefined
  }

  private room(name: string): Room {
    let room = this.rooms.get(name)
    if (room === undefined) {
      room = { name, entries: new Map(), sorted: [], corrupt: new Set() }
      this.rooms.set(name, room)
    }
    return room
  }

  private storeOf(room: Room, mount: { alive: boolean; open: boolean }): Store {
    const { parts } = this
    /** Settles in so many virtual milliseconds, unless the process is gone by then. */
    const later = <T>(ms: number, act: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        if (!mount.alive) return
        parts.clock.at(parts.clock.now() + ms, () => {
          if (!mount.alive) return
          parts.settled()
          try {
            resolve(act())
          } catch (error) {
            reject(error)
          }
        })
      })
    /** What is found is found when asked; the answer comes later. */
    const read = <T>(act: () => T): Promise<T> => {
      if (!mount.open) return later(READ_MS, refused)
      let found: () => T
      try {
        const value = act()
        found = () => value
      } catch (error) {
        found = () => {
          throw error
        }
      }
      return later(READ_MS, found)
    }
    return {
      get: key => read(() => valueOf(room, key)),
      getMany: keys => read(() => keys.map(key => valueOf(room, key))),
      scan: range => read(() => scan(room, range)),
      batch: (writes, options) => {
        if (!mount.open) return later(KERNEL_MS, refused)
        if (this.full) {
          return later(KERNEL_MS, () => {
            throw new CodedError('store/full')
          })
        }
        return this.write(room, writes, options?.sync ?? false, mount, later)
      },
    }
  }

  private write(
    room: Room,
    writes: readonly Write[],
    sync: boolean,
    mount: { readonly alive: boolean },
    later: (ms: number, act: () => void) => Promise<void>,
  ): Promise<void> {
    const { clock, rng, edge, node } = this.parts
    const number = this.issued++
    const batch: Pending = { number, room, before: apply(room, writes), done: undefined }
    this.pending.push(batch)
    const keys = edge === undefined ? [] : writes.map(({ key }) => copyOf(key))
    const told = (phase: 'asked' | 'durable') =>
      edge?.({ type: 'stored', node, room: room.name, sync, phase, keys })
    told('asked')
    const meanMs = this.meanMs ?? this.parts.meanMs
    const due = Math.max(clock.now() + SYNC_MS + rng.exp(meanMs), this.lastSync)
    this.lastSync = due
    clock.at(due, () => this.complete(number))
    if (!sync) return later(KERNEL_MS, () => {})
    return new Promise(resolve => {
      batch.done = () => {
        if (!mount.alive) return
        told('durable')
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
}

function refused(): never {
  throw new CodedError('store/closed')
}

function apply(room: Room, writes: readonly Write[]): [string, Entry | undefined][] {
  const before: [string, Entry | undefined][] = []
  for (const write of writes) {
    const id = idOf(write.key)
    const old = room.entries.get(id)
    before.push([id, old])
    if (write.type === 'put') {
      room.entries.set(id, { key: copyOf(write.key), value: copyOf(write.value) })
      room.corrupt.delete(id)
    } else room.entries.delete(id)
    room.sorted = undefined
  }
  return before
}

function valueOf(room: Room, key: Uint8Array): Uint8Array | undefined {
  const id = idOf(key)
  checkReadable(room, id)
  const entry = room.entries.get(id)
  return entry === undefined ? undefined : copyOf(entry.value)
}

function checkReadable(room: Room, id: string): void {
  if (!room.corrupt.has(id)) return
  const key = Buffer.from(id, 'latin1').toString('hex')
  throw new CodedError('store/corrupt', `store/corrupt: ${room.name} ${key}`)
}

function scan(room: Room, range: Range): readonly Entry[] {
  const { gte, lt, reverse = false, limit = limits.storeScanDefault } = range
  room.sorted ??= [...room.entries.values()].sort((a, b) => Buffer.compare(a.key, b.key))
  const all = room.sorted
  const from = gte === undefined ? 0 : firstAtLeast(all, gte)
  const end = lt === undefined ? all.length : firstAtLeast(all, lt)
  const wanted = all.slice(from, Math.max(from, end))
  if (reverse) wanted.reverse()
  return wanted.slice(0, limit).map(({ key, value }) => {
    checkReadable(room, idOf(key))
    return { key: copyOf(key), value: copyOf(value) }
  })
}

function firstAtLeast(sorted: readonly Entry[], key: Uint8Array): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Buffer.compare((sorted[middle] as Entry).key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

const idOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** A copy that is a plain Uint8Array, whatever came in. */
const copyOf = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes)
