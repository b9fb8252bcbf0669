import type { Forks } from '@rockpool/protocol'

/** A quantity in decimal digits; bytes, addresses and hashes are lower-case 0x hex. */
type Decimal = string
type HexText = string
type NonceMap = Readonly<Record<Decimal, HexText>>
export type HalvesText<T> = { readonly pending: T; readonly queued: T }
export type ErrText = readonly [code: string, message: string] | null

/** What the pool answered to an operation, and how it stood after it. */
export interface TraceResult {
  readonly errs?: readonly ErrText[]
  readonly stats: readonly [pending: number, queued: number]
  /** SHA-256 of the canonical content. */
  readonly digest: string
  readonly content?: HalvesText<Readonly<Record<HexText, NonceMap>>>
  /** Pool nonces that differ from the line before. */
  readonly nonces: Readonly<Record<HexText, Decimal>>
  /** Hashes announced since the line before, by sender. */
  readonly events: Readonly<Record<HexText, readonly HexText[]>>
}

export interface TraceBlock {
  readonly label: string
  /** Absent: a parent nobody knows; `set` is then the whole state. */
  readonly parent?: string
  readonly number: number
  /** Seconds. */
  readonly time: number
  readonly gasLimit: number
  readonly gasUsed: number
  readonly baseFee: Decimal | null
  readonly difficulty: Decimal
  readonly raws?: readonly HexText[]
  /** Accounts the block touched, as they are after it. */
  readonly set: Readonly<
    Record<HexText, { readonly nonce: Decimal; readonly balance: Decimal; readonly code: HexText }>
  >
  readonly missing?: boolean
  readonly stateMissing?: boolean
}

export interface TraceHeader {
  readonly k: 'header'
  readonly i: number
  readonly format: string
  readonly version: number
  readonly name: string
  readonly family: string
  /** False: the client itself did not repeat every answer. */
  readonly exact: boolean
  readonly needs: readonly string[]
  readonly seed?: string
  readonly source: { readonly client: string; readonly version: string; readonly commit: string }
  readonly chain: { readonly chainId: Decimal; readonly forks: Forks }
  readonly pool: {
    readonly priceLimit: Decimal
    readonly priceBump: number
    readonly accountSlots: number
    readonly globalSlots: number
    readonly accountQueue: number
    readonly globalQueue: number
    readonly lifetimeMs: number
  }
  readonly gasTip: Decimal
  readonly genesis: TraceBlock
}

/** A line in which something is done to the pool or asked of it. */
export type TraceOp = { readonly i: number } & (
  | { readonly k: 'add'; readonly raws: readonly HexText[]; readonly r: TraceResult }
  | {
      readonly k: 'reset'
      readonly old: string | null
      readonly new: string
      readonly r: TraceResult
    }
  | {
      readonly k: 'merge'
      readonly raws: readonly HexText[]
      readonly old: string | null
      readonly new: string
      readonly r: TraceResult
    }
  | { readonly k: 'setGasTip'; readonly wei: Decimal; readonly r: TraceResult }
  | { readonly k: 'clear' | 'reheap'; readonly r: TraceResult }
  | { readonly k: 'clock'; readonly ms: number; readonly r: TraceResult }
  | { readonly k: 'hold' | 'release'; readonly addr: HexText; readonly r?: string }
  | { readonly k: 'query'; readonly what: 'status'; readonly hash: HexText; readonly r: string }
  | { readonly k: 'query'; readonly what: 'nonce'; readonly addr: HexText; readonly r: Decimal }
  | { readonly k: 'query'; readonly what: 'hasAuth'; readonly addr: HexText; readonly r: boolean }
  | {
      readonly k: 'query'
      readonly what: 'contentFrom'
      readonly addr: HexText
      readonly r: HalvesText<NonceMap>
    }
  | {
      readonly k: 'query'
      readonly what: 'pending'
      readonly minTip: Decimal | null
      readonly baseFee: Decimal | null
      readonly gasLimitCap: number
      readonly r: Readonly<Record<HexText, readonly HexText[]>>
    }
)

