import type { Hash } from '@rockpool/protocol'
import {
  claimText,
  type Expectation,
  evilNames,
  honestNames,
  type ScenarioPlan,
  type TxPlace,
} from './plan.ts'
import type { NodeLook, Sight, Verdict, Wants } from './sights.ts'

interface Open {
  readonly expectation: Expectation
  readonly missing: Set<string>
  verdict: Verdict | undefined
  /** What was seen last that is not as claimed. */
  seen: string
}

/** Connections end within this time after a ban. */
const partingMs = 2_000
/** So long before somebody asks what left a chain it is noted what is on it. */
const beforeMs = 75_000
/** Claims that deny something: true until broken. */
const denials: ReadonlySet<string> = new Set([
  'notBanned',
  'noHonestBanned',
  'deadLetters',
  'letIn',
  'invariant',
])

/**
 * Holds what was expected against what is told and seen, whatever the gear. `scale` stretches the times that a claim is given, for gears in
 * real time.
 */
export class Judge {
  private readonly plan: ScenarioPlan
  private readonly scale: number
  private readonly open: Open[]
  private readonly honest: ReadonlySet<string>
  private readonly steps = new Map<string, number>()
  private readonly offences = new Map<number, number>()
  private readonly taken = new Set<Hash>()
  /** Behind a gap when it was taken: it stays with its node until the gap is filled. */
  private readonly queued = new Set<Hash>()
  /** Another one has its nonce: nobody asks for it any more. */
  private readonly replaced = new Set<Hash>()
  /** Transactions that each node had on its chain, and those of them that left it while somebody asks why. */
  private readonly mined = new Map<string, ReadonlySet<Hash>>()
  private readonly left = new Map<string, Set<Hash>>()
  private readonly drops = new Map<string, Map<Hash, string>>()
  private readonly logs = new Map<string, number>()
  /** `node who` → since when it is banned there. */
  private readonly bans = new Map<string, number>()
  private readonly wasBanned = new Set<string>()
  private readonly failures: Verdict[] = []
  private last: readonly NodeLook[] = []

  constructor(plan: ScenarioPlan, scale = 1) {
    this.plan = plan
    this.scale = scale
    this.honest = new Set(honestNames(plan))
    this.open = plan.expect.map(expectation => ({
      expectation,
      missing: new Set(expectation.by ?? this.scopeOf(expectation)),
      verdict: undefined,
      seen: 'nothing',
    }))
  }

  private scopeOf({ claim }: Expectation): Iterable<string> {
    if (claim.kind === 'ready' && claim.node !== null) return [claim.node]
    return honestNames(this.plan).slice(0, this.plan.nodes)
  }

  get isDecided(): boolean {
    return this.open.every(({ verdict }) => verdict !== undefined)
  }

  /** What open claims need to see now. */
  wants(nowMs: number): Wants {
    const due = this.open.filter(
      ({ expectation, verdict }) =>
        verdict === undefined && this.sinceMs(expectation, nowMs) <= nowMs,
    )
    const kinds = new Set(due.map(({ expectation }) => expectation.claim.kind))
    const metrics = due.flatMap(({ expectation: { claim } }) =>
      claim.kind === 'metric' ? [claim.name] : [],
    )
    const places =
      kinds.has('txIn') ||
      due.some(
        ({ expectation: { claim } }) => claim.kind === 'delivered' && claim.topic === 'tx',
      ) ||
      this.open.some(({ expectation, verdict }) => {
        if (verdict !== undefined || expectation.claim.kind !== 'explained') return false
        // What left is known by what was there before.
        return nowMs >= this.plannedMs(expectation) - beforeMs
      })
    return {
      pools: kinds.has('poolsEqual') || places,
      txs: places ? [...this.taken] : [],
      metrics: [...new Set(metrics)],
      whys: kinds.has('explained')
        ? new Map([...this.left].map(([name, txs]) => [name, [...txs]]))
        : new Map(),
      standing: due.flatMap(({ expectation: { claim } }) =>
        claim.kind === 'keepsOut' ? [claim.who] : [],
      ),
    }
  }

