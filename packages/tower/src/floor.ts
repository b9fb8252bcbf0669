import type { Context, Typed } from '@rockpool/actor'
import type {
  AppointmentPhase,
  Fact,
  Store,
  TowerCrypto,
  TowerKey,
  WatcherMessage,
  Write,
} from '@rockpool/protocol'
import type { CommitMessage } from './commits.ts'
import type { TowerConfig } from './config.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { Home } from './home.ts'
import type { LocatorCache } from './locator-cache.ts'
import type { LocatorIndex } from './locator-index.ts'
import { type AppointmentRow, type ClosedRow, encodeClosed, encodeRow, keyIn } from './rows.ts'
import { messageDigest, plainHex, u32 } from './signing.ts'
import { toZbase32 } from './zbase32.ts'

/** What only the watcher tells itself. */
export type ToWatcher =
  | CommitMessage<'watcher.stored'>
  | { type: 'watcher.then'; then: () => void }
  | { type: 'watcher.retry' }
  | { type: 'watcher.reload' }

export type WatcherContext = Context<WatcherMessage | ToWatcher, Fact & Typed>

export interface WatcherParts {
  readonly config: TowerConfig
  readonly crypto: TowerCrypto
  readonly key: TowerKey
  readonly store: Store
  readonly home: Home
}

/** What the watcher's flows share between turns. */
export interface Floor {
  readonly parts: WatcherParts
  readonly gate: Gatekeeper
  readonly index: LocatorIndex
  readonly cache: LocatorCache
  readonly counts: Record<AppointmentPhase, number>
  /** Rows decided about since the block in hand was begun: the block leaves them alone, for they knew of it. */
  readonly touched: Set<string>
  /** The last block that is on disk with its effects. */
  height: number
}

export function createFloor(
  parts: WatcherParts,
  gate: Gatekeeper,
  index: LocatorIndex,
  cache: LocatorCache,
): Floor {
  return {
    ...{ parts, gate, index, cache },
    counts: { watched: 0, tracked: 0, closed: 0 },
    touched: new Set(),
    height: 0,
  }
}

/** Rows of own users, whatever their phase. */
export function rowsOf({ counts }: Floor): number {
  return counts.watched + counts.tracked + counts.closed
}

/** Nothing waits and nothing is answered: blocks need not be compared. */
export function isAsleep({ counts }: Floor): boolean {
  return counts.watched + counts.tracked === 0
}

/** A row in the place of what was there, with its keys; the counts follow. */
export function putRow(floor: Floor, row: AppointmentRow, before?: AppointmentRow): Write[] {
  const { uuid, user, locator, phase, end } = row
  if (before === undefined) floor.index.add(locator)
  else floor.counts[before.phase] -= 1
  floor.counts[phase] += 1
  const writes: Write[] = [{ type: 'put', key: keyIn('row', uuid), value: encodeRow(row) }]
  const mark = phase === 'watched' ? 0 : phase === 'tracked' ? 1 : 2
  if (before?.phase !== phase)
    writes.push({
      type: 'put',
      key: keyIn('locator', locator, uuid),
      value: Uint8Array.of(mark),
    })
  if (before === undefined)
    writes.push({ type: 'put', key: keyIn('owned', user, uuid), value: locator })
  if (before !== undefined && before.end !== 0 && before.end !== end)
    writes.push({ type: 'del', key: keyIn('ending', u32(before.end), uuid) })
  if (end !== 0)
    writes.push({ type: 'put', key: keyIn('ending', u32(end), uuid), value: new Uint8Array(0) })
  if (before?.phase === 'closed' && phase !== 'closed')
    writes.push({ type: 'del', key: keyIn('closed', uuid) })
  return writes
}

/** The row becomes a record of why it can act no more. */
export function closeRow(
  floor: Floor,
  row: AppointmentRow,
  why: ClosedRow,
  before?: AppointmentRow,
): Write[] {
  return [
    ...putRow(floor, { ...row, phase: 'closed' }, before),
    { type: 'put', key: keyIn('closed', row.uuid), value: encodeClosed(why) },
  ]
}

/** The row and everything that hangs on it goes, in one batch. */
export function deleteRow(floor: Floor, row: AppointmentRow): Write[] {
  const { uuid, user, locator, phase, end } = row
  floor.index.remove(locator)
  floor.counts[phase] -= 1
  const keys = [keyIn('row', uuid), keyIn('locator', locator, uuid), keyIn('owned', user, uuid)]
  if (end !== 0) keys.push(keyIn('ending', u32(end), uuid))
  if (phase === 'closed') keys.push(keyIn('closed', uuid))
  if (phase === 'tracked') keys.push(keyIn('tracker', uuid), keyIn('raws', uuid))
  return keys.map(key => ({ type: 'del', key }))
}

/** The tower's signature over a message, as clients read it. */
export function towerSignature({ parts: { crypto, key } }: Floor, message: Uint8Array): string {
  return toZbase32(key.sign(messageDigest(crypto.sha256, message)))
}

export const nameOf = (uuid: Uint8Array): string => plainHex(uuid)
