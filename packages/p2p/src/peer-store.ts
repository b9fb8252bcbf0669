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
import type { PeerRecord } from './reputation.ts'

const { integer, list, number, text, tuple } = layout
const idText = text(128)
const chargeText = text(limits.chargeTextBytesMax)

/** At, reason, delta, total, detail, evidence. */
const historySlot = tuple(number, chargeText, number, number, chargeText, chargeText)
type HistorySlot = layout.ValueOf<typeof historySlot>
/** Debit and its instant, credit and its instant, frozen until, credit from, first and last seen, history. */
const peerRecord = {
  version: 1,
  slots: [
    ...[number, number, number, number, number, number, number, number],
    list(historySlot, limits.reputationHistoryMax),
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
const banPrefix = 'b'

const peerKey = (id: PeerId): Uint8Array => bytesOf(`${peerPrefix}${id}`)
const banKey = (subject: Subject): Uint8Array => bytesOf(`${banPrefix}${keyOf(subject)}`)

/** What is on disk of the monitor's: read once, before the network starts. */
export interface StoredPeers {
  readonly records: readonly (readonly [PeerId, PeerRecord])[]
  readonly bans: readonly Ban[]
}

/** Throws `store/corrupt` with the key of a record that does not decode: a ban that cannot be read must not be a ban that is over. */
export async function loadPeers(store: Store): Promise<StoredPeers> {
  const records: (readonly [PeerId, PeerRecord])[] = []
  for await (const { key, value } of entries(store, peerPrefix)) {
    const id = new TextDecoder().decode(key).slice(peerPrefix.length)
    records.push([id, readPeer(key, value)])
  }
  const bans: Ban[] = []
  for await (const { key, value } of entries(store, banPrefix)) bans.push(readBan(key, value))
  return { records, bans }
}

/** The write that makes the disk say what memory says. */
export function peerWrite(id: PeerId, record: Readonly<PeerRecord> | undefined): Write {
  const key = peerKey(id)
  if (!record) return { type: 'del', key }
  const { debit, debitAtMs, credit, creditAtMs, frozenUntilMs, creditFromMs } = record
  const { firstSeenMs, lastSeenMs, history } = record
  const value = encodeRecord(peerRecord, [
    ...([debit, debitAtMs, credit, creditAtMs, frozenUntilMs, creditFromMs] as const),
    ...([firstSeenMs, lastSeenMs] as const),
    history.map(
      (entry): HistorySlot => [
        entry.atMs,
        entry.reason,
        entry.delta,
        entry.total,
        entry.detail,
        entry.evidence,
      ],
    ),
  ])
  return { type: 'put', key, value }
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

function readPeer(key: Uint8Array, value: Uint8Array): PeerRecord {
  const decoded = decodeRecord(peerRecord, value)
  if (!decoded.ok) throw corrupt(key)
  const [debit, debitAtMs, credit, creditAtMs, frozenUntilMs, creditFromMs, first, last, rows] =
    decoded.value
  const history = rows.map(([atMs, reason, delta, total, detail, evidence]) => ({
    ...{ atMs, reason, delta, total, detail, evidence },
  }))
  return {
    ...{ debit, debitAtMs, credit, creditAtMs, frozenUntilMs, creditFromMs, history },
    ...{ firstSeenMs: first, lastSeenMs: last },
  }
}

function readBan(key: Uint8Array, value: Uint8Array): Ban {
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
