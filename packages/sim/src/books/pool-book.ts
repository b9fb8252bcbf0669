import { checkInvariants, defaultPoolConfig, type Pool } from '@rockpool/pool'
import type { Address, PoolChanged, PoolContent, TxRecord } from '@rockpool/protocol'
import type { Book, SimNode, WorldView } from '../api.ts'
import type { Shelf } from './chain-book.ts'

/** The pool of every node: order, gaps, limits, and that nothing is replaced for less than its price. */
export function poolBook(shelf: Shelf, recount = checkInvariants): Book {
  let turn = 0

  function check(node: SimNode, pool: Pool, world: WorldView): void {
    const say = (id: string, text: string) =>
      world.violate({ id, kind: 'correctness', text, node: node.name })
    const content = pool.content()
    for (const half of [content.pending, content.queued]) {
      for (const txs of half.values()) for (const tx of txs) shelf.ledger.know(tx)
    }
    const { config } = pool.inspect()
    checkOrder(pool, content, shelf, say)
    const counts = [...content.pending.values()].map(txs => txs.length)
    const pending = counts.reduce((sum, count) => sum + count, 0)
    for (const [address, { length }] of content.pending) {
      // Above the total cap nobody may hold more than its share.
      if (pending > config.globalSlots && length > config.accountSlots) {
        say('account-limit', `${address} has ${length} pending of ${config.accountSlots}`)
      }
    }
    let queued = 0
    let slots = 0
    for (const [address, { length }] of content.queued) {
      queued += length
      if (length > config.accountQueue) {
        say('account-limit', `${address} has ${length} queued of ${config.accountQueue}`)
      }
    }
    for (const half of [content.pending, content.queued]) {
      for (const txs of half.values()) for (const tx of txs) slots += tx.slots
    }
    if (slots > config.globalSlots + config.globalQueue || queued > config.globalQueue) {
      say('pool-limit', `${slots} slots and ${queued} queued`)
    }
  }

  function replaced({ dropped }: PoolChanged, node: SimNode, world: WorldView): void {
    for (const { hash, reason, by } of dropped) {
      if (reason !== 'replaced' || by === undefined) continue
      const [old, next] = [shelf.ledger.tx(hash), shelf.ledger.tx(by)]
      if (old === undefined || next === undefined) continue
      // What is asked of all, whatever the node says it asks.
      const bump = BigInt(defaultPoolConfig.priceBump)
      if (outbids(next, old, bump) && next.nonce === old.nonce && next.sender === old.sender)
        continue
      world.violate({
        id: 'bad-replacement',
        kind: 'correctness',
        text: `${by} (${next.feeCap}/${next.tip}) replaced ${hash} (${old.feeCap}/${old.tip})`,
        node: node.name,
      })
    }
  }

  return {
    ids: [
      ...['nonce-order', 'nonce-gap', 'account-limit', 'pool-limit'],
      ...['bad-replacement', 'pool-unsound'],
    ],
    fact(node, fact, world) {
      if (fact.type !== 'pool.changed') return
      for (const { tx } of fact.events) shelf.ledger.know(tx)
      if (fact.demoted.length > 0) world.sometimes('pool/demoted-gap')
      replaced(fact, node, world)
    },
    checkpoint(world) {
      turn += 1
      for (const node of world.nodes) {
        const pool = node.up ? node.running?.inside().pool : undefined
        if (pool === undefined) continue
        check(node, pool, world)
        // The whole recount is dear; each node has its turn.
        if (turn % world.nodes.length !== node.index) continue
        const [broken] = recount(pool)
        if (broken === undefined) continue
        world.violate({ id: 'pool-unsound', kind: 'correctness', text: broken, node: node.name })
      }
    },
  }
}

function checkOrder(
  pool: Pool,
  { pending, queued }: PoolContent,
  { ledger }: Shelf,
  say: (id: string, text: string) => void,
): void {
  const addresses = new Set<Address>([...pending.keys(), ...queued.keys()])
  for (const address of addresses) {
    const known = ledger.nonce(pool.head.hash, address)
    let last = known === undefined ? undefined : BigInt(known) - 1n
    for (const { nonce } of pending.get(address) ?? []) {
      if (last !== undefined && nonce <= last) {
        say('nonce-order', `${address} pending ${nonce} after ${last}`)
      } else if (last !== undefined && nonce > last + 1n) {
        say('nonce-gap', `${address} pending ${nonce} where ${last + 1n} belongs`)
      }
      last = nonce
    }
    for (const { nonce } of queued.get(address) ?? []) {
      if (last !== undefined && nonce <= last) {
        say('nonce-order', `${address} queued ${nonce}, pending or mined up to ${last}`)
      }
      last = nonce
    }
  }
}

/** Both fees must rise by the bump, rounded down, and rise at all. */
function outbids(next: TxRecord, old: TxRecord, bump: bigint): boolean {
  const least = (fee: bigint) => (fee * (100n + bump)) / 100n
  return (
    next.feeCap > old.feeCap &&
    next.tip > old.tip &&
    next.feeCap >= least(old.feeCap) &&
    next.tip >= least(old.tip)
  )
}
