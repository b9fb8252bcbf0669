import type { Address } from '@rockpool/protocol'
import { errors } from '@rockpool/protocol'
import { checkInvariants } from '../invariants.ts'
import type { Op, Outcome } from '../op.ts'
import type { Pool } from '../pool.ts'
import type { Compat, Quirks } from '../quirks.ts'
import { isSame } from './content.ts'
import { type Coverage, coverageOf } from './coverage.ts'
import type { ErrText, OverlayLine, Trace, TraceResult } from './format.ts'
import { TracePlayer } from './player.ts'
import { type PreparedTxs, prepareTrace, type TraceTools } from './prepare.ts'

export interface ReplayOptions {
  readonly compat: Compat
  readonly quirks?: Quirks
  /** What stands in the place of recorded lines. */
  readonly overlay?: ReadonlyMap<number, OverlayLine>
  /** Go on after a line that differs, as if it had been recorded so. */
  readonly goOn?: boolean
  /** Everything is recounted after each operation; in a large pool after each so many. 0: never. */
  readonly checkEvery?: number
}

/** A line at which the pool answered something else than was recorded. */
export interface Difference {
  readonly line: number
  readonly kind: string
  /** What differs, in words. */
  readonly what: readonly string[]
  /** The fields that differ. */
  readonly fields: readonly string[]
  /** What the pool answered. */
  readonly got: unknown
}

export interface Replayed {
  readonly operations: number
  readonly differences: readonly Difference[]
  readonly coverage: Coverage
}

/** Messages of undecodable bytes that are the same in every client; of others only the code counts. */
const exactDecoding: ReadonlySet<string> = new Set([
  'rlp: value size exceeds available input length',
  'rlp: element is larger than containing list',
  'rlp: input contains more than one value',
  'typed transaction too short',
  'transaction type not supported',
  'transaction chain id or signature value exceeds 256 bits',
])
/** Above this many transactions a pool counts as large. */
const largePool = 60

/** Does a trace to a fresh pool and compares every answer. */
export function replayPrepared(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  options: ReplayOptions,
): Replayed {
  const { compat, quirks, overlay, goOn = false, checkEvery = 1 } = options
  const broken: string[] = []
  const coverage = coverageOf()
  let counter = 0
  const onOp = (op: Op, outcome: Outcome, pool: Pool) => {
    coverage.count(op, outcome)
    counter++
    if (checkEvery === 0) return
    if (pool.stats.pending + pool.stats.queued > largePool && counter % checkEvery !== 0) return
    broken.push(...checkInvariants(pool, outcome))
  }
  const parts = { trace, txs, tools, compat, onOp, ...(quirks !== undefined && { quirks }) }
  const player = atLine(0, () => new TracePlayer(parts))
  const nonces = new NonceBook(trace)
  const differences: Difference[] = []
  let operations = 0
  for (const line of trace.lines) {
    operations++
    const got = atLine(line.i, () => player.play(line))
    if (line.k === 'block') continue
    const instead = overlay?.get(line.i)
    const expected = instead === undefined ? line.r : instead.r
    const found = isResult(expected)
      ? compareResult(expected, got as TraceResult, {
          isExact: trace.header.exact,
          nonces: nonces.compare(line.r as TraceResult, {
            instead: instead === undefined ? undefined : expected,
            got: got as TraceResult,
            player,
          }),
          player,
        })
      : isSame(got, expected) || !trace.header.exact
        ? []
        : [['r', `recorded ${show(expected)}, got ${show(got)}`] as const]
    const invariants = broken.splice(0).map(text => ['invariant', text] as const)
    const all = [...found, ...invariants]
    if (all.length > 0) {
      differences.push({
        line: line.i,
        kind: line.k,
        what: all.map(([field, text]) => `${field}: ${text}`),
        fields: [...new Set(all.map(([field]) => field))],
        got,
      })
      if (!goOn) break
      if (isResult(got)) nonces.adopt()
    }
    if (isResult(got)) coverage.answered(got)
  }
  return { operations, differences, coverage: coverage.total(player.pool, player.chain.paths) }
}

/** A line of the right form that says what cannot be: a block nobody declared, a number that is none. */
export class TraceFault extends Error {
  readonly line: number

