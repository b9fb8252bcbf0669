import {
  type Address,
  type ChainHead,
  createRecovery,
  decodeTx,
  type Hash,
  type PoolChanged,
  type Recovery,
  type TxRecord,
} from '@rockpool/protocol'
import type { Book, Edge, SimNode, WorldView } from '../api.ts'
import type { Shelf } from './chain-book.ts'

/** What a node answered for: this transaction, under this sender and nonce. */
interface Vow {
  readonly hash: Hash
  readonly sender: Address
  readonly nonce: number
  /** Boot in which it was promised, or in which it was last seen to be followed. */
  boot: number
  /** It was in a block of that node's branch, in that boot. */
  minedIn: number | undefined
}

interface Asked {
  readonly node: number
  readonly raw: Uint8Array
  readonly sinceMs: number
  tx?: TxRecord
}

type Promises = Map<string, Vow>

/** After a start: the journal is read, senders are recovered, accounts are asked for. */
const reloadMs = 30_000
/** A drain's own deadline, and what follows it: goodbyes, closing. */
const drainMs = 30_000
const drainSlackMs = 5_000
const lastWrites = 3

/**
 * What nodes have promised to those who submitted: a transaction that was accepted is followed until its nonce is used, through refusals,
 * reorgs, crashes and orderly stops.
 */
