import {
  type Ban,
  CodedError,
  decodeRecord,
  encodeRecord,
  layout,
  limits,
  type PeerId,
  type Range,
  type Store,
  type Subject,
  toHex,
  type Write,
} from '@rockpool/protocol'
import { keyOf } from './ban-book.ts'
import type { ChargeKey, LoggedCharge } from './charge-log.ts'
import type { GroupRecord } from './groups.ts'
import { isHistory } from './history.ts'
import type { PeerRecord, StoredRecord } from './reputation.ts'

const { bytes, integer, list, number, text, tuple } = layout
const idText = text(128)
const chargeText = text(limits.chargeTextBytesMax)
/** More than any history takes. */
const historyBytesMax = 65_536

/** Debit, its instant and its proved part, credit and its instant, frozen until, credit from, quarantined since, first and last seen, groups, history. */
const peerRecord = {
  version: 2,
  slots: [
    ...[number, number, number, number, number, number, number, number, number, number],
    list(chargeText, limits.reputationGroupsOfPeerMax),
    bytes(0, historyBytesMax),
  ],
} as const
/** Last seen, offences, banned ids and when, instants of bans. */
const groupRecord = {
  version: 1,
  slots: [
    ...[number, number],
    list(tuple(idText, number), limits.groupIdsMax),
    list(number, limits.groupBansMax),
  ],
} as const
/** Peer, reason, detail, evidence, delta, own score after it, the router's part, whether suspended. */
const logRecord = {
  version: 1,
  slots: [
    ...[idText, chargeText, chargeText, chargeText],
    ...[number, number, number, integer(0, 1)],
  ],
} as const
const kinds = ['peer', 'ip', 'subnet'] as const
const deciders = ['monitor', 'urgent', 'operator'] as const
const causes = ['expired', 'operator'] as const
/** Kind, value, from, until (0: none), reason, evidence, count, by, note, ended at (0: not), its cause, earlier ends. */
const banRecord = {
  version: 1,
  slots: [
    integer(0, 2),
    idText,
    number,
    number,
    chargeText,
    list(chargeText, limits.banEvidenceMax),
    integer(0, limits.banEarlierMax),
    integer(0, 2),
    text(limits.banNoteBytesMax),
    number,
    integer(0, 1),
    list(number, limits.banEarlierMax),
  ],
} as const

const bytesOf = (words: string) => new TextEncoder().encode(words)
const peerPrefix = 'rp'
const groupPrefix = 'ri'
const logPrefix = 'l'
const banPrefix = 'b'

const keyOfText = (prefix: string, name: string): Uint8Array => bytesOf(`${prefix}${name}`)
const nameOf = (prefix: string, key: Uint8Array): string =>
  new TextDecoder().decode(key).slice(prefix.length)
const banKey = (subject: Subject): Uint8Array => bytesOf(`${banPrefix}${keyOf(subject)}`)

/** What is on disk of the monitor's: read once, before the network starts. */
export interface StoredPeers {
  readonly records: readonly (readonly [PeerId, StoredRecord])[]
  readonly bans: readonly Ban[]
  readonly groups: readonly (readonly [string, GroupRecord])[]
  /** Charges of all peers, oldest first. */
  readonly log: readonly LoggedCharge[]
}

/** Throws `store/corrupt` with the key of a record that does not decode: a ban that cannot be read must not be a ban that is over. */
export async function loadPeers(store: Store): Promise<StoredPeers> {
  const read = async <T>(prefix: string, one: (entry: Stored) => T): Promise<T[]> => {
    const all: T[] = []
    for await (const entry of entries(store, prefix)) all.push(one(entry))
    return all
  }
  return {
    records: await read(peerPrefix, readPeer),
    bans: await read(banPrefix, readBan),
    groups: await read(groupPrefix, readGroup),
    log: await read(logPrefix, readLog),
  }
}

/** The write that makes the disk say what memory says. */
export function peerWrite(id: PeerId, record: Readonly<PeerRecord> | undefined): Write {
  const key = keyOfText(peerPrefix, id)
  if (!record) return { type: 'del', key }
  const value = encodeRecord(peerRecord, [
    ...([record.debit, record.debitAtMs, record.proven] as const),
    ...([record.credit, record.creditAtMs] as const),
    ...([record.frozenUntilMs, record.creditFromMs, record.quarantinedMs] as const),
    ...([record.firstSeenMs, record.lastSeenMs] as const),
    record.groups,
    record.history.packed(),
  ])
  return { type: 'put', key, value }
}

/** Likewise for an IP group. */
export function groupWrite(group: string, record: Readonly<GroupRecord> | undefined): Write {
  const key = keyOfText(groupPrefix, group)
  if (!record) return { type: 'del', key }
  const { lastSeenMs, offences, ids, bans } = record
  return {
    type: 'put',
    key,
    value: encodeRecord(groupRecord, [
      lastSeenMs,
      offences,
      ids.map(([id, atMs]): [PeerId, number] => [id, atMs]),
      bans,
    ]),
  }
}