  tell(sight: Sight, nowMs: number): void {
    switch (sight.type) {
      case 'banned': {
        const { node, who, by, reason } = sight
        this.bans.set(`${node} ${who}`, nowMs)
        this.wasBanned.add(`${node} ${who}`)
        this.heardOf('banned', who, node, nowMs)
        this.deny(nowMs, ({ claim, by: scope }) => {
          if (by === 'operator' || !(scope ?? [...this.honest]).includes(node)) return undefined
          const isMeant =
            claim.kind === 'notBanned'
              ? claim.who === who
              : claim.kind === 'noHonestBanned' && this.honest.has(who)
          return isMeant ? `${node} banned ${who} for ${reason}` : undefined
        })
        return
      }
      case 'lifted':
        return this.lifted(sight.node, sight.who, nowMs)
      case 'offence':
        if (!this.offences.has(sight.count)) this.offences.set(sight.count, nowMs)
        return
      case 'step': {
        const step = this.plan.steps[sight.index]
        if (step !== undefined) this.steps.set(step.step.do, nowMs)
        return
      }
      case 'log':
        return this.logged(sight.code)
      case 'took':
        this.taken.add(sight.hash)
        if (sight.half === 'queued') this.queued.add(sight.hash)
        return
      case 'dropped': {
        const drops = this.drops.get(sight.node) ?? new Map<Hash, string>()
        this.drops.set(sight.node, drops)
        drops.set(sight.hash, sight.reason)
        if (sight.reason === 'replaced') this.replaced.add(sight.hash)
        return
      }
      case 'dead':
        return this.deny(nowMs, ({ claim }) =>
          claim.kind === 'deadLetters' ? `${sight.node}: ${sight.text}` : undefined,
        )
      case 'broken':
        return this.deny(nowMs, ({ claim }) =>
          claim.kind === 'invariant' && claim.id === sight.id ? sight.text : undefined,
        )
    }
  }

  /** Judges what is seen now, and whatever has run out of time. */
  see(looks: readonly NodeLook[], nowMs: number): void {
    this.last = looks
    for (const { name, peers } of looks) this.meets(name, peers, nowMs)
    const up = looks.filter(look => look.up)
    this.noteLeft(up, nowMs)
    for (const open of this.open) {
      if (open.verdict !== undefined) continue
      const { expectation } = open
      const since = this.sinceMs(expectation, nowMs)
      if (since > nowMs) continue
      this.look(open, looks, up)
      if (denials.has(expectation.claim.kind)) continue
      if (open.missing.size === 0) this.decide(open, true, nowMs)
      else if (expectation.withinMs !== null && nowMs > since + expectation.withinMs * this.scale)
        this.decide(open, false, nowMs)
    }
  }

  /** Something was to be done and could not be. */
  failed(what: string, text: string, nowMs: number): void {
    this.failures.push({ claim: what, held: false, kind: 'crash', atMs: nowMs, text })
  }

  /** The scenario is over: what did not come true is false, what was not broken is true. */
  end(nowMs: number): readonly Verdict[] {
    for (const open of this.open) {
      if (open.verdict !== undefined) continue
      const { claim, after } = open.expectation
      if (after !== null && this.sinceMs(open.expectation, nowMs) === Number.POSITIVE_INFINITY)
        open.seen = 'it never began to count'
      this.decide(open, denials.has(claim.kind), nowMs)
    }
    return [
      ...this.failures,
      ...this.open.flatMap(({ verdict }) => (verdict === undefined ? [] : [verdict])),
    ]
  }

  /** The nodes as they were seen last, a line each. */
  legend(): string[] {
    return this.last.map(({ name, up, ready, height, head, peers, pool }) => {
      const bans = [...this.bans.keys()].filter(key => key.startsWith(`${name} `))
      return [
        name.padEnd(6),
        up ? (ready ? 'ready' : 'up') : 'down',
        `peers ${peers.length}`,
        `pool ${pool?.size ?? '?'}`,
        `head ${height} ${head?.slice(0, 10) ?? '-'}`,
        `bans ${bans.map(key => key.split(' ')[1]).join(' ') || '-'}`,
      ].join('  ')
    })
  }

