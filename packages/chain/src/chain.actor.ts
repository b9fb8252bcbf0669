import type { ActorRef, Behavior, Outcome } from '@rockpool/actor'
import { unreachable } from '@rockpool/actor'
import type {
  Answer,
  ChainBuild,
  ChainClockSet,
  ChainClockView,
  ChainConnect,
  ChainHead,
  ChainMessage,
  ChainOffer,
  ChainStatus,
  ChainSyncing,
  Crypto,
  NodeClear,
  NodeRaise,
  Recovery,
  Store,
  SyncFetch,
  SyncStands,
} from '@rockpool/protocol'
import { CodedError, failed, limits, ok } from '@rockpool/protocol'
import type { Upcoming } from './dev/ahead.ts'
import { Outlook } from './dev/ahead.ts'
import type { Archive } from './dev/archive.ts'
import { createArchive } from './dev/archive.ts'
import { Behind } from './dev/behind.ts'
import { ChainClock } from './dev/chain-clock.ts'
import { DevChain } from './dev/dev-chain.ts'
import type { Genesis } from './dev/genesis.ts'
import { headOf } from './dev/header.ts'
import type { Importer } from './dev/importer.ts'
import { createImporter } from './dev/importer.ts'
import type { Job } from './dev/job.ts'
import { begun, doorOf } from './dev/job.ts'
import { Orphans, type SealedBlock } from './dev/orphans.ts'
import type { Reads } from './dev/reads.ts'
import { createReads } from './dev/reads.ts'
import type { Loaded } from './dev/store.ts'
import { loadChain } from './dev/store.ts'
import { createReorgLog } from './reorg-log.ts'

export interface ChainParts {
  readonly genesis: Genesis
  /** This room's part of the database; nobody else writes there. */
  readonly store: Store
  readonly crypto: Crypto
  readonly recovery: Recovery
  /** Fetches what is missing below a block with an unknown parent, and serves the rest. */
  readonly sync: Pick<ActorRef<SyncFetch | SyncStands>, 'tell'>
  /** Told when the store takes no more, and when it does again. */
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
  /** Given the chain at every start: for whoever checks it from outside, between turns, reading only. */
  show?(chain: DevChain): void
}

/** What only the chain tells itself. */
type ToSelf =
  | { type: 'chain.loaded'; loaded: Outcome<Awaited<ReturnType<typeof loadChain>>, unknown> }
  | { type: 'chain.resume'; outcome: Outcome<unknown, unknown> }
  | { type: 'chain.next' }
  | { type: 'chain.lookAtOrphans' }
  | { type: 'chain.answered'; deliver: () => void }

type ChainFact = ChainHead | ChainSyncing | ChainClockSet

type Wish = ChainOffer | ChainConnect | { type: 'orphan'; sealed: SealedBlock }

interface Core {
  readonly chain: DevChain
  readonly archive: Archive
  readonly reads: Reads
  readonly importer: Importer
}

/**
 * The dev chain of this node: imports blocks one after the other, follows the heaviest branch and answers what others ask of it. A fact
 * `chain.head` is told only when everything it says is in the store. Reads its store at every start, so a restart goes on from there.
 */
