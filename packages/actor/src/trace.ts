import { mix, mixText } from './rng.ts'

/** One turn: which message, sent in whose turn, handled when, where. */
export interface TraceRow {
  readonly id: number
  /** Id of the message in whose turn this one was sent; 0 came from outside. */
  readonly cause: number
  readonly at: number
  readonly actor: string
  readonly type: string
  /** On the last row of a chain: the label its input came with. */
  readonly origin?: string
  /** On the last row of a chain that goes on before the ring begins: how many messages ago that was. */
  readonly cutMessagesAgo?: number
}

/** Labels of inputs kept. Only inputs have one, so they outlive the ring. */
const ORIGINS_KEPT = 4096
/** Paths and types whose hash is remembered. */
const TEXTS_KEPT = 4096
/** Pairs of path and type whose hashes are found without a look-up by text: a power of two. */
const PAIRS_KEPT = 512
/** Odd, and with bits everywhere: ids and causes are neighbours and must not cancel each other out. */
const ID_FACTOR = 0x85ebca6b

/**
 * The causal history: five columns of fixed length, overwritten in turn, nothing allocated per message. Paths and types
 * are columns of the strings themselves: a number per actor would need a table that grows with every short-lived one.
 */
export class Trace {
  hash = 0
  private readonly mask: number
  private readonly ids: Float64Array
  private readonly causes: Float64Array
  private readonly instants: Float64Array
  private readonly actors: string[]
  private readonly types: string[]
  private readonly hashed: boolean
  private written = 0
  /** Turns of one slice have one instant. */
  private lastAt = 0
  private instantHash = 0
  private readonly textHashes = new Map<string, number>()
  /** The pair last seen in each place, and its hash: most turns are of few pairs, and comparing beats hashing text anew. */
  private readonly pairActors: string[]
  private readonly pairTypes: string[]
  private readonly pairHashes: Int32Array
  private readonly origins = new Map<number, string>()
  /** Kept, since all before it is gone: a fresh one would walk over everything deleted since the map was last rebuilt, 5 µs. */
  private readonly oldestOrigin = this.origins.keys()

  /** `rows` is rounded up to a power of two. */
  constructor(rows: number, hashed: boolean) {
    let capacity = 1
    while (capacity < rows) capacity *= 2
    this.mask = capacity - 1
    this.ids = new Float64Array(capacity)
    this.causes = new Float64Array(capacity)
    this.instants = new Float64Array(capacity)
    this.actors = new Array<string>(capacity).fill('')
    this.types = new Array<string>(capacity).fill('')
    this.hashed = hashed
    const pairs = hashed ? PAIRS_KEPT : 0
    this.pairActors = new Array<string>(pairs).fill('')
    this.pairTypes = new Array<string>(pairs).fill('')
    this.pairHashes = new Int32Array(pairs)
  }

  get bytes(): number {
    return (this.mask + 1) * (3 * 8 + 2 * 8)
  }

  note(id: number, cause: number, at: number, actor: string, type: string): void {
    const row = this.written & this.mask
    this.written = (this.written + 1) | 0
    this.ids[row] = id
    this.causes[row] = cause
    this.instants[row] = at
    this.actors[row] = actor
    this.types[row] = type
    if (this.hashed) {
      if (at !== this.lastAt) {
        this.lastAt = at
        this.instantHash = mix(0, Math.round(at * 1000))
      }
      // What does not depend on the turns before is put together first: only one step waits for the turn before.
      const who = Math.imul(id, ID_FACTOR) ^ cause ^ this.instantHash
      this.hash = mix(this.hash ^ this.hashOfPair(actor, type), who)
    }
  }

  /** The turn just noted turned out to be about this type: outcomes are named when they are opened. */
  retype(type: string): void {
    this.types[(this.written - 1) & this.mask] = type
  }

  noteOrigin(id: number, origin: string): void {
    this.origins.set(id, origin)
    if (this.origins.size <= ORIGINS_KEPT) return
    const { value: oldest } = this.oldestOrigin.next()
    if (oldest !== undefined) this.origins.delete(oldest)
  }

  originOf(id: number): string | undefined {
    return this.origins.get(id)
  }

  /** The last `count` turns, newest first. */
  latest(count: number): TraceRow[] {
    const rows: TraceRow[] = []
    for (let back = 1; back <= Math.min(count, this.mask + 1); back++) {
      const row = (this.written - back) & this.mask
      if (this.ids[row] === 0) break
      rows.push(this.row(row))
    }
    return rows
  }

