import { limits, type Store } from '@rockpool/protocol'
import type { Stored } from './appointments.ts'
import type { Returning } from './gatekeeper.ts'
import type { Place } from './home.ts'
import type { LocatorIndex } from './locator-index.ts'
import {
  type AppointmentRow,
  decodeBranch,
  decodeClosed,
  decodeRow,
  decodeUser,
  keyIn,
  phases,
  rangeOf,
  type Table,
  type UserRow,
} from './rows.ts'

/** A row of the disk, with its closing if it is closed; undefined when there is none that can be read. */
export async function readStored(store: Store, uuid: Uint8Array): Promise<Stored | undefined> {
  const bytes = await store.get(keyIn('row', uuid))
  const row = bytes && decodeRow(uuid, bytes)
  if (row === undefined) return undefined
  if (row.phase !== 'closed') return { row }
  const why = await store.get(keyIn('closed', uuid))
  const closed = why && decodeClosed(why)
  return closed === undefined ? { row } : { row, closed }
}

/** Entries of a range in parts, so that nobody holds them all and the loop gets its turn between. */
export async function* pages(
  store: Store,
  range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  limit: number = limits.storeScanDefault,
) {
  let { gte } = range
  for (;;) {
    const page = await store.scan({ gte, lt: range.lt, limit })
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (last === undefined || page.length < limit) return
    gte = Uint8Array.of(...last.key, 0)
  }
}

/** Rows of these ids that can be read. */
export async function readRows(
  store: Store,
  uuids: readonly Uint8Array[],
): Promise<AppointmentRow[]> {
  const found = await store.getMany(uuids.map(uuid => keyIn('row', uuid)))
  return uuids.flatMap((uuid, index) => {
    const bytes = found[index]
    const row = bytes && decodeRow(uuid, bytes)
    return row === undefined ? [] : [row]
  })
}

export interface Loaded {
  readonly users: readonly UserRow[]
  readonly returning: readonly Returning[]
  readonly counts: Record<(typeof phases)[number], number>
  readonly branch: readonly Place[]
  /** Keys of rows that could not be read; they were put aside. */
  readonly corrupt: readonly string[]
}

/** What a start needs: the index of all locators, users, and where the chain was. A row that cannot be read never stops it. */
export async function readTower(store: Store, index: LocatorIndex): Promise<Loaded> {
  const counts = { watched: 0, tracked: 0, closed: 0 }
  const users: UserRow[] = []
  const returning: Returning[] = []
  const corrupt: string[] = []
  for await (const page of pages(store, rangeOf('user'))) {
    for (const { key, value } of page) {
      const row = decodeUser(key.slice(1), value)
      if (row !== undefined) users.push(row)
      else corrupt.push(await putAside(store, key, value))
    }
  }
  for await (const page of pages(store, rangeOf('locator'))) {
    for (const { key, value } of page) {
      const phase = phases[value[0] ?? 255]
      if (phase === undefined || key.length !== 37) {
        corrupt.push(await putAside(store, key, value))
        continue
      }
      index.add(key.subarray(1, 17))
      counts[phase] += 1
    }
  }
  for await (const page of pages(store, rangeOf('returning'))) {
    for (const { key, value } of page) {
      const view = new DataView(key.buffer, key.byteOffset)
      returning.push({
        user: key.slice(1, 34),
        until: view.getUint32(34),
        slots: new DataView(value.buffer, value.byteOffset).getUint32(0),
      })
    }
  }
  const branch = await readBranch(store, 'watcher')
  return { users, returning, counts, branch, corrupt }
}

/** Where an actor was on the chain; nowhere when it never was or the row cannot be read. */
export async function readBranch(
  store: Store,
  who: 'watcher' | 'responder',
): Promise<readonly Place[]> {
  const bytes = await store.get(markOf(who))
  return (bytes && decodeBranch(bytes)) ?? []
}

export const markOf = (who: 'watcher' | 'responder'): Uint8Array =>
  keyIn('mark', new TextEncoder().encode(who))

/** Out of the way of everybody who reads, but not lost. */
async function putAside(store: Store, key: Uint8Array, value: Uint8Array): Promise<string> {
  await store.batch(
    [
      { type: 'put', key: keyIn('aside' satisfies Table, key), value },
      { type: 'del', key },
    ],
    { sync: true },
  )
  return Buffer.from(key).toString('hex')
}