  /** From when a claim counts; infinity while its trigger has not come. Bans are kept from the start: early is in time. */
  private sinceMs({ after, claim }: Expectation, nowMs: number): number {
    if (after === null) return 0
    if (after.kind === 'time') return after.ms
    if (after.kind === 'offences') return this.offences.get(after.count) ?? Number.POSITIVE_INFINITY
    const isLast = !this.plan.steps.some(
      ({ atMs, step }) => step.do === after.name && atMs > nowMs && claim.kind !== 'banned',
    )
    return isLast
      ? (this.steps.get(after.name) ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY
  }

  /** When a claim begins to count, as far as the plan says. */
  private plannedMs({ after }: Expectation): number {
    if (after === null || after.kind === 'offences') return 0
    if (after.kind === 'time') return after.ms
    return this.plan.steps.findLast(({ step }) => step.do === after.name)?.atMs ?? 0
  }

  private decide(open: Open, held: boolean, nowMs: number): void {
    const { expectation, missing, seen } = open
    const where = missing.size > 0 && missing.size < this.honest.size ? [...missing].join(', ') : ''
    const text = held ? '' : where === '' ? seen : `not at ${where}; ${seen}`
    const kind = denials.has(expectation.claim.kind) ? 'correctness' : 'liveness'
    open.verdict = { claim: claimText(expectation), held, kind, atMs: nowMs, text }
  }

  private deny(nowMs: number, breaks: (expectation: Expectation) => string | undefined): void {
    for (const open of this.open) {
      if (open.verdict !== undefined || this.sinceMs(open.expectation, nowMs) > nowMs) continue
      const text = breaks(open.expectation)
      if (text === undefined) continue
      open.missing.clear()
      open.seen = text
      this.decide(open, false, nowMs)
    }
  }

  private heardOf(kind: 'banned' | 'lifted', who: string, node: string, nowMs: number): void {
    for (const open of this.open) {
      const { claim } = open.expectation
      if (claim.kind !== kind || claim.who !== who || open.verdict !== undefined) continue
      const since = this.sinceMs(open.expectation, nowMs)
      // A lift counts when it was asked for; a ban is never too early.
      if (kind === 'lifted' && since > nowMs) continue
      const { notBeforeMs } = open.expectation
      if (notBeforeMs !== null && open.missing.has(node) && nowMs < since + notBeforeMs) {
        open.seen = `${node} let in ${who} ${Math.round(nowMs - since)} ms after the trigger, too early`
        this.decide(open, false, nowMs)
        continue
      }
      open.missing.delete(node)
      open.seen = `only others ${kind === 'banned' ? 'banned' : 'let in'} ${who}`
      if (open.missing.size === 0 && since <= nowMs) this.decide(open, true, nowMs)
    }
  }

  private lifted(node: string, who: string, nowMs: number): void {
    this.bans.delete(`${node} ${who}`)
    this.heardOf('lifted', who, node, nowMs)
  }

  private logged(code: string): void {
    this.logs.set(code, (this.logs.get(code) ?? 0) + 1)
    for (const open of this.open) {
      const { claim } = open.expectation
      if (claim.kind !== 'log' || claim.code !== code || open.verdict !== undefined) continue
      const count = this.logs.get(code) ?? 0
      open.seen = `${count} of ${claim.atLeast}`
      if (count >= claim.atLeast) open.missing.clear()
    }
  }

  /** Connections with those who are banned. */
  private meets(node: string, peers: readonly string[], nowMs: number): void {
    for (const who of peers) {
      const since = this.bans.get(`${node} ${who}`)
      if (since === undefined || nowMs - since < partingMs * this.scale) continue
      this.deny(nowMs, ({ claim }) =>
        claim.kind === 'letIn' && claim.who === who
          ? `${node} is connected with ${who}, which it banned at ${Math.round(since)} ms`
          : undefined,
      )
    }
  }

  private look(open: Open, looks: readonly NodeLook[], up: readonly NodeLook[]): void {
    const { claim } = open.expectation
    const all = (holds: boolean, seen: string) => {
      if (holds) open.missing.clear()
      open.seen = seen
    }
    const each = (holds: (look: NodeLook) => boolean, seen: (look: NodeLook) => string) => {
      for (const node of looks) {
        if (!open.missing.has(node.name)) continue
        if (holds(node)) open.missing.delete(node.name)
        else open.seen = `${node.name}: ${seen(node)}`
      }
    }
    switch (claim.kind) {
      case 'poolsEqual': {
        const texts = new Map(
          up.map(({ name, pool = new Set() }) => [name, [...pool].sort().join()]),
        )
        const sizes = up.map(({ name, pool }) => `${name} ${pool?.size ?? 0}`).join(', ')
        return all(up.length > 0 && new Set(texts.values()).size === 1, `pools of ${sizes}`)
      }
      case 'oneHead': {
        const heads = up.map(({ name, height, head }) => `${name} ${height} ${head?.slice(0, 10)}`)
        const isOne = new Set(up.map(({ head }) => head)).size === 1
        return all(up.length > 0 && isOne, `heads ${heads.join(', ')}`)
      }
      case 'txIn':
        return this.lookForTxs(open, up, claim.places)
      case 'delivered': {
        const [there, of] = claim.topic === 'tx' ? this.deliveredTxs(up) : deliveredHeads(up)
        return all(of > 0 && there / of >= claim.ratio, `${there} of ${of}`)
      }
      case 'keepsOut':
        return each(
          look => look.bans?.has(claim.who) === true,
          ({ up: isUp }) => (isUp ? `it does not say that ${claim.who} is banned` : 'down'),
        )
      case 'connected':
        return each(
          look => look.peers.includes(claim.who),
          ({ peers }) => `connected with ${peers.join(', ') || 'nobody'}`,
        )
      case 'explained':
        return each(
          ({ name, whys }) => {
            const left = [...(this.left.get(name) ?? [])]
            return left.length > 0 && left.every(hash => whys?.get(hash)?.includes(claim.reason))
          },
          ({ name, whys }) => this.unexplained(name, whys, claim.reason),
        )
      case 'ready':
        return each(
          look => look.ready,
          ({ up: isUp }) => (isUp ? 'up and not ready' : 'down'),
        )
      case 'metric': {
        const { name, is, value } = claim
        const test = {
          '<=': (x: number) => x <= value,
          '>=': (x: number) => x >= value,
          '=': (x: number) => x === value,
        }
        return each(
          ({ metrics }) => metrics?.[name] !== undefined && test[is](metrics[name]),
          ({ metrics }) => `${name} is ${metrics?.[name] ?? 'unknown'}`,
        )
      }
    }
  }

  /** What was on a node's chain and is not any more, once somebody asks why. */
  private noteLeft(up: readonly NodeLook[], nowMs: number): void {
    const asks = this.open.some(
      ({ expectation }) =>
        expectation.claim.kind === 'explained' && this.sinceMs(expectation, nowMs) <= nowMs,
    )
    for (const { name, mined } of up) {
      if (mined === undefined) continue
      const before = this.mined.get(name)
      this.mined.set(name, new Set([...this.taken].filter(hash => mined.has(hash))))
      if (!asks || before === undefined) continue
      const left = this.left.get(name) ?? new Set()
      this.left.set(name, left)
      for (const hash of before) if (!mined.has(hash)) left.add(hash)
    }
  }

  private unexplained(name: string, whys: NodeLook['whys'], reason: string): string {
    const left = [...(this.left.get(name) ?? [])]
    const silent = left.filter(hash => whys?.get(hash)?.includes(reason) !== true)
    if (left.length === 0) return 'nothing left its chain'
    const [first] = silent
    const said = first === undefined ? '' : (whys?.get(first) ?? ['nothing']).join(', ')
    return `${silent.length} of ${left.length} not for ${reason}: ${first ?? ''} ${said}`
  }

  /** Pairs of a transaction and a node that has it, or said why not; and all pairs. */
  private deliveredTxs(up: readonly NodeLook[]): readonly [there: number, of: number] {
    let there = 0
    for (const { name, pool, mined, told } of up) {
      for (const hash of this.taken) {
        const isThere = mined?.has(hash) || pool?.has(hash) || told?.has(hash)
        if (isThere || this.drops.get(name)?.has(hash)) there += 1
      }
    }
    return [there, this.taken.size * up.length]
  }

  private lookForTxs(open: Open, up: readonly NodeLook[], places: readonly TxPlace[]): void {
    let lost = 0
    let first = ''
    for (const { name, pool, mined, told } of up) {
      // Not looked at in this sense yet: no transaction was known when the look was asked for.
      if (mined === undefined || pool === undefined) return
      for (const hash of this.taken) {
        if (this.replaced.has(hash)) continue
        const dropped = this.drops.get(name)?.get(hash) ?? told?.get(hash)
        const place: TxPlace = mined.has(hash)
          ? 'chain'
          : pool.has(hash)
            ? 'pool'
            : dropped !== undefined
              ? 'dropped'
              : 'nowhere'
        if (places.includes(place)) continue
        const isHeld = this.queued.has(hash) && up.some(look => look.pool?.has(hash))
        if (place === 'nowhere' && isHeld && places.includes('pool')) continue
        lost += 1
        first ||= `${hash} at ${name} is ${place}${this.reasonsOf(hash)}`
      }
    }
    if (lost === 0 && up.length > 0 && this.taken.size > 0) open.missing.clear()
    open.seen = this.taken.size === 0 ? 'no transaction was taken' : `${lost} elsewhere: ${first}`
  }

  /** Who let it go, and why. */
  private reasonsOf(hash: Hash): string {
    const reasons = [...this.drops].flatMap(([node, drops]) => {
      const reason = drops.get(hash)
      return reason === undefined ? [] : [`${node} ${reason}`]
    })
    return reasons.length === 0 ? '' : ` (dropped: ${reasons.join(', ')})`
  }

  /** For a run's report. */
  get counts(): { readonly taken: number; readonly bans: number; readonly dropped: number } {
    let dropped = 0
    for (const drops of this.drops.values()) dropped += drops.size
    return { taken: this.taken.size, bans: this.wasBanned.size, dropped }
  }

  /** Codes that nodes logged, with how often. */
  get coverage(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.logs)
  }

  /** Names of the evil peers that somebody banned. */
  get bannedEvil(): readonly string[] {
    const banned = [...this.wasBanned].map(key => key.split(' ')[1] ?? '')
    return evilNames(this.plan).filter(name => banned.includes(name))
  }
}

function deliveredHeads(up: readonly NodeLook[]): readonly [there: number, of: number] {
  const highest = Math.max(...up.map(({ height }) => height))
  return [up.filter(({ height }) => height === highest).length, up.length]
}