  /** How the message came about, newest first. Empty when its turn is not in the ring. `lastId` is the newest id given out. */
  chain(id: number, lastId: number): TraceRow[] {
    const rows: TraceRow[] = []
    let wanted = id
    // A cause had its turn before its consequence: one walk back finds them all.
    for (let back = 1; back <= this.mask + 1 && wanted !== 0; back++) {
      const row = (this.written - back) & this.mask
      if (this.ids[row] !== wanted) continue
      rows.push(this.row(row))
      wanted = this.causes[row] as number
    }
    const first = rows.pop()
    if (first === undefined) return rows
    const origin = this.origins.get(first.id)
    rows.push({
      ...first,
      ...(origin === undefined ? {} : { origin }),
      ...(wanted === 0 ? {} : { cutMessagesAgo: lastId - wanted }),
    })
    return rows
  }

  private hashOfPair(actor: string, type: string): number {
    const { pairActors, pairTypes, pairHashes } = this
    const place = (actor.charCodeAt(actor.length - 1) + 37 * type.length) & (PAIRS_KEPT - 1)
    if (pairActors[place] === actor && pairTypes[place] === type) return pairHashes[place] as number
    const hash = mix(this.hashOf(actor), this.hashOf(type))
    pairActors[place] = actor
    pairTypes[place] = type
    pairHashes[place] = hash
    return hash
  }

  /** Few texts are used over and over: each is read once. */
  private hashOf(text: string): number {
    const known = this.textHashes.get(text)
    if (known !== undefined) return known
    if (this.textHashes.size >= TEXTS_KEPT) this.textHashes.clear()
    const hash = mixText(0, text)
    this.textHashes.set(text, hash)
    return hash
  }

  private row(row: number): TraceRow {
    return {
      id: this.ids[row] as number,
      cause: this.causes[row] as number,
      at: this.instants[row] as number,
      actor: this.actors[row] as string,
      type: this.types[row] as string,
    }
  }
}

/** A chain as one line, newest first: `/b:y#4 <- /a:x#3`. */
export function chainText(chain: readonly TraceRow[]): string {
  const last = chain.at(-1)
  const hops = chain.map(({ actor, type, id }) => `${actor}:${type}#${id}`)
  if (last?.cutMessagesAgo !== undefined) hops.push(`… (${last.cutMessagesAgo} messages ago)`)
  else if (last?.origin !== undefined) hops.push(last.origin)
  return hops.join(' <- ')
}

/** A chain as a Mermaid sequence diagram, oldest first. */
export function toMermaid(chain: readonly TraceRow[]): string {
  const lines = ['sequenceDiagram']
  const names = new Map<string, string>()
  const nameOf = (path: string) => {
    const known = names.get(path)
    if (known !== undefined) return known
    const name = `a${names.size}`
    names.set(path, name)
    lines.push(`  participant ${name} as ${path.replaceAll(/[;#\n]/g, ' ')}`)
    return name
  }
  let sender = nameOf(chain.at(-1)?.origin ?? 'outside')
  for (const { actor, type, id, at } of chain.toReversed()) {
    const receiver = nameOf(actor)
    lines.push(`  ${sender}->>${receiver}: ${type} [${id}] at ${at} ms`)
    sender = receiver
  }
  return lines.join('\n')
}

/** Turns as Chrome trace events (chrome://tracing, Perfetto): a row per actor, an arrow from cause to consequence. */
export function toChromeTrace(rows: readonly TraceRow[]): string {
  const threads = new Map<string, number>()
  const known = new Set(rows.map(row => row.id))
  const events: object[] = []
  for (const { id, cause, at, actor, type } of rows.toReversed()) {
    let tid = threads.get(actor)
    if (tid === undefined) {
      tid = threads.size + 1
      threads.set(actor, tid)
      events.push({ ph: 'M', name: 'thread_name', pid: 1, tid, args: { name: actor } })
    }
    const place = { pid: 1, tid, ts: at * 1000 }
    events.push({ ph: 'X', name: type, dur: 1, ...place, args: { id, cause } })
    events.push({ ph: 's', name: 'cause', cat: 'cause', id, ...place })
    if (known.has(cause))
      events.push({ ph: 'f', bp: 'e', name: 'cause', cat: 'cause', id: cause, ...place })
  }
  return JSON.stringify({ traceEvents: events })
}