  constructor(line: number, cause: unknown) {
    super(`line ${line}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.line = line
  }
}

function atLine<T>(line: number, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new TraceFault(line, cause)
  }
}

/** The same from a trace as it was read. */
export async function replayTrace(
  trace: Trace,
  tools: TraceTools,
  options: ReplayOptions & { readonly batch?: number },
): Promise<Replayed> {
  const txs = await prepareTrace(trace, tools, options.batch)
  return replayPrepared(trace, txs, tools, options)
}

function isResult(value: unknown): value is TraceResult {
  return typeof value === 'object' && value !== null && 'digest' in value
}

/**
 * What nonces should be. As long as lines follow as recorded, changes are compared with changes; on the first recorded line after an overlaid
 * one, every address is looked at.
 */
class NonceBook {
  private readonly recorded = new Map<Address, bigint>()
  private isOff = false

  constructor({ header }: Trace) {
    for (const [address, { nonce }] of Object.entries(header.genesis.set)) {
      this.recorded.set(address as Address, BigInt(nonce))
    }
  }

  /** Differences of a line; `instead`: what an overlay says of it. */
  compare(
    recorded: TraceResult,
    {
      instead,
      got,
      player,
    }: { instead: TraceResult | undefined; got: TraceResult; player: TracePlayer },
  ): Found[] {
    for (const [address, nonce] of Object.entries(recorded.nonces)) {
      this.recorded.set(address as Address, BigInt(nonce))
    }
    const wasOff = this.isOff
    this.isOff = instead !== undefined
    if (instead !== undefined || !wasOff) return nonceDiff((instead ?? recorded).nonces, got.nonces)
    const found: Found[] = []
    for (const [address, nonce] of this.recorded) {
      const given = player.nonceOf(address)
      if (given !== nonce) found.push(['nonces', `${address}: recorded ${nonce}, got ${given}`])
    }
    return found
  }

  /** What differed counts as recorded. */
  adopt(): void {
    this.isOff = true
  }
}

function nonceDiff(want: TraceResult['nonces'], got: TraceResult['nonces']): Found[] {
  if (isSame(want, got)) return []
  return [...new Set([...Object.keys(want), ...Object.keys(got)])]
    .filter(address => want[address] !== got[address])
    .map(address => [
      'nonces',
      `${address}: recorded ${want[address] ?? 'unchanged'}, got ${got[address] ?? 'unchanged'}`,
    ])
}

type Found = readonly [field: string, text: string]

interface Comparison {
  readonly isExact: boolean
  readonly nonces: readonly Found[]
  readonly player: TracePlayer
}

function compareResult(
  want: TraceResult,
  got: TraceResult,
  { isExact, nonces, player }: Comparison,
): Found[] {
  const found: Found[] = []
  if (!isExact) {
    for (const err of got.errs ?? []) {
      if (err !== null && !(`pool/${err[0]}` in errors)) found.push(['errs', `unknown ${err[0]}`])
    }
    return found
  }
  const count = Math.max(want.errs?.length ?? 0, got.errs?.length ?? 0)
  for (let index = 0; index < count; index++) {
    const wanted = want.errs?.[index]
    const given = got.errs?.[index]
    if (!isSameErr(wanted, given)) {
      found.push(['errs', `transaction ${index}: recorded ${show(wanted)}, got ${show(given)}`])
    }
  }
  if (!isSame(want.stats, got.stats)) {
    found.push(['stats', `recorded ${show(want.stats)}, got ${show(got.stats)}`])
  }
  found.push(...nonces)
  if (!isSame(want.events, got.events)) found.push(...eventDiff(want.events, got.events))
  if (want.digest !== got.digest) {
    found.push(['digest', `recorded ${want.digest}, got ${got.digest}`])
    if (want.content !== undefined) found.push(...contentDiff(want.content, player.content()))
  } else if (want.content !== undefined && !isSame(want.content, player.content())) {
    found.push(['content', 'the recorded content is not that of its digest'])
  }
  return found
}

function isSameErr(want: ErrText | undefined, got: ErrText | undefined): boolean {
  if (want === undefined || got === undefined) return want === got
  if (want === null || got === null) return want === got
  if (want[0] !== got[0]) return false
  if (want[0] !== 'undecodable') return want[1] === got[1]
  return exactDecoding.has(want[1]) ? want[1] === got[1] : !exactDecoding.has(got[1])
}

function eventDiff(want: TraceResult['events'], got: TraceResult['events']): Found[] {
  const senders = new Set([...Object.keys(want), ...Object.keys(got)])
  return [...senders]
    .filter(sender => !isSame(want[sender], got[sender]))
    .map(sender => [
      'events',
      `${sender}: recorded ${show(want[sender])}, got ${show(got[sender])}`,
    ])
}

type Content = NonNullable<TraceResult['content']>

function contentDiff(want: Content, got: Content): Found[] {
  return (['pending', 'queued'] as const).flatMap(half => {
    const senders = new Set([...Object.keys(want[half]), ...Object.keys(got[half])])
    return [...senders]
      .filter(sender => !isSame(want[half][sender], got[half][sender]))
      .map(
        sender =>
          [
            'content',
            `${half} ${sender}: recorded ${show(want[half][sender])}, got ${show(got[half][sender])}`,
          ] as const,
      )
  })
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 600 ? `${text.slice(0, 600)} …` : text
}
