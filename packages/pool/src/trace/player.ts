import {
  type Address,
  checkStatic,
  type Failure,
  failed,
  type Hash,
  rulesAt,
  type TxRecord,
} from '@rockpool/protocol'
import { defaultPoolConfig, type PoolConfig } from '../config.ts'
import type { Op, Outcome, ResetPart } from '../op.ts'
import { Pool } from '../pool.ts'
import { type Compat, type Quirks, quirksOf } from '../quirks.ts'
import { type DeclaredBlock, TraceChain, viewIn, viewsIn } from './chain.ts'
import { ContentDigest, contentText, nonceMap } from './content.ts'
import type { ErrText, Trace, TraceHeader, TraceOp, TraceResult } from './format.ts'
import { type PreparedTxs, sendersOf, type TraceTools } from './prepare.ts'

/** Ticks of geth's eviction loop. Milliseconds. */
const tickMs = 60_000

export interface PlayerParts {
  readonly trace: Trace
  readonly txs: PreparedTxs
  readonly tools: Pick<TraceTools, 'keccak256' | 'sha256'>
  readonly compat: Compat
  /** Absent: those of the mode. */
  readonly quirks?: Quirks
  /** Hears every operation and what came of it, in order. */
  readonly onOp?: (op: Op, outcome: Outcome, pool: Pool) => void
}

/** A pool to which the lines of a trace are done. It answers what the pool says; what was recorded it never looks at. */
export class TracePlayer {
  readonly pool: Pool
  private readonly parts: PlayerParts
  private readonly header: TraceHeader
  private readonly quirks: Quirks
  readonly chain: TraceChain
  private readonly digest: ContentDigest
  private readonly held = new Set<Address>()
  /** The block whose state the pool holds, and that state. */
  private block: DeclaredBlock
  private state: DeclaredBlock['state']
  private now = 0
  private events = new Map<Address, Hash[]>()
  /** Whose transactions changed since nonces were told, and whether everybody's state did. */
  private readonly touched = new Set<Address>()
  private isMoved = false
  /** Nonces as told last, of every address there was. */
  private readonly nonces = new Map<Address, bigint>()

  constructor(parts: PlayerParts) {
    const { trace, txs, tools, compat } = parts
    const { header } = trace
    this.parts = parts
    this.header = header
    this.quirks = parts.quirks ?? quirksOf(compat)
    this.chain = new TraceChain(txs, tools.keccak256)
    this.block = this.chain.declare(header.genesis)
    // A start without state is one where nobody has anything, as in geth.
    this.state = this.block.isStateMissing ? new Map() : this.block.state
    this.pool = new Pool({
      config: configOf(header, compat),
      forks: header.chain.forks,
      head: this.block.head,
      quirks: this.quirks,
      reservedElsewhere: address => this.held.has(address),
    })
    const records = sendersOf(txs)
    this.digest = new ContentDigest(hash => records.get(hash as Hash)?.sender, tools.sha256)
    for (const [address, { nonce }] of this.block.state) this.nonces.set(address, nonce)
  }

  /** Does a line. Returns what stands in its field `r`; undefined for a block, or where nothing stands there. */
  play(line: Trace['lines'][number]): unknown {
    switch (line.k) {
      case 'block':
        this.chain.declare(line)
        return undefined
      case 'hold':
        if (this.pool.holds(line.addr as Address)) return 'address already reserved'
        this.held.add(line.addr as Address)
        return undefined
      case 'release':
        if (this.held.delete(line.addr as Address)) return undefined
        return this.pool.holds(line.addr as Address) ? 'address not owned' : 'address not reserved'
      case 'query':
        return this.query(line)
      default:
        return this.operate(line)
    }
  }

  /** The whole content, for a line that recorded it. */
  content() {
    return contentText(this.pool)
  }

  nonceOf(address: Address): bigint {
    return this.pool.nonce(address) ?? viewIn(this.state, address).nonce
  }

  private operate(line: Exclude<TraceOp, { k: 'hold' | 'release' | 'query' }>): TraceResult {
    const errs = this.perform(line)
    const { pending, queued } = this.pool.stats
    const result = {
      stats: [pending, queued] as const,
      digest: this.digest.value(),
      nonces: this.changedNonces(),
      events: Object.fromEntries(this.events),
    }
    this.events = new Map()
    return errs === undefined ? result : { errs, ...result }
  }

  private perform(
    line: Exclude<TraceOp, { k: 'hold' | 'release' | 'query' }>,
  ): readonly ErrText[] | undefined {
    const { now } = this
    switch (line.k) {
      case 'add':
        return this.add(line.raws)
      case 'reset':
        this.apply({ op: 'reset', now, ...this.resetPart(line.old, line.new) })
        return this.arrive(line.new)
      case 'merge':
        return this.add(line.raws, { old: line.old, new: line.new })
      case 'setGasTip':
        this.apply({ op: 'setGasTip', now, tip: BigInt(line.wei) })
        return undefined
      case 'clock':
        this.advance(line.ms)
        return undefined
      default:
        this.apply({ op: line.k, now })
        return undefined
    }
  }

  private add(
    raws: readonly string[],
    reset?: { readonly old: string | null; readonly new: string },
  ): readonly ErrText[] {
    const { now } = this
    const errs: ErrText[] = []
    const txs: TxRecord[] = []
    const at: number[] = []
    for (const [index, raw] of raws.entries()) {
      const taken = this.checked(raw)
      if ('ok' in taken) errs[index] = errText(taken)
      else {
        at.push(index)
        txs.push(taken)
      }
    }
    const accounts = viewsIn(this.state, this.pool.needs({ op: 'add', txs }))
    const add = { txs, origin: 'gossip' as const, accounts }
    let outcome: Outcome | undefined
    if (reset !== undefined) {
      const senders = txs.map(({ sender }) => sender)
      const part = this.resetPart(reset.old, reset.new, senders)
      outcome = this.apply({ op: 'merge', now, add, reset: part })
      this.arrive(reset.new)
    } else if (txs.length > 0) outcome = this.apply({ op: 'add', now, ...add })
    for (const [index, result] of outcome?.results.entries() ?? []) {
      errs[at[index] ?? 0] = result.ok ? null : errText(result)
    }
    return errs
  }

