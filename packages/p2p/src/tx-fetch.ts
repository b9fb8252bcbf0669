import type { Context, Outcome } from '@rockpool/actor'
import {
  decodePoolSyncAnswer,
  encodePoolSyncRequest,
  type Hash,
  type HashPrefix,
  hashOf,
  limits,
  type NetworkPort,
  type PeerId,
  prefixOf,
  type StaticContext,
  type TxAnnounce,
} from '@rockpool/protocol'
import type { Case } from './docket.ts'
import type { Entry, Intake } from './intake.ts'
import { createLately } from './lately.ts'
import type { Heard } from './own-messages.ts'
import type { ChargeReason } from './reasons.ts'
import type { JudgedCode } from './verdict.ts'

/** An announcement whose transactions are on their way from who made it. */
export interface Fetch {
  readonly entered: Case
  readonly dueMs: number
  /** What has not come yet. */
  readonly wanted: Map<HashPrefix, TxAnnounce>
  readonly raws: Uint8Array[]
  /** What needs no body, or came as something else. */
  readonly closed: Entry[]
}

export interface TxFetchParts {
  readonly network: Pick<NetworkPort, 'request'>
  readonly poolSync: string
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly intake: Intake
  readonly context: () => StaticContext
  readonly report: Report
  /** Everything that comes has come. */
  readonly fetched: (entered: Case, entries: readonly Entry[]) => void
}

/** Tells of a peer's offence in a message. */
export type Report = (peer: PeerId, reason: ChargeReason, detail: string, evidence: string) => void

type Why = 'unserved' | 'busy' | 'mismatch'

/**
 * Fetches transactions too large for gossip from the peer that announced them, which must have judged them itself. What it does not serve
 * within 1.5 s is relayed to nobody; pool sync finds it later.
 */
export function createTxFetch(ctx: Pick<Context<Heard>, 'now' | 'pipe'>, parts: TxFetchParts) {
  const { network, poolSync, keccak256, intake, context, report, fetched: hand } = parts
  /** Announcements from the begin of the fetch to the verdict. */
  const open = new Map<Case, PeerId>()
  /** Fewer than others serve us, for pool sync asks them too. */
  const asked = createLately(limits.poolSyncWindowMs, limits.poolSyncPeersMax)

  /** A code when nothing is fetched. */
  function begin(entered: Case, announced: readonly TxAnnounce[]): JudgedCode | undefined {
    const hashes = new Set(announced.map(({ hash }) => hash))
    if (hashes.size < announced.length) return 'gossip/duplicate-entry'
    const ofPeer = [...open.values()].filter(peer => peer === entered.from).length
    if (open.size >= limits.announcedTxsMax || ofPeer >= limits.announcedTxsPerPeer) {
      return 'load/queue-full'
    }
    open.set(entered, entered.from)
    const dueMs = ctx.now() + limits.announcedTxsMs
    const fetch: Fetch = { entered, dueMs, wanted: new Map(), raws: [], closed: [] }
    for (const announce of announced) {
      const closed = intake.closedAlready(announce.hash)
      if (closed) fetch.closed.push(closed)
      else fetch.wanted.set(prefixOf(announce.hash), announce)
    }
    ask(fetch)
    return undefined
  }

  function ask(fetch: Fetch): void {
    const { from } = fetch.entered
    const leftMs = fetch.dueMs - ctx.now()
    if (fetch.wanted.size === 0) return finish(fetch)
    if (leftMs <= 0) return finish(fetch, 'unserved')
    if (!asked.take(from, limits.announcedGetsPerPeer, ctx.now())) return finish(fetch, 'busy')
    const request = encodePoolSyncRequest({ kind: 'get', prefixes: [...fetch.wanted.keys()] })
    const bounds = { bytesMax: limits.poolSyncAnswerBytesMax, deadlineMs: leftMs }
    ctx.pipe(
      () => network.request(from, poolSync, request, bounds),
      outcome => ({ type: 'gossip.fetched', fetch, outcome }),
    )
  }

  function fetched(fetch: Fetch, outcome: Outcome<readonly Uint8Array[], unknown>): void {
    if (!outcome.ok) return finish(fetch, 'unserved')
    const [frame] = outcome.value
    const decoded = frame && decodePoolSyncAnswer(frame, 'get')
    if (!decoded?.ok) {
      const { from, id } = fetch.entered
      report(from, 'sync/bad-reply', decoded ? decoded.code : 'not one frame', id)
      return finish(fetch, 'unserved')
    }
    const { value } = decoded
    if (value.kind !== 'txs') return finish(fetch, 'busy')
    if (value.txs.length === 0) return finish(fetch, 'unserved')
    for (const raw of value.txs) {
      const hash = hashOf(keccak256(raw))
      if (take(fetch, hash, raw)) continue
      fetch.closed.push({ hash, code: 'gossip/announce-mismatch' })
      return finish(fetch, 'mismatch')
    }
    ask(fetch)
  }

  /** False for a body that is not the one announced. */
  function take({ wanted, raws }: Fetch, hash: Hash, raw: Uint8Array): boolean {
    const announce = wanted.get(prefixOf(hash))
    if (announce?.hash !== hash) return false
    if (Math.abs(announce.size - raw.length) > limits.announcedSizeSlack) return false
    wanted.delete(prefixOf(hash))
    raws.push(raw)
    return true
  }

  function finish(fetch: Fetch, why?: Why): void {
    const { entered, wanted, raws, closed } = fetch
    if (why === 'unserved')
      report(entered.from, 'liveness/request-timeout', 'announced', entered.id)
    for (const { hash } of wanted.values()) closed.push({ hash, code: 'gossip/not-served' })
    const examined = intake.examine(raws, context()) ?? []
    hand(entered, [...closed, ...examined])
  }

  return {
    begin,
    fetched,
    /** True for one whose fetch had begun. */
    end: (entered: Case): boolean => open.delete(entered),
  }
}
