import {
  addressOf,
  decodeRecord,
  encodeRecord,
  fromHex,
  type Hash,
  hashOf,
  layout,
  limits,
  type Store,
  type StoryEvent,
  type StoryWord,
  type TxOrigin,
  type TxType,
  type Write,
} from '@rockpool/protocol'
import type { Gist } from './story-pack.ts'

/** The story of an own transaction as it lies on disk. */
export interface StoryRow {
  readonly tx: Gist
  readonly origin: TxOrigin
  readonly block: number
  readonly by?: Hash | undefined
  readonly replaced?: Hash | undefined
  readonly mined?:
    | { readonly number: number; readonly index: number; readonly hash: Hash }
    | undefined
  readonly message?: string | undefined
  readonly events: readonly StoryEvent[]
}

const { bytes, integer, list, number, quantity, text, tuple } = layout
const event = tuple(number, text(32), text(64))
/** Sender, nonce, type, fee cap, tip, gas, cost, slots, size; origin, head; by, replaced; block mined in; message; events. */
const wholeRecord = {
  version: 1,
  slots: [
    tuple(bytes(0, 20), quantity(8), integer(0, 4), quantity(32), quantity(32), quantity(8)),
    tuple(quantity(64), integer(1, 4), number),
    tuple(text(16), number),
    tuple(bytes(0, 32), bytes(0, 32)),
    tuple(number, number, bytes(0, 32)),
    text(1_024),
    list(event, limits.storyEventsMax),
  ],
} as const

const prefix = new TextEncoder().encode('s/')
const range = { gte: prefix, lt: new TextEncoder().encode('s0') }
const noBytes = new Uint8Array(0)

function storyKey(hash: Hash): Uint8Array {
  return new Uint8Array([...prefix, ...fromHex(hash)])
}

export function putStory({
  tx,
  origin,
  block,
  by,
  replaced,
  mined,
  message,
  events,
}: StoryRow): Write {
  const { hash, sender, nonce, type, feeCap, tip, gas, cost, slots, size } = tx
  const value = encodeRecord(wholeRecord, [
    [sender === undefined ? noBytes : fromHex(sender), nonce, type, feeCap, tip, gas],
    [cost, slots, size],
    [origin, block],
    [bytesOf(by), bytesOf(replaced)],
    [mined?.number ?? 0, mined?.index ?? 0, bytesOf(mined?.hash)],
    (message ?? '').slice(0, 300),
    events.map(({ at, event: word, reason = '' }) => [at, word, reason] as const),
  ])
  return { type: 'put', key: storyKey(hash), value }
}

export function deleteStory(hash: Hash): Write {
  return { type: 'del', key: storyKey(hash) }
}

/** Every story on disk, oldest first. One that does not decode is left out: nothing is promised about stories. */
export async function readStories(store: Store): Promise<readonly StoryRow[]> {
  const rows: StoryRow[] = []
  for (let from = range.gte; ; ) {
    const page = await store.scan({ gte: from, lt: range.lt, limit: limits.storeScanDefault })
    for (const { key, value } of page) {
      const row = rowOf(key, value)
      if (row !== undefined) rows.push(row)
    }
    const last = page[page.length - 1]
    if (last === undefined || page.length < limits.storeScanDefault) break
    from = new Uint8Array([...last.key, 0])
  }
  return rows.sort((left, right) => lastAt(left) - lastAt(right))
}

const lastAt = ({ events }: StoryRow): number => events.at(-1)?.at ?? 0

function rowOf(key: Uint8Array, value: Uint8Array): StoryRow | undefined {
  const decoded = decodeRecord(wholeRecord, value)
  if (!decoded.ok || key.length !== prefix.length + 32) return undefined
  const [
    who,
    measures,
    [origin, block],
    [by, replaced],
    [height, index, minedHash],
    message,
    events,
  ] = decoded.value
  const [sender, nonce, type, feeCap, tip, gas] = who
  const [cost, slots, size] = measures
  const mined = hashIn(minedHash)
  return {
    tx: {
      hash: hashOf(key.slice(prefix.length)),
      ...(sender.length === 20 && { sender: addressOf(sender) }),
      ...{ nonce, type: type as TxType, feeCap, tip, gas, cost, slots, size },
    },
    origin: origin as TxOrigin,
    block,
    by: hashIn(by),
    replaced: hashIn(replaced),
    ...(mined !== undefined && { mined: { number: height, index, hash: mined } }),
    ...(message !== '' && { message }),
    events: events.map(([at, word, reason]) => ({
      ...{ at, event: word as StoryWord },
      ...(reason !== '' && { reason }),
    })),
  }
}

const bytesOf = (hash: Hash | undefined): Uint8Array =>
  hash === undefined ? noBytes : fromHex(hash)
const hashIn = (raw: Uint8Array): Hash | undefined => (raw.length === 32 ? hashOf(raw) : undefined)
