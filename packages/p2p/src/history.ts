import { limits } from '@rockpool/protocol'

/** One line of a peer's history. Times are epoch ms. */
export interface HistoryEntry {
  readonly atMs: number
  /** A charge, or `banned`, `lifted`, `quarantined`, `released`, `refunded`. */
  readonly reason: string
  /** Points as they counted. */
  readonly delta: number
  /** Debit and credit after it. */
  readonly total: number
  readonly detail: string
  readonly evidence: string
  /** Written down and not counted: this node was not well. */
  readonly suspended?: true
}

const marks: ReadonlySet<string> = new Set(['banned', 'lifted', 'quarantined', 'released'])

/** What was done about a peer, unlike what it was charged with. */
export const isMark = (reason: string): boolean => marks.has(reason)

/** Instant, delta and total, indexes of reason and detail, flags, length of the evidence. */
const entryHeadBytes = 28
const suspendedFlag = 1
/** A count of charges: index of the reason, number. */
const counterBytes = 5
const counterMax = 0xffff_ffff

/**
 * The last entries of one peer's history, oldest first, and how often it was charged with what in all. Read from its bytes when somebody looks:
 * most records of a node that starts are of peers that never come again.
 */
export class History {
  private bytes: Uint8Array | undefined
  private list: HistoryEntry[] = []
  private counts = new Map<string, number>()
  /** Of the evidence of each entry, side by side: entries themselves lie all over the heap, and looking at 64 of them costs more than all the rest. */
  private marks = new Int32Array(0)

  /** `bytes` must be well formed. */
  constructor(bytes?: Uint8Array) {
    this.bytes = bytes
  }

  get entries(): readonly HistoryEntry[] {
    this.open()
    return this.list
  }

  /** Charges by reason, also those whose entry is gone. */
  get charges(): ReadonlyMap<string, number> {
    this.open()
    return this.counts
  }

  add(entry: HistoryEntry): void {
    this.open()
    const { list, marks } = this
    if (list.push(entry) > limits.reputationHistoryMax) {
      list.shift()
      marks.copyWithin(0, 1)
    }
    marks[list.length - 1] = markOf(entry.evidence)
    const { reason } = entry
    if (isMark(reason) || reason === 'refunded') return
    const count = this.counts.get(reason) ?? 0
    if (count > 0 || this.counts.size < limits.reputationReasonsMax) {
      this.counts.set(reason, Math.min(counterMax, count + 1))
    }
  }

  /** Whether there is an entry of this reason in the `withinMs` before `nowMs`. */
  hasLately(reason: string, withinMs: number, nowMs: number): boolean {
    this.open()
    for (let index = this.list.length - 1; index >= 0; index--) {
      const entry = this.list[index] as HistoryEntry
      const sinceMs = nowMs - entry.atMs
      if (sinceMs >= withinMs) return false
      if (sinceMs >= 0 && entry.reason === reason) return true
    }
    return false
  }

  hasEvidence(evidence: string): boolean {
    this.open()
    const { list, marks } = this
    const mark = markOf(evidence)
    for (let at = marks.indexOf(mark); at !== -1; at = marks.indexOf(mark, at + 1)) {
      if (list[at]?.evidence === evidence) return true
    }
    return false
  }

  packed(): Uint8Array {
    return this.bytes ?? pack(this.list, this.counts)
  }

  private open(): void {
    if (this.marks.length > 0) return
    this.marks = new Int32Array(limits.reputationHistoryMax)
    const { bytes, list, marks } = this
    this.bytes = undefined
    if (bytes) unpack(bytes, list, this.counts)
    for (const [index, { evidence }] of list.entries()) marks[index] = markOf(evidence)
  }
}

/** 32 bits of a text (FNV-1a), never 0. */
function markOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  }
  return hash | 1
}

