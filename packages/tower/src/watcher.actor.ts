import {
  type ActorRef,
  type Behavior,
  type Mailbox,
  type Outcome,
  unreachable,
} from '@rockpool/actor'
import {
  type Answer,
  type Breach,
  type Fact,
  failed,
  limits,
  type NodeClear,
  type NodeRaise,
  type ResponderMessage,
  type TrackerView,
  type WatcherClosed,
  type WatcherExplain,
  type WatcherMessage,
  type WatcherReopen,
  type WatcherResolved,
  type WatcherStats,
} from '@rockpool/protocol'
import { release } from './appointments.ts'
import { createBlocks } from './blocks.ts'
import { createCommits } from './commits.ts'
import { createDesk, type Desk } from './desk.ts'
import {
  closeRow,
  createFloor,
  isAsleep,
  nameOf,
  putRow,
  rowsOf,
  type ToWatcher,
  type WatcherParts,
} from './floor.ts'
import { createGatekeeper } from './gatekeeper.ts'
import type { Place } from './home.ts'
import { LocatorCache } from './locator-cache.ts'
import { LocatorIndex } from './locator-index.ts'
import { type Loaded, readRows, readTower } from './reading.ts'
import { type AppointmentRow, keyIn } from './rows.ts'
import { plainHex } from './signing.ts'
import { StoreMended } from './store-mended.ts'
import { createViews } from './views.ts'

export interface WatcherActorParts extends WatcherParts {
  readonly responder: ActorRef<ResponderMessage>
  /** Hears whether the store can be written. */
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
}

type Message = WatcherMessage | ToWatcher

/** Heads overtake requests: nobody is told of a height that is gone. */
export const watcherMailbox: Mailbox<WatcherMessage> = {
  capacity: limits.mailbox.watcher,
  urgent: ({ type }) => type === 'chain.head' || type === 'watcher.head',
}

