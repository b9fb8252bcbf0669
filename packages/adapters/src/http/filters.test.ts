import { type ChainHead, type Fact, type Hash, limits } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createFilters } from './filters.ts'
import { createSubscriptions, newId, subscriptionsOf } from './subscriptions.ts'
import { blockOf, headFact, oneOfEachType, pendingFact } from './test-node.ts'

const txs = await oneOfEachType()

/** Blocks 3 and 4 leave, three others come in their place. */
const aReorg = (() => {
  const hashAt = (number: number) => `0x${`a${number}`.repeat(32)}` as Hash
  const added = [3, 4, 5].map(number => {
    const block = blockOf(number)
    const parentHash = number === 3 ? block.header.parentHash : hashAt(number - 1)
    return { ...block, header: { ...block.header, hash: hashAt(number), parentHash } }
  })
  const fact = headFact(added) as ChainHead
  return {
    ...fact,
    old: (headFact([blockOf(4)]) as ChainHead).new,
    removed: [blockOf(4), blockOf(3)],
  }
})()

function facts() {
  const listeners = new Set<(fact: Fact) => void>()
  return {
    observe: (listener: (fact: Fact) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    emit: (fact: Fact): void => {
      for (const listener of listeners) listener(fact)
    },
    listeners,
  }
}

function aFilterSet() {
  const { observe, emit } = facts()
  const clock = { now: 0 }
  return { filters: createFilters(observe, () => clock.now), emit, clock }
}

describe('a filter', () => {
  test('gives what came since the last look, oldest first, and then nothing', () => {
    const { filters, emit } = aFilterSet()
    const blocks = filters.create('blocks')
    const pending = filters.create('pending')
    const full = filters.create('pendingFull')
    emit(headFact([blockOf(3), blockOf(4)]))
    emit(pendingFact(txs.slice(0, 2)))

    expect(filters.changes(blocks)).toEqual([blockOf(3).header.hash, blockOf(4).header.hash])
    expect(filters.changes(blocks)).toEqual([])
    expect(filters.changes(pending)).toEqual(txs.slice(0, 2).map(({ hash }) => hash))
    expect(filters.changes(full)).toMatchObject([{ nonce: '0x0' }, { nonce: '0x1' }])
    expect(filters.changes(filters.create('logs'))).toEqual([])
  })

  test('never shows private transactions', () => {
    const { filters, emit } = aFilterSet()
    const pending = filters.create('pending')
    emit(pendingFact(txs, 'private'))

    expect(filters.changes(pending)).toEqual([])
  })

  test('follows a reorganisation: the new branch from its first block, and what is pending again', () => {
    const { filters, emit } = aFilterSet()
    const [blocks, pending, logs] = [
      filters.create('blocks'),
      filters.create('pending'),
      filters.create('logs'),
    ]
    emit(headFact([blockOf(3), blockOf(4)]))
    emit({ ...aReorg, type: 'chain.head' })
    emit(pendingFact(txs.slice(0, 1), 'reorg'))

    const hashes = [blockOf(3), blockOf(4), ...aReorg.added].map(({ header }) => header.hash)
    expect(filters.changes(blocks)).toEqual(hashes)
    expect(filters.changes(pending)).toEqual([txs[0]?.hash])
    expect(filters.changes(logs)).toEqual([])
  })

  test('lives to the last millisecond of its time unread, and reading renews it', () => {
    const { filters, clock } = aFilterSet()
    const id = filters.create('blocks')
    clock.now = limits.rpcFilterMs
    expect(filters.changes(id)).toEqual([])
    clock.now += limits.rpcFilterMs + 1

    expect(() => filters.changes(id)).toThrow('filter not found')
  })

  test('that is removed or unknown is not found', () => {
    const { filters } = aFilterSet()
    const id = filters.create('blocks')

    expect(filters.remove(id)).toBe(true)
    expect(filters.remove(id)).toBe(false)
    expect(() => filters.changes(id)).toThrow('filter not found')
    expect(() => filters.logs('0x1')).toThrow('filter not found')
    expect(filters.logs(filters.create('logs'))).toEqual([])
    expect(() => filters.logs(filters.create('blocks'))).toThrow('filter not found')
  })

  test('holds so many entries unread, and with one more is gone rather than incomplete', () => {
    const { filters, emit } = aFilterSet()
    const id = filters.create('blocks')
    const next = headFact([blockOf(3)])
    for (let count = 0; count < limits.rpcFilterItemsMax; count++) emit(next)
    expect(filters.changes(id)).toHaveLength(limits.rpcFilterItemsMax)

    for (let count = 0; count <= limits.rpcFilterItemsMax; count++) emit(next)
    expect(() => filters.changes(id)).toThrow('filter not found')
  })

  test('finds no place beyond the limit until an old one has run out', () => {
    const { filters, clock } = aFilterSet()
    for (let count = 0; count < limits.rpcFiltersMax; count++) filters.create('blocks')

    expect(() => filters.create('blocks')).toThrow('too many filters')
    clock.now = limits.rpcFilterMs + 1
    expect(filters.create('blocks')).toMatch(/^0x/)
    expect(filters.size).toBe(1)
  })
})

describe('subscriptions', () => {
  function aConnection() {
    const { observe, emit, listeners } = facts()
    const hub = createSubscriptions(observe)
    const sent: { params: { subscription: string; result: unknown } }[] = []
    const mine = subscriptionsOf(hub, text => sent.push(JSON.parse(text) as (typeof sent)[number]))
    return { hub, mine, sent, emit, listeners }
  }

  test('bring every added header, oldest first', () => {
    const { mine, sent, emit } = aConnection()
    const id = mine.subscribe('newHeads')
    emit(headFact([blockOf(3), blockOf(4)]))

    expect(sent).toMatchObject([
      {
        jsonrpc: '2.0',
        method: 'eth_subscription',
        params: { subscription: id, result: { number: '0x3' } },
      },
      { params: { subscription: id, result: { number: '0x4' } } },
    ])
  })

  test('of a reorganisation begin anew at its first block, lower than the head before', () => {
    const { mine, sent, emit } = aConnection()
    mine.subscribe('newHeads')
    mine.subscribe('newPendingTransactions')
    mine.subscribe('logs')
    emit(headFact([blockOf(3), blockOf(4)]))
    emit({ ...aReorg, type: 'chain.head' })
    emit(pendingFact(txs.slice(0, 1), 'reorg'))

    const results = sent.map(({ params }) => params.result)
    expect(results).toMatchObject([
      { number: '0x3', hash: blockOf(3).header.hash },
      { number: '0x4' },
      { number: '0x3', hash: `0x${'a3'.repeat(32)}` },
      { number: '0x4', parentHash: `0x${'a3'.repeat(32)}` },
      { number: '0x5' },
      txs[0]?.hash,
    ])
  })

  test('bring each transaction that enters pending once, as hash or whole, private ones never', () => {
    const { mine, sent, emit } = aConnection()
    const [hashes, full] = [
      mine.subscribe('newPendingTransactions'),
      mine.subscribe('newPendingTransactionsFull'),
    ]
    emit(pendingFact(txs.slice(0, 1)))
    emit(pendingFact(txs.slice(1), 'private'))

    expect(sent.map(({ params }) => params)).toMatchObject([
      { subscription: hashes, result: txs[0]?.hash },
      { subscription: full, result: { hash: txs[0]?.hash, blockHash: null } },
    ])
  })

  test('of logs are taken and stay silent', () => {
    const { mine, sent, emit } = aConnection()
    mine.subscribe('logs')
    emit(headFact([blockOf(3)]))
    emit(pendingFact(txs))

    expect(sent).toEqual([])
  })

  test('of syncing hear where it goes, and false when it is over', () => {
    const { mine, sent, emit } = aConnection()
    mine.subscribe('syncing')
    const where = { type: 'chain.syncing', start: 0, current: 16, highest: 255 } as const
    emit({ ...where, on: true })
    emit({ ...where, on: false })

    const status = { startingBlock: '0x0', currentBlock: '0x10', highestBlock: '0xff' }
    expect(sent.map(({ params }) => params?.result)).toEqual([{ syncing: true, status }, false])
  })

  test('end one by one, and all with their connection', () => {
    const { hub, mine, sent, emit, listeners } = aConnection()
    const id = mine.subscribe('newHeads')
    mine.subscribe('newHeads')
    mine.unsubscribe(id)
    emit(headFact([blockOf(3)]))
    expect(sent).toHaveLength(1)
    expect(() => mine.unsubscribe(id)).toThrow('subscription not found')

    mine.close()
    emit(headFact([blockOf(4)]))
    expect(sent).toHaveLength(1)
    hub.stop()
    expect(listeners.size).toBe(0)
  })

  test('are 64 a connection and not one more', () => {
    const { mine } = aConnection()
    for (let count = 0; count < limits.rpcSubscriptionsMax; count++) mine.subscribe('logs')

    expect(() => mine.subscribe('logs')).toThrow('too many subscriptions')
  })

  test('have ids of their own without leading zeros', () => {
    const ids = new Set(Array.from({ length: 1_000 }, newId))

    expect(ids.size).toBe(1_000)
    for (const id of ids) expect(id).toMatch(/^0x[1-9a-f][0-9a-f]{0,31}$/)
  })
})
