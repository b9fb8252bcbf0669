import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createBooks } from './books.ts'

const books = 'packages/sim/src/books/books.test.ts'
const bans = 'packages/sim/src/books/ban-book.test.ts'
const sick = 'packages/sim/src/books/sick-book.test.ts'
const towers = 'packages/sim/src/books/tower-book.test.ts'
const worlds = 'packages/sim/src/world.test.ts'

/** Which test trips which invariant: its file, and how its title begins. */
const tripped: Readonly<Record<string, readonly [file: string, title: string]>> = {
  'message-lost': [books, 'message-lost:'],
  'mailbox-bound': [books, 'mailbox-bound:'],
  'actor-crash': [books, 'actor-crash:'],
  'nonce-order': [books, 'nonce-order:'],
  'nonce-gap': [books, 'nonce-gap:'],
  'account-limit': [books, 'account-limit and pool-limit:'],
  'pool-limit': [books, 'account-limit and pool-limit:'],
  'bad-replacement': [books, 'bad-replacement:'],
  'pool-unsound': [books, 'pool-unsound:'],
  'tx-lost-in-reorg': [books, 'tx-lost-in-reorg:'],
  'reorg-roundtrip': [books, 'reorg-roundtrip:'],
  'local-evicted': [books, 'local-evicted:'],
  'journal-roundtrip': [books, 'journal-roundtrip:'],
  'drain-late': [books, 'drain-late:'],
  'drain-changed-state': [books, 'drain-changed-state:'],
  'not-delivered': [books, 'not-delivered:'],
  'delivered-twice': [books, 'delivered-twice:'],
  'overload-punished': [books, 'overload-punished:'],
  'balance-sum': [books, 'balance-sum:'],
  'nonce-count': [books, 'nonce-count:'],
  'tx-twice': [books, 'tx-twice:'],
  'undo-identity': [books, 'undo-identity:'],
  'bad-root': [books, 'bad-root:'],
  'bad-header': [books, 'bad-header:'],
  'double-block': [books, 'double-block:'],
  'lighter-head': [books, 'lighter-head:'],
  'state-drift': [books, 'state-drift:'],
  'one-head': [books, 'one-head:'],
  'evil-not-banned': [bans, 'evil-not-banned:'],
  'honest-banned': [bans, 'honest-banned:'],
  'static-banned': [bans, 'static-banned:'],
  'ban-broken': [bans, 'ban-broken:'],
  'overload-banned': [bans, 'overload-banned:'],
  'ban-over-budget': [bans, 'ban-over-budget:'],
  'self-unaware': [sick, 'self-unaware:'],
  'evil-unpunished': [sick, 'evil-unpunished:'],
  'receipt-not-durable': [towers, 'receipt-not-durable:'],
  'breach-missed': [towers, 'breach-missed:'],
  // Those of the harness, which no book holds.
  harness: [worlds, 'a checker that throws inside a turn'],
  livelock: [worlds, 'a million turns at one instant'],
  tripwire: [worlds, 'names the actor and the message that called'],
  nondeterminism: ['apps/sim/src/swarm.test.ts', 'two hashes of one seed'],
  leak: ['apps/sim/src/soak.test.ts', 'leak:'],
  'slow-turn': ['packages/actor/src/meter.test.ts', 'a slow handler is noticed'],
}

/** Told under another name: a slow turn is a warning, since real time is no fault of a node under load. */
const toldAs: Readonly<Record<string, string>> = { 'slow-turn': 'bus/slow-handler' }
const ofHarness = ['harness', 'livelock', 'tripwire', 'nondeterminism', 'leak', 'slow-turn']

test('every invariant there is has its row, and no row is of one that is gone', () => {
  const there = [...createBooks().flatMap(({ ids }) => ids), ...ofHarness]

  expect(Object.keys(tripped).sort()).toEqual([...new Set(there)].sort())
})

describe('a test trips', () => {
  test.each(Object.entries(tripped))('%s', (id, [file, title]) => {
    const text = readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8')
    const start = text.search(new RegExp(`test\\(\\s*['"\`]${title}`))
    const body = text.slice(start).split(/\n {0,4}test\(/)[0] ?? ''

    expect(start).toBeGreaterThan(-1)
    expect(body).toContain('expect(')
    expect(body).toContain(`'${toldAs[id] ?? id}'`)
  })
})
