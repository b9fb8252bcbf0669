import { limits, type Store } from '@rockpool/protocol'
import type { OpenBlob, Opened } from './blob.ts'
import type { HomeBlock, HomeTx } from './home.ts'
import { pages, readRows } from './reading.ts'
import { type AppointmentRow, keyIn, rangeOf, type UserRow } from './rows.ts'
import { locatorOf, plainHex, u32 } from './signing.ts'

/** A row whose transaction is in the block, and what it hid. */
interface Found {
  readonly row: AppointmentRow
  readonly tx: HomeTx
  readonly opened: Opened
}

export interface Gathered {
  readonly found: readonly Found[]
  /** Rows of users whose time is over, and rows whose own end has come. */
  readonly outdated: readonly AppointmentRow[]
  readonly ended: readonly AppointmentRow[]
  /** There are more rows to expire than one write should hold. */
  readonly more: boolean
}

const rowsPerWrite = 10_000

/** Everything a block needs of the disk. It was seen that all earlier writes are there. */
export async function gather(parts: {
  readonly store: Store
  readonly open: OpenBlob
  readonly block: HomeBlock
  readonly hits: readonly HomeTx[]
  readonly outdated: readonly UserRow[]
  /** Rows with an end below this height go. */
  readonly endsBelow: number
}): Promise<Gathered> {
  const { store } = parts
  const outdated: AppointmentRow[] = []
  let more = false
  for (const { user } of parts.outdated) {
    for await (const page of pages(store, rangeOf('owned', user), limits.towerRowsPerTurn)) {
      if (outdated.length >= rowsPerWrite) {
        more = true
        break
      }
      const rows = await readRows(
        store,
        page.map(({ key }) => key.slice(34)),
      )
      outdated.push(...rows.filter(({ phase }) => phase !== 'tracked'))
    }
    if (more) break
  }
  const ended: AppointmentRow[] = []
  const ending = { gte: rangeOf('ending').gte, lt: keyIn('ending', u32(parts.endsBelow)) }
  for await (const page of pages(store, ending, limits.towerRowsPerTurn)) {
    if (ended.length >= rowsPerWrite) {
      more = true
      break
    }
    const rows = await readRows(
      store,
      page.map(({ key }) => key.slice(5)),
    )
    ended.push(...rows.filter(({ phase, end }) => phase !== 'tracked' && end < parts.endsBelow))
  }
  const found: Found[] = []
  for (const tx of parts.hits) found.push(...(await openAll(store, parts.open, tx)))
  return { found, outdated, ended, more }
}

/** Every row that waits for this transaction, each distinct blob opened once. A bad one never stops the others. */
async function openAll(store: Store, open: OpenBlob, tx: HomeTx): Promise<Found[]> {
  const found: Found[] = []
  const opened = new Map<string, Opened>()
  const range = rangeOf('locator', locatorOf(tx.txid))
  for await (const page of pages(store, range, limits.towerRowsPerTurn)) {
    const waiting = page.filter(({ value }) => value[0] === 0).map(({ key }) => key.slice(17))
    for (const row of await readRows(store, waiting)) {
      const name = plainHex(row.blob)
      const known = opened.get(name) ?? open(row.blob, tx.txid)
      opened.set(name, known)
      found.push({ row, tx, opened: known })
    }
  }
  return found
}
