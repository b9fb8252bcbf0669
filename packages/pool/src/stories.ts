import {
  type Block,
  type Failure,
  type Hash,
  limits,
  type StoryEvent,
  type StoryWord,
  type TxOrigin,
  type TxRecord,
  type Write,
} from '@rockpool/protocol'
import { Line, Story } from './story.ts'
import { cellsOfEvent, gistOf, type Told } from './story-pack.ts'
import { deleteStory, putStory, type StoryRow } from './story-rows.ts'

const words: readonly StoryWord[] = [
  ...(['received', 'pending', 'queued', 'replaces', 'promoted', 'demoted'] as const),
  ...(['dropped', 'rejected', 'mined', 'reinjected', 'resubmitted', 'waits'] as const),
]
const wordIndex = new Map(words.map((word, index) => [word, index]))
const reasonShift = 16

/** The turn that is being told. */
export interface Telling {
  /** Epoch ms. */
  readonly now: number
  /** Id of the message in whose turn it happens. */
  readonly cause: number
  /** Number of the head. */
  readonly block: number
}

/** How a transaction left. */
interface Leaving {
  readonly by?: Hash
  /** For what nobody told of yet. */
  readonly tx?: Told
  readonly message?: string
  /** Its sender has others here, which may now wait for it. */
  readonly leavesGap?: boolean
}

export interface StoriesParts {
  /** Most stories of transactions that are not in the pool; 0: none are told at all. */
  readonly max: number
  readonly isOwn: (hash: Hash) => boolean
}

/**
 * Every transaction the pool saw recently, with what happened to it. Those in the pool are bounded by it; of the others the newest are
 * kept: half of the bound of the dropped, three eighths of the refused, an eighth of the own in whatever state.
 */
export class Stories {
  readonly max: number
  /** How often was refused what, by code. */
  readonly rejections = new Map<string, number>()
  /** In whose turn something happened that was forgotten since; the last one. */
  forgottenCause = 0
  private readonly byHash = new Map<Hash, Story>()
  private readonly dropped: Line
  private readonly refused: Line
  private readonly own: Line
  private readonly isOwn: (hash: Hash) => boolean
  /** Reasons by number: codes, reasons of drops and origins, which are all fixed words. */
  private readonly reasons: string[] = ['']
  private readonly reasonIndex = new Map<string, number>([['', 0]])
  /** Who held a nonce that is missing now, by sender and nonce. */
  private readonly parents = new Map<string, Hash>()
  /** Own ones that went on, or were forgotten. */
  private readonly touched = new Set<Story>()
  /** How an arrival is written; it is the same for most. */
  private lastOrigin: TxOrigin | undefined
  private receivedWhat = 0
  private readonly oldestParent = this.parents.keys()

  constructor({ max, isOwn }: StoriesParts) {
    this.max = max
    this.isOwn = isOwn
    this.dropped = new Line(Math.floor(max / 2))
    this.refused = new Line(Math.floor((max * 3) / 8))
    this.own = new Line(Math.floor(max / 8))
  }

  /** Stories of transactions that are not in the pool. */
  get kept(): number {
    return this.dropped.size + this.refused.size + this.own.size
  }

  /** All stories, also of what the pool holds. */
  get size(): number {
    return this.byHash.size
  }

  get oldestMs(): number | undefined {
    const oldest = [this.dropped, this.refused, this.own].flatMap(({ oldest }) => oldest ?? [])
    return oldest.length === 0 ? undefined : Math.min(...oldest.map(({ lastAt }) => lastAt))
  }

  /** What became of own transactions since it was asked last, for the disk. That one came is known from its record there. */
  takeWrites(): readonly Write[] {
    if (this.touched.size === 0) return []
    const writes: Write[] = []
    for (const story of this.touched) {
      const { tx, origin, block, by, replaced, mined, message } = story
      const isTold = this.byHash.get(story.hash) === story
      if (!isTold) writes.push(deleteStory(tx.hash))
      else if (story.line === this.own) {
        const events = this.eventsOf(story)
        const gist = gistOf(tx)
        writes.push(putStory({ tx: gist, origin, block, by, replaced, mined, message, events }))
      }
    }
    this.touched.clear()
    return writes
  }

