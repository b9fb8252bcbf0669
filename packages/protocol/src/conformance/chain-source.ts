import type { ChainSource, HeadEvent } from '../ports.ts'
import type { Address, Hash } from '../values/bytes.ts'
import { zeroHash } from '../values/bytes.ts'
import type { TestKit } from './kit.ts'

/** A source on a chain that the suite may move. Whatever it says is done when its promise resolves, events delivered. */
export interface ChainSourceUnderTest {
  readonly source: ChainSource
  /** An account whose balance grows in every block. */
  readonly payee: Address
  /** That many blocks on the head. */
  grow(count: number): Promise<void>
  /** The last `depth` blocks make way for a branch that is preferred. */
  reorg(depth: number): Promise<void>
  /** The source stops and starts again from what it has stored. */
  restart(): Promise<ChainSource>
  close(): Promise<void> | void
}

/** What every source of heads keeps: the dev chain inside the node, and remote clients. */
export function chainSourceSuite(
  { test, expect }: TestKit,
  make: () => Promise<ChainSourceUnderTest> | ChainSourceUnderTest,
): void {
  async function using(run: (under: ChainSourceUnderTest) => Promise<void>): Promise<void> {
    const under = await make()
    await run(under)
    await under.close()
  }

  test('events are a walk, and whoever replays them has the list of the source', () =>
    using(async under => {
      const { source } = under
      const first = await source.head()
      const events = listen(source)
      await under.grow(5)
      await under.reorg(3)
      await under.grow(2)
      await under.reorg(1)

      const list: Hash[] = [first.hash]
      let last = first.hash
      for (const { old, new: head, ancestor, removed, added } of events) {
        expect(old.hash).toBe(last)
        for (const { header } of removed) expect(list.pop()).toBe(header.hash)
        expect(list.at(-1)).toBe(ancestor.hash)
        for (const { header } of added) {
          expect(header.parentHash).toBe(list.at(-1))
          list.push(header.hash)
        }
        expect(list.at(-1)).toBe(head.hash)
        last = head.hash
      }
      const { hash, number } = await source.head()
      expect(last).toBe(hash)
      for (const [index, expected] of list.entries()) {
        expect(await source.hashAt(first.number + index)).toBe(expected)
      }
      expect(await source.hashAt(number + 1)).toBe(null)
    }))

  test('a block named in an event can be read, also when it has left the branch', () =>
    using(async under => {
      const events = listen(under.source)
      await under.grow(3)
      await under.reorg(2)

      const named = events.flatMap(({ removed, added }) => [...removed, ...added])
      expect(named.length > 3).toBe(true)
      for (const { header, txs } of named) {
        const block = await under.source.block(header.hash)
        expect(block?.header.hash).toBe(header.hash)
        expect(block?.txs.map(({ hash }) => hash)).toEqual(txs.map(({ hash }) => hash))
      }
      expect(await under.source.block(zeroHash)).toBe(null)
    }))

  test('accounts at a head are what they were then, or missing, never newer', () =>
    using(async under => {
      const { source, payee } = under
      const balances: { hash: Hash; balance: bigint }[] = []
      for (let block = 0; block < 66; block++) {
        await under.grow(1)
        const { hash } = await source.head()
        const answer = await source.accounts([payee, payee], hash)
        // The head itself must be there.
        expect(answer.ok).toBe(true)
        if (!answer.ok) return
        expect(answer.value[0]).toEqual(answer.value[1])
        balances.push({ hash, balance: answer.value[0]?.balance ?? -1n })
      }
      for (const [index, { hash, balance }] of balances.entries()) {
        if (index > 0) expect(balance > (balances[index - 1]?.balance ?? -1n)).toBe(true)
        const answer = await source.accounts([payee], hash)
        if (answer.ok) expect(answer.value[0]?.balance).toBe(balance)
        else expect(answer.code).toBe('chain/state-missing')
      }
    }))

  test('accounts at a head that has left the branch are missing, or what they were there', () =>
    using(async under => {
      const { source, payee } = under
      await under.grow(2)
      const { hash } = await source.head()
      const before = await source.accounts([payee], hash)
      await under.reorg(2)

      const after = await source.accounts([payee], hash)
      if (after.ok) expect(after).toEqual(before)
      else expect(after.code).toBe('chain/state-missing')
    }))

  test('a restart goes on from the stored head, and its first event leads from there', () =>
    using(async under => {
      await under.grow(4)
      const before = await under.source.head()
      const again = await under.restart()
      const events = listen(again)

      expect(await again.head()).toEqual(before)
      await under.grow(1)
      expect(events.length).toBe(1)
      expect(events[0]?.old).toEqual(before)
      expect(events[0]?.new.parentHash).toBe(before.hash)
    }))

  test('who has stopped listening hears nothing more', () =>
    using(async under => {
      const heard: HeadEvent[] = []
      const stop = under.source.onHead(event => heard.push(event))
      await under.grow(1)
      stop()
      stop()
      await under.grow(1)

      expect(heard.length).toBe(1)
    }))
}

function listen(source: ChainSource): HeadEvent[] {
  const events: HeadEvent[] = []
  source.onHead(event => events.push(event))
  return events
}