export function chainActor(parts: ChainParts): Behavior<ChainMessage | ToSelf, ChainFact> {
  const { genesis, store, crypto, recovery, sync } = parts
  const { keccak256 } = crypto
  return ctx => {
    const orphans = new Orphans()
    const clock = new ChainClock(() => ctx.wall())
    const waiting: Wish[] = []
    const outlook = new Outlook(keccak256)
    let core: Core | null = null
    let running: Job<void> | null = null
    const behind = new Behind()
    const reorgs = createReorgLog()
    /** What sync has heard of other heads. */
    let heard = { highest: 0, tooDeep: false }
    let settled = false
    let storeFailing = false
    const door = doorOf<ChainMessage | ToSelf, ChainFact>(ctx, 'pause', outcome => ({
      type: 'chain.resume',
      outcome,
    }))

    ctx.pipe(
      () => loadChain(store, genesis, keccak256),
      loaded => ({ type: 'chain.loaded', loaded }),
      Number.POSITIVE_INFINITY,
    )

    function open(loaded: Loaded): Core {
      const chain = new DevChain({ genesis, keccak256, loaded })
      const archive = createArchive({ store, keccak256, recovery })
      const reads = createReads({ chain, archive, keccak256 })
      const importer = createImporter({
        chain,
        archive,
        store,
        crypto,
        recovery,
        orphans,
        now: () => ctx.wall(),
        clock,
        log: ctx.log,
        switched: fact => {
          const { new: head, removed, added } = fact
          // Ten thousand lines of catching up tell an operator nothing.
          ctx.log[behind.range === null ? 'info' : 'debug']('chain/head', {
            number: head.number,
            hash: head.hash,
            removed: removed.length,
            added: added.length,
          })
          reorgs.hear(fact, ctx.wall())
          tellSync(chain)
          ctx.emit(fact)
        },
        upcoming,
        stored,
        missing: ({ header, from }) => {
          const { hash, parentHash: parent, number } = header
          sync.tell({ type: 'sync.fetch', hash, parent, number, from })
        },
        freed: adopted => {
          waiting.unshift(...adopted.map(sealed => ({ type: 'orphan' as const, sealed })))
        },
      })
      return { chain, archive, reads, importer }
    }

    /** So that whoever compares heads, or is asked for ours, need not ask for it each time. */
    function tellSync({ head, totalWeight }: DevChain): void {
      sync.tell({ type: 'sync.stands', head: headOf(head), totalWeight })
    }

    /** Fetched blocks at the front of the queue. */
    function upcoming(): readonly Upcoming[] {
      const frames = waiting.flatMap(wish =>
        wish.type === 'chain.offer' && wish.via === 'fetch' ? [wish.frame] : [],
      )
      return outlook.on(frames)
    }

    /** While the disk is full nothing is imported or produced; what is there can still be read. */
    function stored(taken: boolean): void {
      if (taken !== storeFailing) return
      storeFailing = !taken
      if (taken) return parts.node?.tell({ type: 'node.clear', code: 'store-failed' })
      parts.node?.tell({
        type: 'node.raise',
        reason: {
          code: 'store-failed',
          services: [],
          text: 'the chain cannot be written: no block is imported or made',
        },
      })
    }

    function* work({ importer }: Core, wish: Wish): Job<void> {
      if (wish.type === 'chain.connect') wish.reply.tell(yield* importer.connect(wish))
      else if (wish.type === 'chain.offer') wish.reply.tell(yield* importer.offer(wish))
      else yield* importer.adopt(wish.sealed)
      armOrphans()
      lookBehind()
    }

    /** Runs the job under way to its next wait; when it is done, the next one gets a turn of its own. */
    function run(outcome: Outcome<unknown, unknown>): void {
      if (running === null) return
      const step = running.next(outcome)
      if (step.done !== true) return step.value(door)
      running = null
      if (waiting.length === 0) return
      ctx.pipe(
        () => Promise.resolve(),
        () => ({ type: 'chain.next' }),
      )
    }

    function begin(job: Job<void>): void {
      running = job
      run(begun)
    }

    function next(): void {
      if (running !== null || core === null) return
      const wish = waiting.shift()
      if (wish !== undefined) begin(work(core, wish))
    }

    function armOrphans(): void {
      const at = orphans.nextMs(chainMs => ctx.wall() + clock.realMs(chainMs - clock.now()))
      if (at === undefined) ctx.cancel('orphans')
      else ctx.after('orphans', Math.max(1, at - ctx.wall()), { type: 'chain.lookAtOrphans' })
    }

    /** Whether the chain is still, or again, in step with what it knows of. */
    function lookBehind(): void {
      if (core === null) return
      const { number } = core.chain.head
      const change = behind.look(number, Math.max(orphans.highest, heard.highest))
      if (change !== null) ctx.emit(change)
    }

    /** Peers have told where they are, and nothing of it is missing here. */
    function settle({ chain }: Core): void {
      if (settled) return
      settled = true
      const { number } = chain.head
      const at = { start: number, current: number, highest: Math.max(number, heard.highest) }
      ctx.emit({ type: 'chain.syncing', on: behind.range !== null, ...at, settled: true })
    }

    /** Blocks that waited for their time may be due, and whoever makes blocks must know. */
    function setClock(
      view: Answer<ChainClockView>,
      reply: Extract<ChainMessage, { type: 'chain.jump' }>['reply'],
    ): void {
      if (view.ok) {
        ctx.log.info('chain/clock', { ...view.value })
        ctx.emit(clock.set())
        armOrphans()
      }
      reply.tell(view)
    }

    function status({ chain }: Core): ChainStatus {
      const { head } = chain
      const diverged = chain.diverged || heard.tooDeep
      return {
        chainId: genesis.chainId,
        genesisHash: chain.genesisHash,
        head: headOf(head),
        totalWeight: chain.totalWeight,
        safe: chain.heightOf('safe'),
        finalized: chain.heightOf('finalized'),
        state: behind.range !== null ? 'syncing' : diverged ? 'diverged' : 'following',
        ...(behind.range === null ? {} : { sync: behind.range }),
      }
    }

    /** Reads the store and answers; a store that fails is a failure of ours, not of the question. */
    function answer<T>(
      read: () => Promise<T>,
      deliver: (value: T) => void,
      fail: () => void,
    ): void {
      ctx.pipe(read, outcome => ({
        type: 'chain.answered',
        deliver: () => {
          if (outcome.ok) return deliver(outcome.value)
          ctx.log.error('chain/read-failed', { error: String(outcome.error) })
          fail()
        },
      }))
    }

    /** Builds on a block so old that the way back to its state must be read first. */
    function buildDeep({ chain, archive }: Core, message: ChainBuild): void {
      const { parent, reply } = message
      const wanted = chain.missingUndos(parent)
      return answer(
        async () =>
          new Map(
            await Promise.all(wanted.map(async hash => [hash, await archive.undo(hash)] as const)),
          ),
        found => {
          const undos = new Map(
            [...found].flatMap(([hash, undo]) => (undo === null ? [] : [[hash, undo] as const])),
          )
          reply.tell(chain.build(message, undos))
        },
        () => reply.tell(failed('load/internal')),
      )
    }

    return message => {
      if (message.type === 'chain.loaded') {
        core = open(loadedOrThrow(message.loaded))
        parts.show?.(core.chain)
        ctx.log.info('chain/opened', { number: core.chain.head.number, hash: core.chain.head.hash })
        tellSync(core.chain)
        begin(core.importer.follow())
        return ctx.unstash()
      }
      if (core === null) return ctx.stash(message)
      const { chain, reads } = core
      switch (message.type) {
        case 'chain.offer': {
          if (waiting.length >= limits.importQueueMax) {
            return message.reply.tell({ code: 'load/mailbox-full' })
          }
          waiting.push(message)
          return next()
        }
        case 'chain.connect': {
          waiting.unshift(message)
          return next()
        }
        case 'chain.build':
          if (chain.missingUndos(message.parent).length > 0) return buildDeep(core, message)
          return message.reply.tell(chain.build(message))
        case 'chain.getStatus':
          return message.reply.tell(status(core))
        case 'chain.heard': {
          const { highest, tooDeep } = message
          heard = { highest, tooDeep }
          lookBehind()
          if (message.settled === true) settle(core)
          return
        }
        case 'chain.setSpeed':
          return setClock(clock.setSpeed(message.speed), message.reply)
        case 'chain.jump':
          return setClock(clock.jump(message.ms), message.reply)
        case 'chain.getReorgs': {
          const producers = [...chain.judge.faults].map(([producer, faults]) => ({
            producer,
            ...faults,
          }))
          return message.reply.tell({ reorgs: reorgs.list(), producers })
        }
        case 'chain.getBlock': {
          const { id, reply } = message
          const here = reads.blockNow(id)
          if (here !== undefined) return reply.tell(ok(here))
          return answer(
            () => reads.block(id),
            block => reply.tell(ok(block)),
            () => reply.tell(failed('load/internal')),
          )
        }
        case 'chain.getTransaction': {
          const { hash, reply } = message
          return answer(
            () => reads.transaction(hash),
            mined => reply.tell(ok(mined)),
            () => reply.tell(failed('load/internal')),
          )
        }
        case 'chain.getAccounts': {
          const { addresses, at = { tag: 'latest' }, reply } = message
          const here = reads.accountsNow(addresses, at)
          if (here !== null) return reply.tell(here)
          return answer(
            () => reads.accounts(addresses, at),
            accounts => reply.tell(accounts),
            () => reply.tell(failed('load/internal')),
          )
        }
        case 'chain.getFeeHistory': {
          const { count, newest, percentiles, reply } = message
          return answer(
            () => reads.fees(count, newest, percentiles),
            history => reply.tell(history),
            () => reply.tell(failed('load/internal')),
          )
        }
        case 'chain.suggestTip': {
          const { reply } = message
          return answer(
            () => reads.tip(),
            tip => reply.tell(tip),
            () => reply.tell(reads.lastTip()),
          )
        }
        case 'chain.getFrames': {
          const { want, reply } = message
          return answer(
            () => reads.frames(want),
            frames => reply.tell(frames),
            () => reply.tell(failed('load/internal')),
          )
        }
        case 'chain.answered':
          return message.deliver()
        case 'chain.resume':
          return run(message.outcome)
        case 'chain.next':
          return next()
        case 'chain.lookAtOrphans': {
          const due = orphans.takeDue(ctx.wall(), clock.now())
          waiting.unshift(...due.map(sealed => ({ type: 'orphan' as const, sealed })))
          armOrphans()
          lookBehind()
          return next()
        }
        default:
          return unreachable(message)
      }
    }
  }
}

/** Without its chain a node cannot run: what keeps it from loading is for whoever started it. */
function loadedOrThrow(outcome: Outcome<Awaited<ReturnType<typeof loadChain>>, unknown>): Loaded {
  if (!outcome.ok) throw outcome.error
  if (!outcome.value.ok) throw new CodedError(outcome.value.code, outcome.value.message)
  return outcome.value.value
}