type TraceLine = TraceHeader | ({ readonly k: 'block'; readonly i: number } & TraceBlock) | TraceOp

/** A whole file, checked in form. */
export interface Trace {
  readonly header: TraceHeader
  /** Everything between header and end. */
  readonly lines: readonly Exclude<TraceLine, TraceHeader>[]
}

/** A line that stands in the place of a recorded one in mode `fixed`, and the row of the table that says why. */
export interface OverlayLine {
  readonly i: number
  readonly q: string
  readonly r?: unknown
}

const blockKeys =
  'label:text parent?:text number:count time:count gasLimit:count gasUsed:count baseFee:decimal|null difficulty:decimal raws?:hexes set:accounts missing?:flag stateMissing?:flag'
/** Keys of each kind of line with the form of their values; a question mark: may be absent. */
const keysOf: Readonly<Record<string, string>> = {
  header:
    'format:text version:count name:text family:text exact:flag needs:texts seed? source:object chain:object pool:object gasTip:decimal genesis:object',
  block: blockKeys,
  add: 'raws:hexes r:object',
  reset: 'old:text|null new:text r:object',
  merge: 'raws:hexes old:text|null new:text r:object',
  setGasTip: 'wei:decimal r:object',
  clear: 'r:object',
  reheap: 'r:object',
  clock: 'ms:span r:object',
  hold: 'addr:hex r?:text',
  release: 'addr:hex r?:text',
  end: 'sha256:text',
  'query status': 'what:text hash:hex r:text',
  'query nonce': 'what:text addr:hex r:decimal',
  'query hasAuth': 'what:text addr:hex r:flag',
  'query contentFrom': 'what:text addr:hex r:object',
  'query pending': 'what:text minTip:decimal|null baseFee:decimal|null gasLimitCap:count r:object',
}
const chainKeys = 'chainId:decimal forks:forks elasticity?:count denominator?:count'
const poolKeys =
  'priceLimit:decimal priceBump:count accountSlots:count globalSlots:count accountQueue:count globalQueue:count lifetimeMs:count'
const resultKeys = 'errs?:list stats:list digest:text content?:object nonces:object events:object'
const withResult: ReadonlySet<string> = new Set(
  'add reset merge setGasTip clear reheap clock'.split(' '),
)

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string }

const wrong = (line: number, what: string) => ({ ok: false as const, why: `line ${line}: ${what}` })

/**
 * A trace from the text of its file. Unknown kinds and keys are refused, as are gaps in the numbering and, where `sha256` (hex) is given, a
 * text that is not what the end line says.
 */
export function parseTrace(text: string, sha256?: (text: string) => string): Parsed<Trace> {
  if (!text.endsWith('\n')) return { ok: false, why: 'the last line is not ended' }
  const texts = text.slice(0, -1).split('\n')
  const lines: TraceLine[] = []
  for (const [index, lineText] of texts.entries()) {
    const line = parseLine(lineText)
    if (typeof line === 'string') return wrong(index, line)
    if (line.i !== index) return wrong(index, `says it is line ${line.i}`)
    if ((line.k === 'header') !== (index === 0)) return wrong(index, `misplaced ${line.k}`)
    if (line.k === 'end') {
      if (index !== texts.length - 1) return wrong(index, 'misplaced end')
      const body = text.slice(0, text.length - lineText.length - 1)
      if (sha256 !== undefined && sha256(body) !== line.sha256) {
        return wrong(index, 'the lines above are not those the end line was made for')
      }
    } else lines.push(line)
  }
  const [header, ...rest] = lines
  if (header?.k !== 'header') return { ok: false, why: 'no header' }
  if (lines.length === texts.length) return { ok: false, why: 'no end line' }
  if (header.format !== 'rockpool-pool-trace' || header.version !== 1) {
    return wrong(0, `format ${header.format} version ${header.version} is not known here`)
  }
  return { ok: true, value: { header, lines: rest as Trace['lines'] } }
}

const headerParts = [
  ['chain', chainKeys],
  ['pool', poolKeys],
  ['genesis', blockKeys],
] as const