export function localBook(shelf: Shelf): Book {
  const promised = new Map<number, Promises>()
  /** How each node's last life ended. */
  const ends = new Map<number, 'kill' | 'stop'>()
  const draining = new Map<number, number>()
  const stoppedAt = new Map<number, Hash>()
  /** Submissions under way: to whom, since when, and what they hold. */
  const asked = new Set<Asked>()
  /** Per node: when a sender and nonce was last mined there, and by which transaction. */
  const used = new Map<number, Map<string, { readonly atMs: number; readonly hash: Hash }>>()
  /** Per node: what its pool dropped because the nonce was used, and the head at which it was. */
  const dropped = new Map<number, Map<Hash, Hash>>()
  let recovery: Recovery | undefined

  function ask(node: number, raw: Uint8Array, world: WorldView): void {
    const asking: Asked = { node, raw, sinceMs: world.nowMs }
    asked.add(asking)
    const decoded = decodeTx(raw, bytes => world.crypto.keccak256(bytes))
    if (!decoded.ok) return
    recovery ??= createRecovery(world.crypto, BigInt(world.genesis.chainId))
    recovery.recover([decoded.value]).then(
      ([answer]) => {
        if (answer?.ok !== true) return
        asking.tx = answer.value
        shelf.ledger.know(answer.value)
      },
      () => {},
    )
  }

  function promise({ node, sinceMs, tx }: Asked, boot: number): void {
    if (tx === undefined) return
    const { hash, sender, nonce } = tx
    const key = `${sender} ${nonce}`
    const of = promised.get(node) ?? new Map<string, Vow>()
    promised.set(node, of)
    // Of one sender and nonce the newest is followed, and no other any more.
    of.delete(key)
    // While the answer waited for the disk, another one used the nonce.
    if (isUsedAt(dropped.get(node)?.get(hash), sender, Number(nonce))) return
    const last = used.get(node)?.get(key)
    if (last !== undefined && last.atMs >= sinceMs && last.hash !== hash) return
    of.set(key, { hash, sender, nonce: Number(nonce), boot, minedIn: undefined })
  }

  /** A newer one of this nonce is under way, which may have taken its place and lost it again before it is answered for. */
  function isContested(node: number, { sender, nonce, hash }: Vow): boolean {
    for (const { node: to, tx } of asked) {
      if (to !== node || tx === undefined || tx.hash === hash) continue
      if (tx.sender === sender && Number(tx.nonce) === nonce) return true
    }
    return false
  }

  /** A pool may lag behind its chain, so it is asked at the pool's head, and of the ledger. */
  function isUsedAt(head: Hash | undefined, sender: Address, nonce: number): boolean {
    return head !== undefined && (shelf.ledger.nonce(head, sender) ?? 0) > nonce
  }

  function poolChanged(node: SimNode, fact: PoolChanged): void {
    const of = promised.get(node.index)
    const drops = dropped.get(node.index) ?? new Map<Hash, Hash>()
    dropped.set(node.index, drops)
    for (const { hash, reason } of fact.dropped) {
      if (reason !== 'nonce-used') continue
      drops.set(hash, fact.head)
      for (const [key, vow] of of ?? []) {
        if (vow.hash === hash && isUsedAt(fact.head, vow.sender, vow.nonce)) of?.delete(key)
      }
    }
  }

  function check(node: SimNode, world: WorldView): void {
    const of = promised.get(node.index)
    const { pool, tracker } = node.running?.inside() ?? {}
    const head = shelf.heads.get(node.index)
    if (of === undefined || tracker === undefined || pool === undefined || head === undefined)
      return
    if (!node.up || world.nowMs - node.upSinceMs < reloadMs || pool.head.hash !== head) return
    for (const [key, vow] of of) {
      const { hash, sender, nonce } = vow
      if (tracker.has(hash)) {
        vow.boot = node.boots
        vow.minedIn = undefined
        continue
      }
      const next = shelf.ledger.nonce(head, sender)
      if (next === undefined) continue
      if (next > nonce) {
        if (!shelf.ledger.isMined(hash, head) || vow.minedIn !== node.boots) of.delete(key)
        continue
      }
      if (isContested(node.index, vow)) continue
      // A newer one of the same nonce is followed instead.
      if (tracker.list().some(tx => tx.from === sender && Number(tx.nonce) === nonce)) continue
      of.delete(key)
      if (vow.minedIn !== undefined && vow.minedIn !== node.boots) continue
      world.violate({
        id: idOf(node, vow),
        kind: 'correctness',
        text: `${hash} (${sender} ${nonce}) was accepted in boot ${vow.boot} and is not followed in boot ${node.boots}`,
        node: node.name,
      })
    }
  }

  function idOf({ boots, index }: SimNode, { boot }: Vow): string {
    if (boot === boots) return 'local-evicted'
    return ends.get(index) === 'stop' ? 'drain-changed-state' : 'journal-roundtrip'
  }

  function lived({ node, life }: Extract<Edge, { type: 'life' }>, world: WorldView): void {
    const began = draining.get(node)
    draining.delete(node)
    if (life === 'kill' || life === 'stop') ends.set(node, life)
    if (life === 'stop' && began !== undefined) {
      late(node, began, world)
      const head = shelf.stopped.get(node)
      if (head !== undefined) stoppedAt.set(node, head)
    }
    if (life === 'open') comeBack(node, world)
  }

  function late(node: number, began: number, world: WorldView): void {
    const tookMs = world.nowMs - began
    // What is written last is still waited for.
    if (tookMs <= drainMs + drainSlackMs + lastWrites * world.options.disk.meanMs) return
    world.violate({
      id: 'drain-late',
      kind: 'liveness',
      text: `stopping took ${Math.round(tookMs)} ms of ${drainMs}`,
      node: `n${node}`,
    })
  }

  /** After an orderly stop the chain goes on from the head that was told last, or from one on top of it. */
  function comeBack(node: number, world: WorldView): void {
    const before = stoppedAt.get(node)
    stoppedAt.delete(node)
    const now = world.nodes[node]?.running?.inside().chain?.head.hash
    if (before === undefined || now === undefined) return
    const { ledger } = shelf
    if (before === now || ledger.page(now) === undefined || ledger.isOn(before, now)) return
    world.violate({
      id: 'drain-changed-state',
      kind: 'correctness',
      text: `stopped at ${before}, came back at ${now}`,
      node: `n${node}`,
    })
  }

  /** Mined, it comes back with a reorg in the same life; when another one used its nonce, it is done with, even if that one leaves again. */
  function headMoved(node: SimNode, { added }: ChainHead, atMs: number): void {
    const of = promised.get(node.index)
    const places = used.get(node.index) ?? new Map<string, { atMs: number; hash: Hash }>()
    used.set(node.index, places)
    for (const { sender, nonce, hash } of added.flatMap(({ txs }) => txs)) {
      const key = `${sender} ${nonce}`
      places.set(key, { atMs, hash })
      const vow = of?.get(key)
      // Nobody knows after a restart that it was promised, unless it was followed again before it was mined.
      if (vow?.hash === hash && vow.boot === node.boots) vow.minedIn = node.boots
      else if (vow !== undefined) of?.delete(key)
    }
  }

  return {
    ids: ['local-evicted', 'journal-roundtrip', 'drain-late', 'drain-changed-state'],
    fact(node, fact, world) {
      if (fact.type === 'chain.head') headMoved(node, fact, world.nowMs)
      if (fact.type === 'pool.changed') poolChanged(node, fact)
    },
    edge(edge, world) {
      if (edge.type === 'submitted') ask(edge.node, edge.raw, world)
      if (edge.type === 'answered') {
        const { node, raw, answer } = edge
        const asking = [...asked].find(open => open.node === node && open.raw === raw)
        if (asking === undefined) return
        asked.delete(asking)
        const isFollowed = answer.ok && answer.value.tracked !== false
        if (isFollowed) promise(asking, world.nodes[node]?.boots ?? 0)
      }
      if (edge.type === 'life') lived(edge, world)
      if (edge.type === 'log' && edge.code === 'node/state' && edge.fields['to'] === 'draining') {
        draining.set(edge.node, world.nowMs)
      }
    },
    checkpoint(world) {
      for (const node of world.nodes) check(node, world)
      for (const [node, began] of draining) late(node, began, world)
    },
  }
}