/** Keeps appointments, sees in each block which of them have come true, and hands those to the responder. */
export function watcherActor(parts: WatcherActorParts): Behavior<Message, Fact> {
  const { config, crypto, key, store, home, responder, node } = parts
  return ctx => {
    const gate = createGatekeeper({
      config,
      isPublicKey: crypto.isPublicKey,
      sha256: crypto.sha256,
    })
    // Of this process and told to nobody: enough to keep users from choosing locators that meet in one place.
    const seed = ctx.int(0x1_0000) * 0x1_0000 + ctx.int(0x1_0000)
    const index = new LocatorIndex(seed)
    const floor = createFloor(parts, gate, index, new LocatorCache(config.locatorCacheBlocks))
    const commits = createCommits(ctx, store, 'watcher.stored')
    const desk = createDesk({ ctx, floor, commits, respond })
    let blocks: ReturnType<typeof createBlocks> | undefined
    let head: Place | undefined
    let isOpen = false
    let corrupt = 0
    let failures = 0
    let backendLost: string | undefined
    let wasAsleep = true
    ctx.log.info('tower/key', { tower_id: plainHex(key.id) })
    load()

    function respond(breaches: readonly Breach[]): void {
      for (const { uuid } of breaches)
        ctx.log.info('tower/tracker', { msg: 'New tracker added', uuid: nameOf(uuid) })
      responder.tell({ type: 'responder.respond', breaches })
    }

    function load(): void {
      ctx.pipe(
        () => readTower(store, index),
        (outcome): ToWatcher => ({ type: 'watcher.then', then: () => onLoaded(outcome) }),
        Number.POSITIVE_INFINITY,
      )
    }

    function onLoaded(outcome: Outcome<Loaded, unknown>): void {
      if (!outcome.ok) throw new TypeError('the tower cannot be read', { cause: outcome.error })
      const { users, returning, counts, branch } = outcome.value
      for (const row of users) gate.load(row)
      for (const each of returning) gate.loadReturning(each)
      Object.assign(floor.counts, counts)
      corrupt = outcome.value.corrupt.length
      for (const row of outcome.value.corrupt) ctx.log.error('tower/corrupt-row', { key: row })
      wasAsleep = isAsleep(floor)
      const tip = branch.at(-1)
      ctx.log.info('tower/boot', {
        msg: tip === undefined ? 'Fresh bootstrap' : 'Bootstrapping from backed up data',
      })
      if (tip !== undefined)
        ctx.log.info('tower/boot', { msg: `Last known block: ${tip.hash} (${tip.height})` })
      blocks = createBlocks({
        ...{ ctx, floor, commits, branch, respond },
        opened() {
          isOpen = true
          ctx.log.info('tower/open', { msg: 'Bootstrap completed. Turning on interfaces' })
        },
        ready: () => ctx.log.info('tower/ready', { msg: 'Tower ready' }),
      })
      if (head !== undefined) blocks.hear(head)
      home.tip<Message>(ctx, place => ({
        type: 'watcher.then',
        then: () => {
          // What was heard meanwhile is newer.
          if (head === undefined) hear(place)
        },
      }))
    }

    function hear(place: Place | undefined): void {
      if (place === undefined) return
      head = place
      blocks?.hear(place)
    }

    /** Nobody is served before it is known where the chain stands, while the disk fails, and when too many are. */
    function serve<R>(reply: { tell(answer: Answer<R>): void }, act: (desk: Desk) => void): void {
      if (isOpen && failures === 0 && !desk.isFull) return act(desk)
      desk.counts.set('tower/busy', (desk.counts.get('tower/busy') ?? 0) + 1)
      reply.tell(failed('tower/busy'))
    }

    /** Rows that the responder speaks of; those that are gone are gone already. */
    function withRows(
      uuids: readonly Uint8Array[],
      act: (rows: readonly AppointmentRow[]) => void,
    ): void {
      commits.push([], stored => {
        if (!stored) return
        desk.later(
          () => readRows(store, uuids),
          outcome => outcome.ok && act(outcome.value.filter(({ phase }) => phase === 'tracked')),
        )
      })
    }

    function resolved({ uuids }: WatcherResolved): void {
      withRows(uuids, rows => {
        commits.push(
          rows.flatMap(row => release(floor, row)),
          () => {},
        )
        for (const { user } of rows) blocks?.unlinger(user)
      })
    }

    function reopen({ uuids }: WatcherReopen): void {
      withRows(uuids, rows => {
        const writes = rows.flatMap(row => [
          ...putRow(floor, { ...row, phase: 'watched' }, row),
          ...trackerGone(row),
        ])
        commits.push(writes, () => {})
      })
    }

    function closed({ uuids, reason }: WatcherClosed): void {
      withRows(uuids, rows => {
        const why = {
          ...{ reason, height: floor.height },
          ...{ disputeTxid: new Uint8Array(32), disputeBlock: undefined },
        }
        const writes = rows.flatMap(row => [...closeRow(floor, row, why, row), ...trackerGone(row)])
        commits.push(writes, () => {})
      })
    }

    const trackerGone = ({ uuid }: AppointmentRow) =>
      [keyIn('tracker', uuid), keyIn('raws', uuid)].map(gone => ({
        type: 'del' as const,
        key: gone,
      }))

    function stats(): WatcherStats {
      return {
        towerId: key.id,
        users: gate.size,
        ...floor.counts,
        slotsFree: gate.free,
        asleep: isAsleep(floor),
        state: stateNow(),
        height: floor.height,
        blocksBehind: blocks?.behind ?? 0,
        tipAgeMs: blocks?.tipAgeMs() ?? 0,
        locators: index.size,
        indexBytes: index.bytes,
        corruptRows: corrupt,
        counts: new Map(desk.counts),
      }
    }

    function stateNow(): WatcherStats['state'] {
      if (failures > 0) return 'failing'
      if (!isOpen || blocks === undefined) return 'starting'
      if (blocks.isLost || backendLost !== undefined) return 'backend-lost'
      if (isAsleep(floor)) return 'asleep'
      return blocks.behind > 0 ? 'catching-up' : 'following'
    }

    const views = createViews({ store, home, floor, later: desk.later })

    function explain({ subject, reply }: WatcherExplain): void {
      ctx.ask<ResponderMessage, Answer<readonly TrackerView[]>>(
        responder,
        answer => ({ type: 'responder.explain', reply: answer }),
        limits.towerAnswerMs,
        outcome => ({
          type: 'watcher.then',
          then: () => {
            const trackers = outcome.ok && outcome.value.ok ? outcome.value.value : []
            views.explain(subject, trackers, reply)
          },
        }),
      )
    }

    /** What memory says is not on the disk: nobody is served until the disk can be read and written again, and all is read anew. */
    function onFailed(): void {
      failures += 1
      ctx.log.error('store/failed', { room: 'tower', failures })
      node?.tell({
        type: 'node.raise',
        reason: { code: 'store-failed', services: [], text: 'the tower cannot write' },
      })
      ctx.after('reload', limits.towerStoreRetryMs, { type: 'watcher.reload' })
    }

    /** Writes where it was. That done, this life ends, and the next one reads everything. */
    function reload(): void {
      const probe = keyIn('mark', new TextEncoder().encode('probe'))
      ctx.pipe(
        () => store.batch([{ type: 'put', key: probe, value: new Uint8Array(1) }], { sync: true }),
        (outcome): ToWatcher => ({
          type: 'watcher.then',
          then: () => {
            if (!outcome.ok) return onFailed()
            node?.tell({ type: 'node.clear', code: 'store-failed' })
            throw new StoreMended()
          },
        }),
      )
    }

    function handle(message: Message): void {
      switch (message.type) {
        case 'chain.head':
          return hear(home.headOf(message))
        case 'watcher.head':
          return hear(message.head)
        case 'watcher.backend':
          backendLost = message.lost
          return blocks?.go()
        case 'watcher.register':
          return serve(message.reply, desk => desk.register(message))
        case 'watcher.add':
          return serve(message.reply, desk => desk.add(message))
        case 'watcher.get':
          return serve(message.reply, desk => desk.get(message))
        case 'watcher.subscription':
          return serve(message.reply, desk => desk.subscription(message))
        case 'watcher.delete':
          return serve(message.reply, desk => desk.takeAway(message))
        case 'watcher.resolved':
          return resolved(message)
        case 'watcher.reopen':
          return reopen(message)
        case 'watcher.closed':
          return closed(message)
        case 'watcher.info':
          return message.reply.tell(stats())
        case 'watcher.list':
          return views.list(message)
        case 'watcher.users':
          return message.reply.tell(views.users())
        case 'watcher.user':
          return views.user(message)
        case 'watcher.breaches':
          return message.reply.tell(blocks?.breaches.slice() ?? [])
        case 'watcher.explain':
          return explain(message)
        case 'watcher.stored':
          if (!commits.onStored(message)) onFailed()
          return
        case 'watcher.then':
          return message.then()
        case 'watcher.retry':
          return blocks?.go()
        case 'watcher.reload':
          return reload()
        default:
          return unreachable(message)
      }
    }

    return message => {
      handle(message)
      if (failures > 0) return
      desk.recoverNext()
      commits.flush()
      noteSleep()
    }

    function noteSleep(): void {
      if (!isOpen || isAsleep(floor) === wasAsleep) return
      wasAsleep = !wasAsleep
      ctx.log.info(wasAsleep ? 'tower/slept' : 'tower/woke', { rows: rowsOf(floor) })
    }
  }
}
