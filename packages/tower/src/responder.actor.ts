import {
  type ActorRef,
  type Behavior,
  type Mailbox,
  type Outcome,
  unreachable,
} from '@rockpool/actor'
import {
  type Breach,
  type Fact,
  limits,
  ok,
  type ResponderExplain,
  type ResponderMessage,
  type ResponderStats,
  type Store,
  type TrackerState,
  type WatcherMessage,
  type Write,
} from '@rockpool/protocol'
import { Carrier, type Job } from './carrier.ts'
import { type CommitMessage, createCommits } from './commits.ts'
import type { TowerConfig } from './config.ts'
import { Follower, type Step } from './follower.ts'
import type { Home, HomeBlock, Place } from './home.ts'
import { markOf, pages, readBranch } from './reading.ts'
import { decodeRaws, decodeTracker, encodeBranch, keyIn, rangeOf, type TrackerRow } from './rows.ts'
import { plainHex } from './signing.ts'
import { StoreMended } from './store-mended.ts'
import { afterSend, judge, type Sent } from './tracker.ts'
import { Trackers } from './trackers.ts'
import { TxIndex } from './tx-index.ts'

export interface ResponderActorParts {
  readonly config: Pick<TowerConfig, 'txIndexBlocks' | 'rebroadcastDispute' | 'forceUpdate'>
  readonly store: Store
  readonly home: Home
  readonly watcher: Pick<ActorRef<WatcherMessage>, 'tell'>
}

type ToSelf =
  | CommitMessage<'responder.stored'>
  | { type: 'responder.then'; then: () => void }
  | { type: 'responder.retry' }
  | { type: 'responder.probe' }
type Message = ResponderMessage | ToSelf

interface Loaded {
  readonly trackers: readonly TrackerRow[]
  readonly branch: readonly Place[]
}

/** Heads overtake everything else: a breach is judged where the chain stands. */
export const responderMailbox: Mailbox<ResponderMessage> = {
  capacity: limits.mailbox.responder,
  urgent: ({ type }) => type === 'chain.head' || type === 'responder.head',
}

/**
 * Answers breaches until nobody can undo the answer. Walks the chain on its own, judges every tracker after each batch of blocks, writes that,
 * and only then sends and tells the watcher what is over. What is refused is tried again for as long as it may still be taken.
 */