  /** Own stories from before a restart, whose causes nobody can follow any more. */
  restore(rows: readonly StoryRow[]): void {
    for (const { tx, origin, block, by, replaced, mined, message, events } of rows) {
      if (this.max === 0 || this.byHash.has(tx.hash)) continue
      const cells = events.flatMap(({ at, event, reason = '' }) => [
        at,
        0,
        this.what(event, reason),
      ])
      const story = new Story(tx, origin, block, cells).letGo()
      Object.assign(story, { by, replaced, mined, message })
      this.byHash.set(tx.hash, story)
      this.into(this.own, story)
    }
  }

  find(hash: Hash): Story | undefined {
    return this.byHash.get(hash)
  }

  all(): Iterable<Story> {
    return this.byHash.values()
  }

  /** Hashes that begin so, at most `most`. */
  beginning(prefix: string, most: number): Hash[] {
    const found: Hash[] = []
    for (const hash of this.byHash.keys()) {
      if (hash.startsWith(prefix) && found.push(hash) === most) break
    }
    return found
  }

  /** Who held this nonce last, if the sender still has others here. */
  parentOf(sender: string, nonce: bigint): Story | undefined {
    const hash = this.parents.get(`${sender} ${nonce}`)
    return hash === undefined ? undefined : this.byHash.get(hash)
  }

  /** Taken into the pool, or told why not. `half` where it is now. */
  added(tx: TxRecord, half: 'pending' | 'queued', origin: TxOrigin, turn: Telling): Story {
    const { now, cause } = turn
    if (origin !== this.lastOrigin) {
      this.lastOrigin = origin
      this.receivedWhat = this.what('received', origin)
    }
    const received = this.receivedWhat
    const place = half === 'pending' ? pendingWhat : this.what('queued', 'nonce-gap')
    let story = this.byHash.get(tx.hash)
    if (story === undefined) {
      story = new Story(tx, origin, turn.block, [now, cause, received, now, cause, place])
      this.byHash.set(tx.hash, story)
      if (origin === 'gossip' || origin === 'sync') return story
    } else {
      story.hold(tx)
      story.note(now, cause, received)
      story.note(now, cause, place)
    }
    // One that was replaced in the very turn it came is followed by nobody, and was submitted here all the same.
    const isSubmitted = origin === 'local' || origin === 'private'
    if (isSubmitted || this.isOwn(tx.hash)) this.into(this.own, story)
    else story.line?.leave(story)
    return story
  }

  refusedWith(tx: Told | undefined, origin: TxOrigin, failure: Failure, turn: Telling): void {
    this.rejections.set(failure.code, (this.rejections.get(failure.code) ?? 0) + 1)
    if (tx === undefined || failure.code === 'pool/known' || this.max === 0) return
    const known = this.byHash.get(tx.hash)
    // What the pool holds is not refused, whatever somebody else tries with it.
    if (known !== undefined && known.line === undefined) return
    const isOwn = this.isOwn(tx.hash)
    const what = this.what(isOwn ? 'waits' : 'rejected', failure.code)
    const { now, cause } = turn
    const story =
      known ??
      new Story(tx, origin, turn.block, [now, cause, this.what('received', origin)]).letGo()
    if (known === undefined) this.byHash.set(tx.hash, story)
    story.message = failure.message
    if (story.lastWhat !== what) story.note(now, cause, what)
    this.into(isOwn || known?.line === this.own ? this.own : this.refused, story)
    if (failure.code === 'pool/tip-below-minimum') this.noteParent(tx)
  }

  /** Something happened to a transaction that is told of; to others nothing. */
  happened(hash: Hash, word: StoryWord, turn: Telling, reason = ''): Story | undefined {
    const story = this.byHash.get(hash)
    if (story === undefined) return undefined
    story.note(turn.now, turn.cause, this.what(word, reason))
    this.touch(story)
    return story
  }

