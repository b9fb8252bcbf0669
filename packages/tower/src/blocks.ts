import type { Outcome } from '@rockpool/actor'
import { type Breach, type BreachView, limits, type Write } from '@rockpool/protocol'
import { release } from './appointments.ts'
import type { Commits } from './commits.ts'
import {
  deleteRow,
  type Floor,
  isAsleep,
  nameOf,
  type ToWatcher,
  type WatcherContext,
} from './floor.ts'
import { Follower, type Step } from './follower.ts'
import type { HomeBlock, HomeTx, Place } from './home.ts'
import { type Gathered, gather } from './matching.ts'
import { markOf } from './reading.ts'
import { encodeBranch, type UserRow } from './rows.ts'
import { trigger } from './trigger.ts'

export interface BlocksParts {
  readonly ctx: WatcherContext
  readonly floor: Floor
  readonly commits: Commits
  readonly branch: readonly Place[]
  readonly respond: (breaches: readonly Breach[]) => void
  /** The first place on the chain is known: requests can be answered. */
  readonly opened: (place: Place, isFresh: boolean) => void
  readonly ready: () => void
}

/**
 * The watcher's way along the chain. Block by block: who is outdated goes, the block is compared with what is waited for, and effects and
 * place are one write. The next block begins when that is on disk; a crash replays one block at most.
 */
