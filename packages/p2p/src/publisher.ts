import type { Context } from '@rockpool/actor'
import {
  decodeBlockFrame,
  encodeBlockAnnounce,
  type GossipBlock,
  type GossipDrain,
  type GossipRepublish,
  type Hash,
  limits,
  messageId,
  type NetworkPort,
  type PoolChanged,
  type PoolEvent,
  type Topic,
  type TxRecord,
} from '@rockpool/protocol'
import { type Batch, createBatcher, encodeBatch } from './batch.ts'
import type { Heard, ToSelf } from './own-messages.ts'
import { createSeen } from './seen.ts'

export interface PublisherParts {
  readonly network: Pick<NetworkPort, 'publish'>
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly topics: { readonly tx: Topic; readonly block: Topic }
  readonly count: (word: string, by?: number) => void
}

/** What this node has to say. One batch is under way at a time, so that batches keep their order; one that nobody heard goes first again. */
export function createPublisher(ctx: Context<Heard>, parts: PublisherParts) {
  const { network, topics, count } = parts
  const batcher = createBatcher({ salt: () => 1 + ctx.int(0xffff_ffff) })
  /** Submitted to this node: these are published again when a reorg puts them back. */
  const own = createSeen<true>(limits.ownTxsMax)
  let underWay = false
  let resting = false
  let draining: GossipDrain['reply'] | undefined

  /** Transactions that entered pending and that no router relayed. What came by sync spreads by sync, what is private does not spread. */
  function publish({ events }: PoolChanged): void {
    for (const event of events) {
      const again = own.get(event.tx.hash) === true
      if (isSubmittedHere(event)) own.set(event.tx.hash, true)
      if (isOurs(event, again)) add(event.tx, again || event.origin !== 'local')
    }
  }

  function isOurs(event: PoolEvent, published: boolean): boolean {
    const { origin, relayed } = event
    if (relayed) return false
    return isSubmittedHere(event) || origin === 'gossip' || (origin === 'reorg' && published)
  }

  function republish({ txs }: GossipRepublish): void {
    for (const tx of txs) add(tx, true)
  }

  /** `again`: routers may know a message with just this in it. */
  function add(tx: TxRecord, again: boolean): void {
    if (!batcher.add(tx, again, ctx.now())) count('refused')
  }

  /** Sends the next batch if one waits and none is under way. To be called after everything else. */
  function send(): void {
    if (underWay || (resting && !draining)) return
    const batch = batcher.take()
    if (!batch) return finish()
    underWay = true
    const bytes = encodeBatch(batch)
    const id = messageId(parts.sha256, topics.tx, bytes)
    ctx.log.debug('gossip/publish', { id: Buffer.from(id).toString('hex'), txs: batch.txs.length })
    ctx.pipe(
      () => network.publish(topics.tx, bytes),
      outcome => ({ type: 'gossip.published', batch, outcome }),
    )
  }

  function published({ batch, outcome }: ToSelf & { type: 'gossip.published' }): void {
    const heard = outcome.ok && outcome.value.recipients > 0
    if (!heard) count('unheard')
    if (!batch) return
    underWay = false
    if (heard) {
      count(batch.kind === 'batch' ? 'batches' : 'announced')
      count('entries', batch.txs.length)
    } else if (!draining) rest(batch)
  }

  /** Nobody listens yet: trying the next batch at once would only spend it too. */
  function rest(batch: Batch): void {
    batcher.putBack(batch)
    resting = true
    ctx.after('retry', limits.batchRetryMs, { type: 'gossip.retry' })
  }

  function retry(): void {
    resting = false
  }

  /** This node's new block, whole or as an announcement. Nobody hears: they ask for our head once they are there. */
  function publishBlock({ frame }: GossipBlock): void {
    const bytes = frame.length <= limits.gossipBlockBytesMax ? frame : announcementOf(frame)
    if (!bytes) return ctx.log.error('p2p/own-block-unreadable', { bytes: frame.length })
    count('blocks')
    ctx.pipe(
      () => network.publish(topics.block, bytes),
      outcome => ({ type: 'gossip.published', outcome }),
    )
  }

  /** Closes the batch being gathered when its time has come. */
  function flush(): void {
    const { dueMs } = batcher
    if (dueMs === undefined || ctx.now() < dueMs) return
    batcher.close()
  }

  /** Sends what waits, once, and answers. */
  function drain(reply: GossipDrain['reply']): void {
    draining = reply
    batcher.close()
  }

  function finish(): void {
    if (!draining || underWay) return
    draining.tell()
    draining = { tell() {} }
  }

  return {
    publish,
    republish,
    add,
    send,
    published,
    retry,
    publishBlock,
    flush,
    drain,
    /** Forgets what is in a block by now. */
    drop: (hashes: ReadonlySet<Hash>) => batcher.drop(hashes),
    get dueMs() {
      return batcher.dueMs
    },
  }
}

/** By a user of this node, in this run or one before. */
function isSubmittedHere({ origin }: PoolEvent): boolean {
  return origin === 'local' || origin === 'journal'
}

function announcementOf(frame: Uint8Array): Uint8Array | undefined {
  const decoded = decodeBlockFrame(frame)
  return decoded.ok ? encodeBlockAnnounce(decoded.value) : undefined
}