  /** What the checks in front of the pool let through. */
  private checked(raw: string): TxRecord | Failure {
    const prepared = this.parts.txs.get(raw)
    if (prepared === undefined) throw new Error('a transaction of the trace was not prepared')
    if ('ok' in prepared) return prepared
    const { decoded, record } = prepared
    if (this.pool.has(decoded.hash)) return failed('pool/known')
    const { head, isMerged } = this.block
    const timeSeconds = head.timeMs / 1000
    const { forks, chainId } = this.header.chain
    const context = {
      rules: rulesAt(forks, { number: head.number, timeSeconds, merged: isMerged }),
      chainId: BigInt(chainId),
      gasLimit: head.gasLimit,
      minTip: this.pool.gasTip,
    }
    const failure = checkStatic(decoded, context, record)
    if (failure !== undefined) return failure
    if (!record.ok) throw new Error('a transaction without a sender passed its checks')
    return record.value
  }

  private resetPart(
    oldLabel: string | null,
    newLabel: string,
    senders: readonly Address[] = [],
  ): ResetPart {
    const old = oldLabel === null ? undefined : this.chain.at(oldLabel)
    const next = this.chain.at(newLabel)
    const path = this.chain.pathTo(old, next, this.quirks.reinjectsNewestFirst)
    const addresses = [...this.pool.needs({ op: 'reset', path }), ...senders]
    const accounts = viewsIn(next.state, addresses)
    return { old: old?.head ?? null, new: next.head, path, accounts }
  }

  /** The pool's head may have stayed where it was. */
  private arrive(label: string): undefined {
    const next = this.chain.at(label)
    for (const address of next.state.keys()) {
      if (!this.nonces.has(address)) this.nonces.set(address, 0n)
    }
    if (this.pool.head.hash !== next.head.hash || next.isStateMissing) return
    this.block = next
    this.state = next.state
  }

  private advance(ms: number): void {
    const end = this.now + ms
    for (let tick = Math.floor(this.now / tickMs) + 1; tick * tickMs <= end; tick++) {
      this.apply({ op: 'expire', now: tick * tickMs })
    }
    this.now = end
  }

  private apply(op: Op): Outcome {
    const outcome = this.pool.apply(op)
    if (outcome.refused !== undefined) throw new Error(outcome.refused)
    for (const address of this.digest.follow(this.pool, outcome)) this.touched.add(address)
    if (op.op === 'reset' || op.op === 'merge') this.isMoved = true
    for (const { tx } of outcome.events) {
      const told = this.events.get(tx.sender)
      if (told === undefined) this.events.set(tx.sender, [tx.hash])
      else told.push(tx.hash)
    }
    this.parts.onOp?.(op, outcome, this.pool)
    return outcome
  }

  private changedNonces(): Record<string, string> {
    const changed: Record<string, string> = {}
    const addresses = this.isMoved ? [...this.nonces.keys(), ...this.touched] : this.touched
    for (const address of addresses) {
      const nonce = this.nonceOf(address)
      if (nonce === (this.nonces.get(address) ?? 0n)) continue
      changed[address] = nonce.toString()
      this.nonces.set(address, nonce)
    }
    this.touched.clear()
    this.isMoved = false
    return changed
  }

  private query(line: Extract<TraceOp, { k: 'query' }>): unknown {
    const { pool } = this
    switch (line.what) {
      case 'status':
        return pool.status(line.hash as Hash)
      case 'nonce':
        return this.nonceOf(line.addr as Address).toString()
      case 'hasAuth':
        return pool.hasAuthorization(line.addr as Address)
      case 'contentFrom': {
        const { pending, queued } = pool.contentFrom(line.addr as Address)
        const half = (lists: typeof pending) => nonceMap(lists.get(line.addr as Address) ?? [])
        return { pending: half(pending), queued: half(queued) }
      }
      case 'pending': {
        const lists = pool.pending({
          ...(line.minTip !== null && { minTip: BigInt(line.minTip) }),
          ...(line.baseFee !== null && { baseFee: BigInt(line.baseFee) }),
          ...(line.gasLimitCap > 0 && { gasLimitCap: BigInt(line.gasLimitCap) }),
        })
        return Object.fromEntries(
          [...lists].map(([address, txs]) => [address, txs.map(({ hash }) => hash)]),
        )
      }
    }
  }
}

function configOf({ pool, gasTip }: TraceHeader, compat: Compat): PoolConfig {
  const { priceBump, accountSlots, globalSlots, accountQueue, globalQueue, lifetimeMs } = pool
  return {
    ...defaultPoolConfig,
    // The tip the pool was started with; the limit of its configuration need not be the same.
    priceLimit: BigInt(gasTip),
    priceBump,
    accountSlots,
    globalSlots,
    accountQueue,
    globalQueue: globalQueue === 0 ? defaultPoolConfig.globalQueue : globalQueue,
    lifetimeMs,
    compat,
  }
}

/** The pool itself names a type it does not take in other words than the decoder in front of it. */
function errText({ code, message }: Failure): ErrText {
  const short = code.replace(/^pool\//, '')
  const blob = /^transaction type not supported: received type (\d+)$/.exec(message)
  if (blob === null) return [short, message]
  return [short, `transaction type not supported: tx type ${blob[1]} not supported by this pool`]
}
