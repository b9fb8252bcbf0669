/** Four words of key, one of count. */
const slotWords = 5
const tombstone = 0xffffffff
const leastCapacity = 4_096
const movedPerTurn = 8_192

interface Table {
  words: Uint32Array
  /** A power of two. */
  capacity: number
  used: number
  tombstones: number
}

/**
 * How many rows wait for each locator, in 34 to 42 bytes a locator. Open addressing over one array: a Map of texts takes twice the memory
 * and eight times as long for a block. The place of a locator depends on a seed nobody knows, because users choose their 16 bytes freely and
 * could otherwise make all of them meet in one place. Growing is spread over the calls: a million keys moved at once would stop the node for a
 * tenth of a second.
 */
export class LocatorIndex {
  private readonly seed: number
  private table: Table
  /** Being emptied into `table`. */
  private old: Table | undefined
  private moved = 0
  private rows = 0

  /** `seed` is 32 random bits. */
  constructor(seed: number) {
    this.seed = seed | 0
    this.table = emptyTable(leastCapacity)
  }

  /** Different locators. */
  get size(): number {
    return this.table.used + (this.old?.used ?? 0)
  }

  /** Rows of all locators. */
  get count(): number {
    return this.rows
  }

  get bytes(): number {
    return this.table.words.byteLength + (this.old?.words.byteLength ?? 0)
  }

  /** Rows that wait for this locator; 0 when none does. */
  get(locator: Uint8Array): number {
    const [a, b, c, d] = wordsOf(locator)
    return this.find(a, b, c, d)
  }

  private find(a: number, b: number, c: number, d: number): number {
    const at = seek(this.table, a, b, c, d, this.seed)
    if (at >= 0) return this.table.words[at + 4] as number
    if (this.old === undefined) return 0
    const before = seek(this.old, a, b, c, d, this.seed)
    return before < 0 ? 0 : (this.old.words[before + 4] as number)
  }

  add(locator: Uint8Array): void {
    this.move(movedPerTurn)
    const [a, b, c, d] = wordsOf(locator)
    this.rows += 1
    if (this.old !== undefined) {
      const before = seek(this.old, a, b, c, d, this.seed)
      if (before >= 0) {
        this.old.words[before + 4] = (this.old.words[before + 4] as number) + 1
        return
      }
    }
    const { table } = this
    const at = seek(table, a, b, c, d, this.seed)
    if (at >= 0) {
      table.words[at + 4] = (table.words[at + 4] as number) + 1
      return
    }
    insert(table, a, b, c, d, 1, this.seed)
    this.grow()
  }

  /** One row less. False: none was there, which is a bug of the caller. */
  remove(locator: Uint8Array): boolean {
    this.move(movedPerTurn)
    const [a, b, c, d] = wordsOf(locator)
    for (const table of this.old === undefined ? [this.table] : [this.table, this.old]) {
      const at = seek(table, a, b, c, d, this.seed)
      if (at < 0) continue
      const left = (table.words[at + 4] as number) - 1
      this.rows -= 1
      table.words[at + 4] = left === 0 ? tombstone : left
      if (left > 0) return true
      table.used -= 1
      table.tombstones += 1
      this.grow()
      return true
    }
    return false
  }

  /** Positions, in order, of the ids somebody waits for. */
  match(ids: readonly Uint8Array[]): number[] {
    const hits: number[] = []
    for (let index = 0; index < ids.length; index += 1) {
      const id = ids[index] as Uint8Array
      const a = wordAt(id, 0)
      if (this.find(a, wordAt(id, 4), wordAt(id, 8), wordAt(id, 12)) > 0) hits.push(index)
    }
    return hits
  }

  private grow(): void {
    const { table } = this
    if (this.old !== undefined) return
    const full = (table.used + table.tombstones) * 10 > table.capacity * 6
    const littered = table.tombstones > leastCapacity / 4 && table.tombstones * 4 > table.capacity
    if (!full && !littered) return
    const doubled = table.used * 10 > table.capacity * 3 ? table.capacity * 2 : table.capacity
    this.old = table
    this.moved = 0
    this.table = emptyTable(doubled)
  }

  /** Moves some of the old table over. */
  private move(slots: number): void {
    const { old, table } = this
    if (old === undefined) return
    const end = Math.min(old.capacity, this.moved + slots)
    for (; this.moved < end; this.moved += 1) {
      const at = this.moved * slotWords
      const { words } = old
      const count = words[at + 4] as number
      if (count === 0 || count === tombstone) continue
      const [a, b, c, d] = [words[at], words[at + 1], words[at + 2], words[at + 3]] as Words
      insert(table, a, b, c, d, count, this.seed)
      // Not emptied: what was placed behind it is still looked for through this place.
      words[at + 4] = tombstone
      old.used -= 1
      old.tombstones += 1
    }
    if (this.moved === old.capacity) this.old = undefined
  }
}

type Words = readonly [number, number, number, number]

function emptyTable(capacity: number): Table {
  return { words: new Uint32Array(capacity * slotWords), capacity, used: 0, tombstones: 0 }
}

function wordsOf(locator: Uint8Array): Words {
  return [wordAt(locator, 0), wordAt(locator, 4), wordAt(locator, 8), wordAt(locator, 12)]
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

/** Every word goes through a multiplication that the seed has shifted, and the last rounds spread what is left over all bits. */
function place(a: number, b: number, c: number, d: number, seed: number): number {
  let hash = Math.imul(a ^ seed, 0x9e3779b1)
  hash = Math.imul((hash ^ (hash >>> 15)) + b, 0x85ebca77)
  hash = Math.imul((hash ^ (hash >>> 13)) + c + seed, 0xc2b2ae3d)
  hash = Math.imul((hash ^ (hash >>> 16)) + d, 0x27d4eb2f)
  hash ^= hash >>> 15
  return (hash ^ (hash >>> 7)) >>> 0
}

/** Offset of the key's slot, or -1. */
function seek(table: Table, a: number, b: number, c: number, d: number, seed: number): number {
  const { words, capacity } = table
  const mask = capacity - 1
  let slot = place(a, b, c, d, seed) & mask
  for (;;) {
    const at = slot * slotWords
    const count = words[at + 4]
    if (count === 0) return -1
    if (
      count !== tombstone &&
      words[at] === a &&
      words[at + 1] === b &&
      words[at + 2] === c &&
      words[at + 3] === d
    )
      return at
    slot = (slot + 1) & mask
  }
}

/** Puts a key that is not there into the first free slot of its way. */
function insert(
  table: Table,
  a: number,
  b: number,
  c: number,
  d: number,
  count: number,
  seed: number,
): void {
  const { words, capacity } = table
  const mask = capacity - 1
  let slot = place(a, b, c, d, seed) & mask
  for (;;) {
    const at = slot * slotWords
    const found = words[at + 4]
    if (found === 0 || found === tombstone) {
      if (found === tombstone) table.tombstones -= 1
      words[at] = a
      words[at + 1] = b
      words[at + 2] = c
      words[at + 3] = d
      words[at + 4] = count
      table.used += 1
      return
    }
    slot = (slot + 1) & mask
  }
}
