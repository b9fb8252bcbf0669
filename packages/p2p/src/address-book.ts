import {
  type Addr,
  decodeRecord,
  encodeRecord,
  layout,
  limits,
  type PeerId,
  type Write,
} from '@rockpool/protocol'

const { list, number, text } = layout

/** Addresses, when it was good last, until when it is left alone, refusals in a row. Epoch ms; 0: never, not. */
const keptRecord = {
  version: 1,
  slots: [list(text(256), limits.peerAddrsMax), number, number, number],
} as const

const prefix = 'g'

interface Kept {
  /** Empty for a peer that is only left alone. */
  readonly addrs: readonly Addr[]
  readonly goodMs: number
  readonly coolUntilMs: number
  readonly refusals: number
}

const nobody: Kept = { addrs: [], goodMs: 0, coolUntilMs: 0, refusals: 0 }

export interface Candidate {
  readonly id: PeerId
  readonly addrs: readonly Addr[]
  readonly source: 'good' | 'heard'
}

export type AddressBook = ReturnType<typeof createAddressBook>

/**
 * Whom this node could dial besides its configuration: peers that were good when they were here last, and peers that others have named. Who
 * names many is asked no more often than who names one, and what it names counts up to sixteen. Instants are epoch ms.
 */
export function createAddressBook(int: (n: number) => number) {
  const kept = new Map<PeerId, Kept>()
  const heard = new Map<PeerId, Map<PeerId, readonly Addr[]>>()
  const dirty = new Set<PeerId>()

  function change(id: PeerId, next: Partial<Kept>): void {
    const now = { ...(kept.get(id) ?? nobody), ...next }
    kept.delete(id)
    if (now.goodMs > 0 || now.coolUntilMs > 0) kept.set(id, now)
    dirty.add(id)
    if (kept.size <= limits.coolDownsMax) return
    for (const oldest of kept.keys()) {
      kept.delete(oldest)
      dirty.add(oldest)
      return
    }
  }

  /** This peer is good, and can be dialled there. */
  function good(id: PeerId, addrs: readonly Addr[], nowMs: number): void {
    change(id, { addrs: addrs.slice(0, limits.peerAddrsMax), goodMs: nowMs })
    const all = [...kept].filter(([, { goodMs }]) => goodMs > 0)
    if (all.length <= limits.goodPeersMax) return
    const [oldest] = all.sort(([, left], [, right]) => left.goodMs - right.goodMs)
    if (oldest) change(oldest[0], { addrs: [], goodMs: 0 })
  }

  /** Peers that `teller` names, in the place of those it named before. */
  function hear(teller: PeerId, named: readonly Omit<Candidate, 'source'>[]): void {
    heard.delete(teller)
    heard.set(
      teller,
      new Map(named.slice(0, limits.exchangePeersMax).map(({ id, addrs }) => [id, addrs])),
    )
    if (heard.size <= limits.tellersMax) return
    for (const oldest of heard.keys()) {
      heard.delete(oldest)
      return
    }
  }

  /** Nothing is dialled there for so long; `refused` in a row makes it longer the next time. */
  function cool(id: PeerId, ms: number, refused: boolean, nowMs: number): void {
    const refusals = refused ? (kept.get(id)?.refusals ?? 0) + 1 : 0
    if (ms > 0) change(id, { coolUntilMs: nowMs + ms, refusals })
  }

  const isCool = (id: PeerId, nowMs: number): boolean => (kept.get(id)?.coolUntilMs ?? 0) > nowMs

  /** Somebody to dial; good peers first, then one of a teller drawn at random. */
  function pick(may: (candidate: Candidate) => boolean, nowMs: number): Candidate | undefined {
    const isFree = (candidate: Candidate) => !isCool(candidate.id, nowMs) && may(candidate)
    const goods = [...kept]
      .filter(([, { addrs, goodMs }]) => addrs.length > 0 && nowMs - goodMs < limits.goodPeersMs)
      .map(([id, { addrs }]): Candidate => ({ id, addrs, source: 'good' }))
      .filter(isFree)
    if (goods.length > 0) return goods[int(goods.length)]
    const tellers = [...heard.values()]
      .map(named =>
        [...named].map(([id, addrs]): Candidate => ({ id, addrs, source: 'heard' })).filter(isFree),
      )
      .filter(named => named.length > 0)
    const named = tellers[int(Math.max(1, tellers.length))] ?? []
    return named[int(Math.max(1, named.length))]
  }

  /** Nobody answered there: what others said of it is forgotten, and a good peer is left alone for a while. */
  function failed(id: PeerId, ms: number, nowMs: number): void {
    for (const named of heard.values()) named.delete(id)
    if ((kept.get(id)?.goodMs ?? 0) > 0) cool(id, ms, true, nowMs)
  }

  /** It is here again. */
  function came(id: PeerId): void {
    const entry = kept.get(id)
    if (entry && entry.refusals > 0) change(id, { refusals: 0 })
  }

  return {
    good,
    hear,
    cool,
    isCool,
    pick,
    failed,
    came,
    refusals: (id: PeerId): number => kept.get(id)?.refusals ?? 0,
    get size() {
      return kept.size
    },
    /** What the disk does not say yet. */
    takeWrites(): readonly Write[] {
      const writes = [...dirty].map(writeOf)
      dirty.clear()
      return writes
    },
    /** Takes what the disk says; what does not decode is left out, it is only a hint. */
    load(entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]): void {
      for (const { key, value } of entries) {
        const decoded = decodeRecord(keptRecord, value)
        if (!decoded.ok) continue
        const [addrs, goodMs, coolUntilMs, refusals] = decoded.value
        const id = new TextDecoder().decode(key).slice(prefix.length)
        if (!kept.has(id)) kept.set(id, { addrs, goodMs, coolUntilMs, refusals })
      }
    },
  }

  function writeOf(id: PeerId): Write {
    const key = new TextEncoder().encode(`${prefix}${id}`)
    const entry = kept.get(id)
    if (entry === undefined) return { type: 'del', key }
    const { addrs, goodMs, coolUntilMs, refusals } = entry
    return {
      type: 'put',
      key,
      value: encodeRecord(keptRecord, [addrs, goodMs, coolUntilMs, refusals]),
    }
  }
}

/** Where the book stands in the store. */
export const addressBookRange = {
  gte: new TextEncoder().encode(prefix),
  lt: new TextEncoder().encode(String.fromCharCode(prefix.charCodeAt(0) + 1)),
  limit: limits.coolDownsMax,
} as const