/** Texts, counters, entries: a table of short texts first, since most entries repeat them. */
function pack(list: readonly HistoryEntry[], counts: ReadonlyMap<string, number>): Uint8Array {
  const indexes = new Map<string, number>()
  const indexOf = (text: string): number => {
    const index = indexes.get(text) ?? indexes.size
    indexes.set(text, index)
    return index
  }
  for (const reason of counts.keys()) indexOf(reason)
  for (const { reason, detail } of list) {
    indexOf(reason)
    indexOf(detail)
  }
  const texts = [...indexes.keys()].map(text => Buffer.from(text))
  const proofs = list.map(({ evidence }) => Buffer.from(evidence))
  const size = (all: readonly Uint8Array[], each: number) =>
    all.reduce((sum, { length }) => sum + each + length, 0)
  const bytes = Buffer.alloc(
    3 + size(texts, 1) + counts.size * counterBytes + size(proofs, entryHeadBytes),
  )
  let at = 0
  const put = (text: Buffer): void => {
    at = bytes.writeUInt8(text.length, at)
    at += text.copy(bytes, at)
  }
  at = bytes.writeUInt8(texts.length, at)
  for (const text of texts) put(text)
  at = bytes.writeUInt8(counts.size, at)
  for (const [reason, count] of counts) {
    at = bytes.writeUInt8(indexOf(reason), at)
    at = bytes.writeUInt32BE(count, at)
  }
  at = bytes.writeUInt8(list.length, at)
  for (const [index, { atMs, delta, total, reason, detail, suspended }] of list.entries()) {
    for (const number of [atMs, delta, total]) at = bytes.writeDoubleBE(number, at)
    at = bytes.writeUInt8(indexOf(reason), at)
    at = bytes.writeUInt8(indexOf(detail), at)
    at = bytes.writeUInt8(suspended ? suspendedFlag : 0, at)
    put(proofs[index] as Buffer)
  }
  return bytes
}

function unpack(source: Uint8Array, list: HistoryEntry[], counts: Map<string, number>): void {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  let at = 1
  const take = (): string => {
    const from = at + 1
    at = from + bytes.readUInt8(at)
    return bytes.toString('utf8', from, at)
  }
  const texts = Array.from({ length: bytes.readUInt8(0) }, take)
  const text = (index: number): string => texts[bytes.readUInt8(index)] ?? ''
  for (let left = bytes.readUInt8(at++); left > 0; left--, at += counterBytes) {
    counts.set(text(at), bytes.readUInt32BE(at + 1))
  }
  for (let left = bytes.readUInt8(at++); left > 0; left--) {
    const head = at
    at += entryHeadBytes - 1
    const entry = {
      atMs: bytes.readDoubleBE(head),
      reason: text(head + 24),
      delta: bytes.readDoubleBE(head + 8),
      total: bytes.readDoubleBE(head + 16),
      detail: text(head + 25),
      evidence: take(),
    }
    const isSuspended = bytes.readUInt8(head + 26) === suspendedFlag
    list.push(isSuspended ? { ...entry, suspended: true } : entry)
  }
}

/** Whether `pack` could have made these bytes, as far as their structure says: looked at when a node starts, without reading them. */
export function isHistory(bytes: Uint8Array): boolean {
  const { length } = bytes
  let at = 1
  const texts = bytes[0] ?? 0
  for (let index = 0; index < texts; index++) at += 1 + (bytes[at] ?? length)
  const counters = bytes[at++] ?? length
  if (counters > limits.reputationReasonsMax) return false
  for (let index = 0; index < counters; index++, at += counterBytes) {
    if ((bytes[at] ?? texts) >= texts) return false
  }
  const entries = bytes[at++] ?? length
  if (entries > limits.reputationHistoryMax) return false
  for (let index = 0; index < entries; index++) {
    const reason = bytes[at + 24] ?? texts
    const detail = bytes[at + 25] ?? texts
    const flags = bytes[at + 26] ?? suspendedFlag + 1
    if (reason >= texts || detail >= texts || flags > suspendedFlag) return false
    at += entryHeadBytes + (bytes[at + entryHeadBytes - 1] ?? length)
  }
  return at === length && length > 0
}