/** Likewise for one charge; without it the one of that instant and number goes. */
export function logWrite(at: ChargeKey, charge: LoggedCharge | undefined): Write {
  const key = logKey(at)
  if (!charge) return { type: 'del', key }
  const { peer, reason, detail, evidence, delta, own, gossip, suspended } = charge
  const value = encodeRecord(logRecord, [
    ...([peer, reason, detail, evidence, delta, own, gossip, suspended ? 1 : 0] as const),
  ])
  return { type: 'put', key, value }
}

/** In the order of time. */
function logKey({ atMs, number: sequence }: ChargeKey): Uint8Array {
  const key = Buffer.alloc(logPrefix.length + 12)
  let at = key.write(logPrefix)
  at = key.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(atMs))), at)
  key.writeUInt32BE(sequence >>> 0, at)
  return new Uint8Array(key)
}

/** Likewise for the ban of a subject. */
export function banWrite(subject: Subject, ban: Ban | undefined): Write {
  const key = banKey(subject)
  if (!ban) return { type: 'del', key }
  const value = encodeRecord(banRecord, [
    kinds.indexOf(ban.subject.kind),
    ban.subject.value,
    ban.fromMs,
    ban.untilMs ?? 0,
    ban.reason,
    ban.evidence,
    ban.count,
    deciders.indexOf(ban.by),
    ban.note ?? '',
    ban.ended?.atMs ?? 0,
    ban.ended ? causes.indexOf(ban.ended.cause) : 0,
    ban.earlier,
  ])
  return { type: 'put', key, value }
}

interface Stored {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

function readPeer({ key, value }: Stored): readonly [PeerId, StoredRecord] {
  const decoded = decodeRecord(peerRecord, value)
  if (!decoded.ok) throw corrupt(key)
  const [debit, debitAtMs, proven, credit, creditAtMs, ...rest] = decoded.value
  const [frozenUntilMs, creditFromMs, quarantinedMs, firstSeenMs, lastSeenMs, ...last] = rest
  const [groups, history] = last
  if (!isHistory(history)) throw corrupt(key)
  return [
    nameOf(peerPrefix, key),
    {
      ...{ debit, debitAtMs, proven, credit, creditAtMs, frozenUntilMs, creditFromMs },
      ...{ quarantinedMs, firstSeenMs, lastSeenMs, groups, history },
    },
  ]
}

function readGroup({ key, value }: Stored): readonly [string, GroupRecord] {
  const decoded = decodeRecord(groupRecord, value)
  if (!decoded.ok) throw corrupt(key)
  const [lastSeenMs, offences, ids, bans] = decoded.value
  return [nameOf(groupPrefix, key), { lastSeenMs, offences, ids, bans }]
}

function readLog({ key, value }: Stored): LoggedCharge {
  const decoded = decodeRecord(logRecord, value)
  if (!decoded.ok || key.length !== logPrefix.length + 12) throw corrupt(key)
  const [peer, reason, detail, evidence, delta, own, gossip, suspended] = decoded.value
  const words = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return {
    atMs: Number(words.readBigUInt64BE(logPrefix.length)),
    number: words.readUInt32BE(logPrefix.length + 8),
    ...{ peer, reason, detail, evidence, delta, own, gossip },
    ...(suspended === 1 && { suspended: true }),
  }
}

function readBan({ key, value }: Stored): Ban {
  const decoded = decodeRecord(banRecord, value)
  if (!decoded.ok) throw corrupt(key)
  const [kind, subject, fromMs, until, reason, evidence, count, by, note, ended, cause, earlier] =
    decoded.value
  return {
    subject: { kind: kinds[kind as 0 | 1 | 2], value: subject },
    fromMs,
    untilMs: until === 0 ? null : until,
    ...{ reason, evidence, count, earlier },
    by: deciders[by as 0 | 1 | 2],
    ...(note !== '' && { note }),
    ...(ended !== 0 && { ended: { atMs: ended, cause: causes[cause as 0 | 1] } }),
  }
}

function corrupt(key: Uint8Array): CodedError {
  return new CodedError(
    'store/corrupt',
    `store/corrupt: p2p ${toHex(key)}; start with --p2p.ban.persistence memory`,
  )
}

async function* entries(store: Store, prefix: string) {
  const first = bytesOf(prefix)
  const end = first.slice()
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1
  const limit = limits.storeScanDefault
  for (let gte = first; ; ) {
    const range: Range = { gte, lt: end, limit }
    const page = await store.scan(range)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < limit) return
    gte = new Uint8Array([...last.key, 0])
  }
}