export function responderActor(parts: ResponderActorParts): Behavior<Message, Fact> {
  const { config, store, home, watcher } = parts
  return ctx => {
    const trackers = new Trackers()
    const index = new TxIndex(config.txIndexBlocks)
    const carrier = new Carrier()
    const commits = createCommits(ctx, store, 'responder.stored')
    const broadcasts = new Map<string, number>()
    const answered = new Set<string>()
    let follower: Follower | undefined
    let head: Place | undefined
    let isFailing = false
    let warming: number[] | undefined
    let isBusy = false
    let isReady = false
    let failures = 0
    let early: Breach[] = []
    load()

    const height = () => follower?.tip?.height ?? 0
    const then = (act: () => void): ToSelf => ({ type: 'responder.then', then: act })

    function load(): void {
      ctx.pipe(
        () => readResponder(store),
        outcome => then(() => onLoaded(outcome)),
        Number.POSITIVE_INFINITY,
      )
    }

    function onLoaded(outcome: Outcome<Loaded, unknown>): void {
      if (!outcome.ok) throw new TypeError('trackers cannot be read', { cause: outcome.error })
      follower = new Follower(outcome.value.branch)
      for (const row of outcome.value.trackers) {
        trackers.add(row, height())
        if (row.penaltyBlock !== undefined) answered.add(plainHex(row.uuid))
      }
      if (head !== undefined) hear(head)
      home.tip<Message>(ctx, place =>
        then(() => {
          // What was heard meanwhile is newer.
          if (head === undefined) hear(place)
        }),
      )
    }

    function hear(place: Place | undefined): void {
      if (place === undefined) return
      head = place
      if (follower === undefined) return
      if (follower.tip === undefined) {
        follower.reset(place)
        commits.push([mark(follower)], () => {})
      }
      warming ??= heightsBelow(follower.tip?.height ?? place.height)
      follower.aim(place)
      go()
    }

    function heightsBelow(tip: number): number[] {
      const first = Math.max(1, tip - config.txIndexBlocks + 1)
      return Array.from({ length: Math.max(0, tip - first + 1) }, (_, at) => first + at)
    }

    function go(): void {
      if (isBusy || follower === undefined || head === undefined) return
      const warm = warming?.[0]
      if (warm !== undefined) return ask(warm)
      if (!isReady) begin(follower)
      const due = follower.due()
      if (due !== undefined) return apply(follower, due)
      const next = follower.next()
      const again = follower.due()
      if (again !== undefined) return apply(follower, again)
      if (next !== undefined) return ask(next)
      if (follower.isLost && config.forceUpdate) {
        follower.reset(head)
        commits.push([mark(follower)], () => {})
      }
    }

    /** The last blocks are known: what was answered while nobody looked is found now, and sending may begin. */
    function begin(at: Follower): void {
      isReady = true
      for (const row of trackers.rows()) trackers.set(placed(row, at), height())
      const breaches = early
      early = []
      respond(breaches)
      judgeAll()
    }

    function ask(wanted: number): void {
      isBusy = true
      home.block<Message>(ctx, wanted, outcome => then(() => onBlock(wanted, outcome)))
    }

    function onBlock(wanted: number, outcome: Outcome<HomeBlock | null, unknown>): void {
      isBusy = false
      if (follower === undefined) return
      if (!outcome.ok) {
        if (outcome.error === 'pruned' && warming?.[0] === wanted) {
          warming.shift()
          return go()
        }
        // A block that nobody has any more is not looked at when its operator says so.
        if (outcome.error === 'pruned' && config.forceUpdate && head !== undefined) {
          follower.reset(head)
          warming = heightsBelow(head.height)
          commits.push([mark(follower)], () => {})
          return go()
        }
        failures += 1
        const { towerBlockRetryMinMs, towerBlockRetryMaxMs } = limits
        const delay = Math.min(towerBlockRetryMaxMs, towerBlockRetryMinMs * 2 ** (failures - 1))
        return ctx.after('block', delay, { type: 'responder.retry' })
      }
      failures = 0
      const block = outcome.value
      if (warming?.[0] === wanted) {
        warming.shift()
        const isOwn = follower.places.some(({ hash }) => hash === block?.hash)
        if (block !== null && (isOwn || wanted < (follower.places[0]?.height ?? 0)))
          index.connect(block)
        return go()
      }
      const step = follower.take(block)
      if (step !== undefined) return apply(follower, step)
      if (block !== null) go()
    }

    function apply(at: Follower, { removed, added }: Step): void {
      for (const place of removed) {
        index.disconnect(place)
        trackers.disconnect(place)
      }
      for (const block of added) {
        index.connect(block)
        trackers.connect(block)
      }
      carrier.newBlock()
      isBusy = true
      judgeAll([mark(at)], () => {
        isBusy = false
        go()
      })
    }

    /** Judges all, writes what changed with the place on the chain, and then acts. */
    function judgeAll(marks: readonly Write[] = [], done: () => void = () => {}): void {
      const over = {
        resolve: [] as Uint8Array[],
        reopen: [] as Uint8Array[],
        lost: [] as Uint8Array[],
      }
      const jobs: Job[] = []
      const confirmed: Uint8Array[] = []
      for (const before of trackers.rows()) {
        const { row, need } = judge(before, height(), config)
        trackers.set(row, height())
        const name = plainHex(row.uuid)
        if (row.penaltyBlock === undefined) answered.delete(name)
        else if (!answered.has(name)) {
          answered.add(name)
          confirmed.push(row.uuid)
        }
        if (need === 'send' || need === 'send-both') jobs.push(jobOf(row, need === 'send-both'))
        else if (need !== 'nothing') over[need].push(row.uuid)
      }
      commits.push([...trackers.takeWrites(), ...marks], stored => {
        if (!stored) return
        finish(over)
        const at = { height: height() }
        if (confirmed.length > 0) ctx.emit({ type: 'breach.answered', ...at, uuids: confirmed })
        if (over.resolve.length > 0)
          ctx.emit({ type: 'breach.resolved', ...at, uuids: over.resolve })
        for (const job of jobs) carrier.push(job)
        sendNext()
        done()
      })
    }

    function jobOf(row: TrackerRow, withDispute: boolean): Job {
      const { penaltyTxid, uuid, disputeBlock } = row
      return { penaltyTxid, uuid, withDispute, height: disputeBlock?.height ?? height() }
    }

    /** The watcher deletes, or watches again: rows, trackers and bytes in one write of its own. Told again after a crash. */
    function finish(over: Record<'resolve' | 'reopen' | 'lost', readonly Uint8Array[]>): void {
      for (const uuids of Object.values(over)) {
        for (const uuid of uuids) {
          trackers.remove(uuid)
          answered.delete(plainHex(uuid))
        }
      }
      if (over.resolve.length > 0) watcher.tell({ type: 'watcher.resolved', uuids: over.resolve })
      if (over.reopen.length > 0) watcher.tell({ type: 'watcher.reopen', uuids: over.reopen })
      if (over.lost.length > 0)
        watcher.tell({ type: 'watcher.closed', uuids: over.lost, reason: 'lost' })
    }

    function respond(breaches: readonly Breach[]): void {
      if (!isReady || follower === undefined) {
        early.push(...breaches)
        return
      }
      const fresh: TrackerRow[] = []
      for (const { uuid, disputeTxid, disputeBlock, penaltyTxid } of breaches) {
        const known = trackers.get(uuid)
        if (known !== undefined) {
          trackers.set(placed({ ...known, disputeBlock }, follower), height())
          continue
        }
        const row: TrackerRow = {
          ...{
            uuid,
            state: 'seen',
            disputeTxid,
            disputeBlock,
            penaltyTxid,
            penaltyBlock: undefined,
          },
          ...{ since: height(), reason: '', tries: 0 },
        }
        trackers.add(row, height())
        const found = placed(row, follower)
        trackers.set(found, height())
        fresh.push(found)
      }
      if (fresh.length > 0) judgeAll()
    }

    /** Where dispute and penalty are on the own chain. A block above the own tip is believed until the chain says otherwise. */
    function placed(row: TrackerRow, at: Follower): TrackerRow {
      const { disputeBlock } = row
      const isAhead = disputeBlock !== undefined && disputeBlock.height > height()
      const isOwn = at.places.some(({ hash }) => hash === disputeBlock?.hash)
      const isOld = disputeBlock !== undefined && disputeBlock.height < (at.places[0]?.height ?? 0)
      const kept = isAhead || isOwn || isOld ? disputeBlock : undefined
      return {
        ...row,
        disputeBlock: index.find(row.disputeTxid) ?? kept,
        penaltyBlock: index.find(row.penaltyTxid) ?? row.penaltyBlock,
      }
    }

    /** What was refused is sent once more without waiting for a block. */
    function again(): void {
      go()
      if (!isReady || isBusy) return
      carrier.newBlock()
      judgeAll()
    }

    function sendNext(): void {
      for (let job = carrier.take(); job !== undefined; job = carrier.take()) send(job)
    }

    function send(job: Job): void {
      ctx.pipe(
        async () => {
          const bytes = await store.get(keyIn('raws', job.uuid))
          return bytes && decodeRaws(bytes)
        },
        outcome =>
          then(() => {
            const raws = outcome.ok ? outcome.value : undefined
            if (raws === undefined) return onSent(job, { class: 'deferred', reason: 'store' })
            if (!job.withDispute) return sendPenalty(job, raws.penalty)
            if (raws.dispute.length === 0) return onDispute(job, raws.penalty, undefined)
            home.send<Message>(ctx, raws.dispute, sent =>
              then(() => onDispute(job, raws.penalty, sent)),
            )
          }),
      )
    }

    function onDispute(job: Job, penalty: Uint8Array, sent: Sent | undefined): void {
      if (sent?.class === 'satisfied') return sendPenalty(job, penalty)
      carrier.done(job)
      count('dispute-refused')
      sendNext()
    }

    function sendPenalty(job: Job, penalty: Uint8Array): void {
      home.send<Message>(ctx, penalty, sent => then(() => onSent(job, sent)))
    }

    function onSent(job: Job, sent: Sent): void {
      carrier.done(job)
      count(sent.class)
      const invalid: Uint8Array[] = []
      for (const row of trackers.answeredBy(job.penaltyTxid)) {
        const what = sent.class === 'satisfied' ? 'sent' : `${sent.class}: ${sent.reason}`
        trackers.set(afterSend(row, sent, height()), height(), what)
        if (sent.class === 'invalid' && row.disputeBlock !== undefined) invalid.push(row.uuid)
      }
      const level = sent.class === 'satisfied' ? 'info' : 'warn'
      ctx.log[level]('tower/broadcast', { penalty: home.shown(job.penaltyTxid), ...sent })
      commits.push(trackers.takeWrites(), stored => {
        if (!stored || invalid.length === 0) return
        for (const uuid of invalid) trackers.remove(uuid)
        watcher.tell({ type: 'watcher.closed', uuids: invalid, reason: 'invalid' })
      })
      sendNext()
    }

    function count(what: string): void {
      broadcasts.set(what, (broadcasts.get(what) ?? 0) + 1)
    }

    function mark(at: Follower): Write {
      return { type: 'put', key: markOf('responder'), value: encodeBranch(at.places) }
    }

    function explain({ uuids, reply }: ResponderExplain): void {
      const wanted = uuids ?? trackers.rows().map(({ uuid }) => uuid)
      reply.tell(
        ok(wanted.slice(0, limits.towerListMax).flatMap(uuid => trackers.view(home, uuid) ?? [])),
      )
    }

    function stats(): ResponderStats {
      const states = new Map<TrackerState, number>()
      const deferred = new Map<string, number>()
      for (const { state, reason } of trackers.rows()) {
        states.set(state, (states.get(state) ?? 0) + 1)
        if (state === 'deferred') deferred.set(reason, (deferred.get(reason) ?? 0) + 1)
      }
      return { states, deferred, broadcasts: new Map(broadcasts), height: height() }
    }

    /** What memory says is not on the disk: nothing is sent before the disk can be written again and all is read anew. */
    function onFailed(): void {
      isFailing = true
      ctx.log.error('store/failed', { room: 'tower', who: 'responder' })
      ctx.after('probe', limits.towerStoreRetryMs, { type: 'responder.probe' })
    }

    function probe(): void {
      const key = keyIn('mark', new TextEncoder().encode('responder probe'))
      ctx.pipe(
        () => store.batch([{ type: 'put', key, value: new Uint8Array(1) }], { sync: true }),
        outcome =>
          then(() => {
            if (!outcome.ok) return onFailed()
            throw new StoreMended()
          }),
      )
    }

    function handle(message: Message): void {
      switch (message.type) {
        case 'chain.head':
          return hear(home.headOf(message))
        case 'responder.head':
          return hear(message.head)
        case 'responder.again':
          return again()
        case 'responder.respond':
          return respond(message.breaches)
        case 'responder.explain':
          return explain(message)
        case 'responder.getStats':
          return message.reply.tell(stats())
        case 'responder.stored':
          if (!commits.onStored(message)) onFailed()
          return
        case 'responder.probe':
          return probe()
        case 'responder.then':
          return message.then()
        case 'responder.retry':
          return go()
        default:
          return unreachable(message)
      }
    }

    return message => {
      handle(message)
      if (!isFailing) commits.flush()
    }
  }
}

async function readResponder(store: Store): Promise<Loaded> {
  const trackers: TrackerRow[] = []
  for await (const page of pages(store, rangeOf('tracker'))) {
    for (const { key, value } of page) {
      const row = decodeTracker(key.slice(1), value)
      if (row !== undefined) trackers.push(row)
    }
  }
  return { trackers, branch: await readBranch(store, 'responder') }
}