export function createBlocks(parts: BlocksParts) {
  const { ctx, floor, commits, respond } = parts
  const { store, home, config } = floor.parts
  const follower = new Follower(parts.branch)
  const breaches: BreachView[] = []
  /** Users whose rows are gone but for trackers that live on: not looked for again at every block. */
  const lingering = new Set<string>()
  let head: Place | undefined
  let isBusy = false
  let isReady = false
  let isOpen = false
  let isFresh = false
  let failures = 0
  let isPruned = false
  let lastBlockMs = ctx.wall()
  /** Heights still to be read for the cache alone; undefined until it is known where the chain stands. */
  let warming: number[] | undefined

  function hear(place: Place): void {
    head = place
    lastBlockMs = ctx.wall()
    if (follower.tip === undefined) {
      follower.reset(place)
      isFresh = true
      commits.push([mark([place])], () => {})
    }
    warming ??= heightsBelow(follower.tip?.height ?? place.height)
    follower.aim(place)
    go()
  }

  /** The last blocks up to the tip, oldest first. */
  function heightsBelow(tip: number): number[] {
    const first = Math.max(1, tip - config.locatorCacheBlocks + 1)
    return Array.from({ length: Math.max(0, tip - first + 1) }, (_, index) => first + index)
  }

  /** Asks for the next block that is needed, if any is and nothing is under way. */
  function go(): void {
    if (isBusy || head === undefined) return
    const warm = warming?.[0]
    if (warm !== undefined) return ask(warm)
    if (!isOpen) open()
    const due = follower.due()
    if (due !== undefined) return apply(due)
    const height = follower.next()
    const again = follower.due()
    if (again !== undefined) return apply(again)
    if (height !== undefined) return ask(height)
    if (follower.isLost) return lost()
    if (isReady) return
    isReady = true
    parts.ready()
  }

  /** The last blocks are known: what is taken from now on is compared with them and with every block to come. */
  function open(): void {
    const { tip } = follower
    if (tip === undefined) return
    isOpen = true
    floor.height = tip.height
    parts.opened(tip, isFresh)
  }

  function ask(height: number): void {
    isBusy = true
    home.block<ToWatcher>(ctx, height, outcome => ({
      type: 'watcher.then',
      then: () => onBlock(height, outcome),
    }))
  }

  function onBlock(height: number, outcome: Outcome<HomeBlock | null, unknown>): void {
    isBusy = false
    if (!outcome.ok) return outcome.error === 'pruned' ? pruned(height) : waitAndRetry()
    isPruned = false
    failures = 0
    const block = outcome.value
    if (warming?.[0] === height) {
      warming.shift()
      const isOwn = follower.places.some(({ hash }) => hash === block?.hash)
      // Below what is remembered nothing contradicts it.
      if (block !== null && (isOwn || height < (follower.places[0]?.height ?? 0)))
        floor.cache.connect(block)
      return go()
    }
    const step = follower.take(block)
    if (step !== undefined) return apply(step)
    if (block !== null) return go()
  }

  /** A block that cannot be had is asked for until it can: none is ever skipped. */
  function waitAndRetry(): void {
    failures += 1
    const { towerBlockRetryMinMs, towerBlockRetryMaxMs } = limits
    const delay = Math.min(towerBlockRetryMaxMs, towerBlockRetryMinMs * 2 ** (failures - 1))
    ctx.after('block', delay, { type: 'watcher.retry' })
  }

  /** The chain's node has thrown away what is needed next. It may be given another that has not. */
  function pruned(height: number): void {
    if (warming?.[0] === height) {
      // Only what is new is compared with it, and that has been looked at.
      warming.shift()
      return go()
    }
    if (config.forceUpdate && head !== undefined) return startFrom(head)
    isPruned = true
    ctx.log.error('tower/backend-lost', { why: 'pruned', remedy: '--tower.force_update' })
    waitAndRetry()
  }

  /** The fork is deeper than what is remembered. Skipping blocks is for an operator to decide. */
  function lost(): void {
    if (!config.forceUpdate || head === undefined) {
      ctx.log.error('tower/backend-lost', { why: 'deep-reorg', remedy: '--tower.force_update' })
      return
    }
    startFrom(head)
  }

  function startFrom(place: Place): void {
    follower.reset(place)
    warming = heightsBelow(place.height)
    commits.push([mark([place])], () => {})
    if (isOpen) floor.height = place.height
    go()
  }

  function apply({ removed, added }: Step): void {
    isBusy = true
    for (const place of removed) floor.cache.disconnect(place)
    if (added.length > 0) return connectFrom(added, 0)
    commits.push([mark(follower.places)], stored => {
      isBusy = false
      if (!stored) return
      floor.height = follower.tip?.height ?? 0
      go()
    })
  }

  function connectFrom(added: readonly HomeBlock[], index: number): void {
    const block = added[index]
    if (block === undefined) {
      isBusy = false
      return go()
    }
    floor.cache.connect(block)
    floor.touched.clear()
    const hits = isAsleep(floor) ? [] : hitsOf(block)
    // What was decided before this block may still be on its way to the disk.
    commits.push([], stored => {
      if (stored) look(block, hits, () => connectFrom(added, index + 1))
    })
  }

  function hitsOf({ txs }: HomeBlock): HomeTx[] {
    const hits = floor.index.match(txs.map(({ txid }) => txid))
    return hits.flatMap(at => txs[at] ?? [])
  }

  function look(block: HomeBlock, hits: readonly HomeTx[], next: () => void): void {
    const outdated = floor.gate
      .outdated(block.height)
      .filter(({ user }) => !lingering.has(nameOf(user)))
    const endsBelow = Math.max(0, block.height - config.expiryDelta)
    ctx.pipe(
      () => gather({ store, open: home.open, block, hits, outdated, endsBelow }),
      (outcome): ToWatcher => ({
        type: 'watcher.then',
        then: () => {
          if (outcome.ok) return write(block, hits, outdated, outcome.value, next)
          ctx.after('look', limits.towerStoreRetryMs, {
            type: 'watcher.then',
            then: () => look(block, hits, next),
          })
        },
      }),
      Number.POSITIVE_INFINITY,
    )
  }

  function write(
    block: HomeBlock,
    hits: readonly HomeTx[],
    outdated: readonly UserRow[],
    gathered: Gathered,
    next: () => void,
  ): void {
    const writes: Write[] = [
      ...floor.gate.takeReturns(block.height),
      ...expire(block.height, outdated, gathered),
    ]
    // Only when all who are outdated are gone has the block happened.
    if (gathered.more) {
      commits.push(writes, stored => stored && look(block, hits, next))
      return
    }
    const { effects, answered, closed } = answer(block, gathered)
    const place = { hash: block.hash, height: block.height }
    const branch = follower.places.filter(({ height }) => height <= block.height)
    commits.push([...writes, ...effects, mark(branch)], stored => {
      if (!stored) return
      floor.height = place.height
      if (answered.length > 0) respond(answered)
      if (answered.length + closed.length > 0)
        ctx.emit({
          type: 'breach.seen',
          height: place.height,
          tracked: answered.map(({ uuid }) => uuid),
          closed,
        })
      next()
    })
  }

  function expire(height: number, users: readonly UserRow[], gathered: Gathered): Write[] {
    const writes: Write[] = []
    const gone = new Set(floor.gate.outdated(height).map(({ user }) => nameOf(user)))
    for (const row of gathered.outdated) {
      // He may have come back between the look and now.
      if (!gone.has(nameOf(row.user)) || floor.touched.has(nameOf(row.uuid))) continue
      floor.touched.add(nameOf(row.uuid))
      writes.push(...deleteRow(floor, row), ...floor.gate.charge(row.user, -row.slots, -1))
    }
    for (const row of gathered.ended) {
      if (floor.touched.has(nameOf(row.uuid))) continue
      floor.touched.add(nameOf(row.uuid))
      writes.push(...release(floor, row))
    }
    if (gathered.more) return writes
    for (const { user } of users) {
      const row = floor.gate.get(user)
      if (row === undefined || !gone.has(nameOf(user))) continue
      if (row.held === 0) writes.push(...floor.gate.remove(user))
      else lingering.add(nameOf(user))
    }
    return writes
  }

  function answer(block: HomeBlock, { found }: Gathered) {
    const effects: Write[] = []
    const answered: Breach[] = []
    const closed: Uint8Array[] = []
    const place = { hash: block.hash, height: block.height }
    for (const { row, tx, opened } of found) {
      if (floor.touched.has(nameOf(row.uuid))) continue
      const { writes, breach } = trigger(floor, row, { tx, block: place }, opened, row)
      effects.push(...writes)
      if (breach === undefined) closed.push(row.uuid)
      else answered.push(breach)
      remember(block, tx, row.locator, breach !== undefined)
    }
    return { effects, answered, closed }
  }

  function remember(block: HomeBlock, tx: HomeTx, locator: Uint8Array, isAnswered: boolean): void {
    const [newest] = breaches
    const shown = home.shown(tx.txid)
    const isSame = newest?.disputeTxid === shown && newest.height === block.height
    const sofar = isSame ? newest : { tracked: 0, closed: 0 }
    const view: BreachView = {
      ...{ atMs: ctx.wall(), height: block.height, disputeTxid: shown, locator },
      tracked: sofar.tracked + (isAnswered ? 1 : 0),
      closed: sofar.closed + (isAnswered ? 0 : 1),
    }
    if (isSame) breaches[0] = view
    else breaches.unshift(view)
    if (breaches.length > limits.towerBreachesKept) breaches.pop()
  }

  function mark(places: readonly Place[]): Write {
    const kept = places.slice(-limits.towerHashesKept)
    return { type: 'put', key: markOf('watcher'), value: encodeBranch(kept) }
  }

  return {
    ...{ hear, go, breaches },
    /** A user has lost his last tracker: the next block looks at him again. */
    unlinger: (user: Uint8Array) => lingering.delete(nameOf(user)),
    get behind() {
      return head === undefined ? 0 : Math.max(0, head.height - floor.height)
    },
    get isLost() {
      return follower.isLost || isPruned
    },
    get isReady() {
      return isReady
    },
    tipAgeMs: () => ctx.wall() - lastBlockMs,
  }
}