  /** It left the pool. */
  left(
    hash: Hash,
    reason: string,
    turn: Telling,
    { by, tx, message, leavesGap = false }: Leaving = {},
  ): void {
    let story = this.byHash.get(hash)
    if (story === undefined) {
      if (tx === undefined || this.max === 0) return
      story = new Story(tx, 'reorg', turn.block, [])
      this.byHash.set(hash, story)
    }
    story.by = by
    story.message = message
    if (leavesGap) this.noteParent(story.tx)
    story.note(turn.now, turn.cause, this.what(reason === 'mined' ? 'mined' : 'dropped', reason))
    story.letGo()
    this.into(story.line === this.own || this.isOwn(hash) ? this.own : this.dropped, story)
    this.touch(story)
  }

  /** Its block left the chain, and the pool has it again. */
  returned(tx: TxRecord, turn: Telling): void {
    const story = this.happened(tx.hash, 'reinjected', turn)
    if (story === undefined) return
    story.hold(tx)
    if (story.line !== this.own) story.line?.leave(story)
  }

  /** Where what joined the chain is to be found, for those that are told of. */
  inBlock({ header, txs }: Block, turn: Telling): void {
    const { number, hash } = header
    for (const [index, tx] of txs.entries()) {
      const story = this.byHash.get(tx.hash)
      if (story === undefined) continue
      story.mined = { number, index, hash }
      this.touch(story)
      const what = this.what('mined', 'mined')
      if (story.lastWhat !== what) story.note(turn.now, turn.cause, what)
    }
  }

  /** Its block left the chain. */
  outOfBlock(hash: Hash): void {
    const story = this.byHash.get(hash)
    if (story === undefined) return
    story.mined = undefined
    this.touch(story)
  }

  eventsOf(story: Story): StoryEvent[] {
    const cells = story.events
    const events: StoryEvent[] = []
    for (let index = 0; index < cells.length; index += cellsOfEvent) {
      const what = cells[index + 2] ?? 0
      const event = words[what >> reasonShift] ?? 'received'
      const reason = this.reasons[what & ((1 << reasonShift) - 1)] ?? ''
      const cause = cells[index + 1] ?? 0
      const other =
        event === 'replaces' ? story.replaced : event === 'dropped' ? story.by : undefined
      events.push({
        ...{ at: cells[index] ?? 0, event },
        ...(reason !== '' && { reason }),
        ...(other !== undefined && { other }),
        ...(cause > 0 && { cause }),
      })
    }
    return events
  }

  private into(line: Line, story: Story): void {
    line.take(story)
    if (line.size <= line.max) return
    const { oldest } = line
    if (oldest === undefined) return
    if (line === this.own) this.touched.add(oldest)
    line.leave(oldest)
    this.forgottenCause = Math.max(this.forgottenCause, oldest.lastCause)
    this.byHash.delete(oldest.hash)
  }

  private touch(story: Story): void {
    if (story.line === this.own) this.touched.add(story)
  }

  private noteParent(tx: Told): void {
    const sender = 'sender' in tx ? tx.sender : undefined
    if (sender === undefined) return
    const { nonce, hash } = tx
    const key = `${sender} ${nonce}`
    this.parents.delete(key)
    this.parents.set(key, hash)
    if (this.parents.size <= limits.storyParentsMax) return
    const { value: oldest } = this.oldestParent.next()
    if (oldest !== undefined) this.parents.delete(oldest)
  }

  private what(word: StoryWord, reason: string): number {
    let index = this.reasonIndex.get(reason)
    if (index === undefined) {
      index = this.reasons.length
      this.reasons.push(reason)
      this.reasonIndex.set(reason, index)
    }
    return ((wordIndex.get(word) ?? 0) << reasonShift) | index
  }
}

const pendingWhat = (wordIndex.get('pending') ?? 0) << reasonShift
