import type { Log } from '@rockpool/actor'
import type {
  Answer,
  Block,
  BuiltBlock,
  ChainHead,
  ChainOffer,
  Crypto,
  Hash,
  ImportOutcome,
  Recovery,
  Store,
  Write,
} from '@rockpool/protocol'
import { encodeBlockFrame, failed, limits, ok } from '@rockpool/protocol'
import type { Upcoming } from './ahead.ts'
import { Ahead } from './ahead.ts'
import type { Archive } from './archive.ts'
import { bodyMatches } from './block.ts'
import type { ChainClock } from './chain-clock.ts'
import type { DevChain } from './dev-chain.ts'
import type { Path } from './fork-choice.ts'
import type { Job } from './job.ts'
import { breathe, pause, piped } from './job.ts'
import type { Orphans, SealedBlock } from './orphans.ts'
import type { Resident } from './residents.ts'

export type Importer = ReturnType<typeof createImporter>

/** A disk that was full is tried again after this. Milliseconds. */
const writeRetryMs = 1_000
/** Blocks read back from the store at once. */
const readPage = 32
/** Reading and writing wait as long as it takes: nothing else may happen to the chain meanwhile. */
const patiently = Number.POSITIVE_INFINITY

export interface ImporterParts {
  readonly chain: DevChain
  readonly archive: Archive
  readonly store: Store
  readonly crypto: Crypto
  readonly recovery: Recovery
  readonly orphans: Orphans
  /** Wall time: how long things are remembered. */
  readonly now: () => number
  /** What block times are held against. */
  readonly clock: ChainClock
  readonly log: Log
  /** The head has changed and all of it is in the store. */
  readonly switched: (fact: ChainHead) => void
  /** A block came whose parent is not here. */
  readonly missing: (sealed: SealedBlock) => void
  /** Whether the store took the last batch. */
  readonly stored: (taken: boolean) => void
  /** Blocks whose parent has come. */
  readonly freed: (sealed: readonly SealedBlock[]) => void
  /** Fetched blocks that come next, in order. */
  readonly upcoming: () => readonly Upcoming[]
}

/** What goes into the last batch of an import besides the block, and whether that must be on the disk when it resolves. */
interface Writing {
  readonly extra: readonly Write[]
  readonly sync: boolean
}

const plainly: Writing = { extra: [], sync: false }

/**
 * The course of a block from the door to the head: every check in its order, then fork choice, then the store, then the head. One import
 * at a time; the jobs made here are run by the actor.
 */
