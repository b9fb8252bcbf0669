import type { Ban, Subject } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { banWrite, loadPeers, peerWrite } from './peer-store.ts'
import { charges } from './reasons.ts'
import { createReputation } from './reputation.ts'

const subjects = fc.constantFrom<Subject>(
  { kind: 'peer', value: '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' },
  { kind: 'ip', value: '2001:db8:0:0:0:0:0:1' },
  { kind: 'subnet', value: '203.0.113.0/24' },
)
const instant = fc.integer({ min: 1, max: 8_640_000_000_000_000 })
const bans = fc.record<Ban>(
  {
    subject: subjects,
    fromMs: instant,
    untilMs: fc.option(instant, { nil: null }),
    reason: fc.constantFrom('operator', ...Object.keys(charges)),
    evidence: fc.array(fc.string({ maxLength: 40 }), { maxLength: limits.banEvidenceMax }),
    count: fc.nat(limits.banEarlierMax),
    by: fc.constantFrom('monitor', 'urgent', 'operator'),
    note: fc.string({ minLength: 1, maxLength: 50 }),
    ended: fc.record({ atMs: instant, cause: fc.constantFrom('expired', 'operator') }),
    earlier: fc.array(instant, { maxLength: limits.banEarlierMax }),
  },
  {
    requiredKeys: [
      ...([
        'subject',
        'fromMs',
        'untilMs',
        'reason',
        'evidence',
        'count',
        'by',
        'earlier',
      ] as const),
    ],
  },
)

test('a ban is read as it was written, and gone when it was deleted', async () => {
  await fc.assert(
    fc.asyncProperty(bans, async ban => {
      const store = new MemoryStore()
      await store.batch([banWrite(ban.subject, ban)])
      expect((await loadPeers(store)).bans).toEqual([ban])

      await store.batch([banWrite(ban.subject, undefined)])
      expect((await loadPeers(store)).bans).toEqual([])
    }),
  )
})

test('records are read as they were written, also more than one page of them', async () => {
  const held = createReputation()
  for (let index = 0; index < limits.storeScanDefault + 5; index++) {
    const wish = { reason: 'gossip/invalid-tx', detail: 'Ω'.repeat(100), evidence: `m${index}` }
    held.charge(`p${index}`, wish, 1_700_000_000_000 + index)
    held.credit(`p${index}`, 'credit/first-delivery', index, 1_700_000_700_000 + index)
  }
  const store = new MemoryStore()
  await store.batch([...held.ids()].map(id => peerWrite(id, held.get(id))))

  const { records } = await loadPeers(store)

  const again = createReputation(records)
  expect(records).toHaveLength(limits.storeScanDefault + 5)
  for (const [id] of records) {
    const [was, is] = [held.get(id), again.get(id)]
    expect({ ...is, history: is?.history.entries }).toEqual({
      ...was,
      history: was?.history.entries,
    })
  }
})

test('a record of another version refuses the start', async () => {
  const store = new MemoryStore()
  const write = peerWrite('a', createdRecord())
  if (write.type !== 'put') throw new Error('no put')
  const value = write.value.slice()
  value[1] = 1
  await store.batch([{ ...write, value }])

  await expect(loadPeers(store)).rejects.toMatchObject({ code: 'store/corrupt' })
})

function createdRecord() {
  const held = createReputation()
  held.charge('a', { reason: 'gossip/invalid-tx' }, 1)
  return held.get('a')
}