/** A year: each minute of it is looked at. */
const longestSpanMs = 31_536_000_000

/** The forms of values, by name. */
const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: value => typeof value === 'string',
  flag: value => typeof value === 'boolean',
  count: value => Number.isSafeInteger(value) && Number(value) >= 0,
  span: value => forms.count?.(value) === true && Number(value) <= longestSpanMs,
  decimal: value => typeof value === 'string' && /^(0|[1-9][0-9]*)$/.test(value),
  hex: isHex,
  null: value => value === null,
  object: isObject,
  list: Array.isArray,
  texts: value => Array.isArray(value) && value.every(item => typeof item === 'string'),
  hexes: value => Array.isArray(value) && value.every(isHex),
  accounts: value => isObject(value) && Object.entries(value).every(isAccount),
  forks: value =>
    isObject(value) && Object.values(value).every(at => at === null || forms.count?.(at) === true),
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && /^0x([0-9a-f]{2})*$/.test(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAccount([address, account]: readonly [string, unknown]): boolean {
  if (!isHex(address) || address.length !== 42 || !isObject(account)) return false
  return checkKeys(account, 'nonce:decimal balance:decimal code:hex') === undefined
}

type AnyLine = TraceLine | { readonly k: 'end'; readonly i: number; readonly sha256: string }

function parseLine(text: string): AnyLine | string {
  const line = parseObject(text)
  if (typeof line === 'string') return line
  const kind = line.k === 'query' ? `query ${String(line.what)}` : String(line.k)
  const keys = keysOf[kind]
  if (keys === undefined) return `unknown kind ${kind}`
  const problem = checkKeys(line, `k:text i:count ${keys}`)
  if (problem !== undefined) return problem
  if (kind === 'header') {
    for (const [part, partKeys] of headerParts) {
      const fault = checkKeys(line[part], partKeys)
      if (fault !== undefined) return `${part}: ${fault}`
    }
  }
  if (withResult.has(kind)) {
    const result = checkKeys(line.r, resultKeys)
    if (result !== undefined) return `result: ${result}`
  }
  return line as unknown as AnyLine
}

function parseObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object'
    return value as Record<string, unknown>
  } catch (error) {
    return `not JSON (${error instanceof Error ? error.message : String(error)})`
  }
}

function checkKeys(value: unknown, keys: string): string | undefined {
  if (!isObject(value)) return 'not an object'
  const known = new Set<string>()
  for (const key of keys.split(' ')) {
    const [whole = '', form] = key.split(':')
    const name = whole.replace('?', '')
    known.add(name)
    if (!(name in value)) {
      if (name === whole) return `lacks "${name}"`
      continue
    }
    const isOfForm = form === undefined || form.split('|').some(one => forms[one]?.(value[name]))
    if (!isOfForm) return `"${name}" is not ${form?.replace('|', ' or ')}`
  }
  const unknown = Object.keys(value).find(key => !known.has(key))
  return unknown === undefined ? undefined : `unknown key "${unknown}"`
}

/** The overlay of a trace: one line per operation that ends differently in mode `fixed`. */
export function parseOverlay(text: string): Parsed<ReadonlyMap<number, OverlayLine>> {
  const overlay = new Map<number, OverlayLine>()
  for (const [index, lineText] of text.split('\n').entries()) {
    if (lineText === '') continue
    const line = parseObject(lineText)
    if (typeof line === 'string') return wrong(index, line)
    const problem = checkKeys(line, 'i:count q:text r?')
    if (problem !== undefined) return wrong(index, problem)
    overlay.set(Number(line.i), line as unknown as OverlayLine)
  }
  return { ok: true, value: overlay }
}

/** The text of a trace, ended by the line that proves it. */
export function traceText(trace: Trace, sha256: (text: string) => string): string {
  const lines = [trace.header, ...trace.lines]
  const body = lines.map((line, i) => `${JSON.stringify({ ...line, k: line.k, i })}\n`).join('')
  return `${body}${JSON.stringify({ k: 'end', i: lines.length, sha256: sha256(body) })}\n`
}