export function createImporter(parts: ImporterParts) {
  const { chain, archive, store, crypto, recovery, orphans, now, clock, log } = parts
  const { keccak256 } = crypto
  const ahead = new Ahead({ crypto, recovery })

  /** A block from outside. */
  function* offer({ frame, from, via }: Omit<ChainOffer, 'reply'>): Job<ImportOutcome> {
    const opened = chain.judge.open(frame, from, via, now())
    if ('code' in opened) return opened
    const { hash, producer } = opened.header
    const signer = yield* piped(() => ahead.signer({ frame, hash }))
    if (!signer.ok) return { code: 'load/internal', hash }
    if (signer.value !== producer) return { code: 'chain/bad-signature', hash, check: 'signer' }
    return yield* adopt(opened)
  }

  /** A block whose seal is known to be its producer's. */
  function* adopt(sealed: SealedBlock): Job<ImportOutcome> {
    const { header, frame, encoded, via } = sealed
    const { hash } = header
    const place = chain.judge.place(sealed, now(), clock.now())
    if (place?.code === 'chain/unknown-parent') {
      orphans.add(sealed, now(), null)
      if (via === 'gossip') parts.missing(sealed)
    }
    if (place?.code === 'chain/in-future') {
      const atMs = header.timeMs - limits.blockFutureMs
      orphans.add(sealed, now(), { atMs, waitMs: clock.realMs(atMs - clock.now()) })
    }
    if (place !== null) return place
    const body = yield* piped(() => {
      const opened = ahead.body(frame)
      ahead.begin(parts.upcoming())
      return opened
    })
    if (!body.ok) return { code: 'load/internal', hash }
    if (!body.value.ok) {
      const isOurs = body.value.code === 'load/internal'
      return isOurs
        ? { code: 'load/internal', hash }
        : { code: 'chain/block-undecodable', hash, check: 'transaction' }
    }
    if (!bodyMatches(header, frame.txs, keccak256)) {
      return { code: 'chain/bad-body-root', hash, check: 'transactions-root' }
    }
    const block = { header, txs: body.value.value, seal: frame.seal, size: encoded.length }
    const refused = chain.admit(block, { encodedHeader: frame.header, encoded, via })
    return refused ?? (yield* settle(hash, plainly))
  }

  /** This node's own block: on the disk, with what was signed, before anybody hears of it. */
  function* connect(own: {
    readonly built: BuiltBlock
    readonly seal: Uint8Array
    readonly forced?: boolean
  }): Job<Answer<Block>> {
    const { built, seal, forced = false } = own
    const { header, txs, size } = built.block
    const signed = chain.signedOn(header.parentHash)
    const { director, producers } = chain.genesis
    const isDirector = header.producer === director
    const mayRepeat = isDirector || (forced && director === null && producers.length === 1)
    if (signed !== undefined && signed !== header.hash && !mayRepeat) {
      return failed('chain/double-sign')
    }
    const place = chain.judge.place({ header, via: 'fetch' }, now(), clock.now())
    if (place !== null) return failed(place.code, place.check)
    const block = { header, txs, seal, size }
    const raws = txs.map(({ raw }) => raw)
    const encoded = encodeBlockFrame({ header: built.header, txs: raws, seal })
    const refused = chain.admit(block, { encodedHeader: built.header, encoded, via: 'fetch' })
    if (refused !== null) return failed(refused.code)
    const extra = isDirector ? [] : chain.signedWrites(header)
    const outcome = yield* settle(header.hash, { extra, sync: true })
    const isIn = outcome.code === 'chain/imported' || outcome.code === 'chain/side-branch'
    if (isIn) return ok(block)
    const isRefused = outcome.code === 'load/internal'
    return failed(outcome.code, isRefused ? 'the store did not take the block' : outcome.check)
  }

  /** At start: a crash may have left the head below the heaviest branch that is stored. */
  function* follow(): Job<void> {
    yield* advance(undefined, plainly)
  }

  /** An admitted block is put where fork choice wants it, and written. */
  function* settle(hash: Hash, writing: Writing): Job<ImportOutcome> {
    const failures = yield* advance(hash, writing)
    const node = chain.node(hash)
    if (node === undefined) {
      const check = failures?.get(hash) ?? 'ancestor'
      return failures === null
        ? { code: 'load/internal', hash }
        : { code: 'chain/invalid-body', hash, check }
    }
    if (!chain.isCanonical(hash)) {
      const writes = [...chain.sideWrites(hash), ...writing.extra]
      if (!(yield* write(writes, writing.sync))) {
        chain.withdraw(hash)
        return { code: 'load/internal', hash }
      }
      chain.markStored(hash)
      if (writing.extra.length > 0) chain.markSigned(node.header)
    }
    parts.freed(orphans.takeChildren(hash))
    return { code: chain.isCanonical(hash) ? 'chain/imported' : 'chain/side-branch', hash }
  }

  /**
   * Makes the heaviest valid block the head. Tells which blocks failed on the way, and why; null when the store did not take the new
   * head, which is then as if `own` had never come.
   */
  function* advance(own: Hash | undefined, writing: Writing): Job<Map<Hash, string> | null> {
    const failures = new Map<Hash, string>()
    for (;;) {
      const path = chain.plan(failures.size === 0 ? own : undefined)
      if (path === null) return failures
      const read = yield* readMissing(path)
      const change = read === null ? null : chain.prepare(path, read)
      if (change === null) {
        // Without the bodies of a branch nothing can be said about it; the head stays.
        log.error('chain/branch-unreadable', { tip: path.added.at(-1)?.hash })
        if (own !== undefined && chain.node(own)?.encoded !== null) chain.withdraw(own)
        return null
      }
      let result = change.branch.run(limits.executeTxsPerTurn)
      while (result === 'more') {
        yield* breathe()
        result = change.branch.run(limits.executeTxsPerTurn)
      }
      if (result !== 'done') {
        failures.set(result.hash, result.check)
        log.warn('chain/invalid-body', { hash: result.hash, check: result.check })
        chain.fail(result, now())
        continue
      }
      const batches = chain.switchWrites(change)
      const top = path.added.at(-1)?.hash
      const isOwn = own !== undefined && top === own
      if (isOwn) batches.at(-1)?.push(...writing.extra)
      for (const [index, batch] of batches.entries()) {
        const isLast = index === batches.length - 1
        let written = yield* write(batch, isOwn && isLast && writing.sync)
        if (!written && index === 0) {
          if (own !== undefined && chain.node(own)?.encoded !== null) chain.withdraw(own)
          return null
        }
        // Half of a reorg is on the disk: memory may not go on from the other half.
        while (!written) {
          yield* pause(writeRetryMs)
          written = yield* write(batch, isOwn && isLast && writing.sync)
        }
      }
      const fact = chain.commit(change)
      const header = isOwn ? chain.node(own)?.header : undefined
      if (header !== undefined && writing.extra.length > 0) chain.markSigned(header)
      parts.switched(fact)
      return failures
    }
  }

  function* write(writes: readonly Write[], sync: boolean): Job<boolean> {
    const written = yield* piped(() => store.batch(writes, { sync }), patiently)
    if (!written.ok) log.error('chain/store-failed', { error: String(written.error) })
    parts.stored(written.ok)
    return written.ok
  }

  /** Bodies and undo steps of a path that are not in memory; null when one of them is not in the store either. */
  function* readMissing(path: Path): Job<ReadonlyMap<Hash, Resident> | null> {
    const { removed, added } = chain.missing(path)
    const found = new Map<Hash, Resident>()
    const wanted = [
      ...removed.map(hash => ({ hash, undo: true })),
      ...added.map(hash => ({ hash, undo: false })),
    ]
    for (let from = 0; from < wanted.length; from += readPage) {
      const page = wanted.slice(from, from + readPage)
      const read = yield* piped(() => Promise.all(page.map(readBack)), patiently)
      if (!read.ok) {
        log.error('chain/read-failed', { error: String(read.error) })
        return null
      }
      for (const resident of read.value) {
        if (resident === null) return null
        found.set(resident.block.header.hash, resident)
      }
    }
    return found
  }

  async function readBack(wanted: { hash: Hash; undo: boolean }): Promise<Resident | null> {
    const archived = await archive.block(wanted.hash)
    if (archived === null) return null
    if (!wanted.undo) return { block: archived.block }
    const undo = await archive.undo(wanted.hash)
    return undo === null ? null : { block: archived.block, receipts: archived.receipts, undo }
  }

  return { offer, adopt, connect, follow }
}
