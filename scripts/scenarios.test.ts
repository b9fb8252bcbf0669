import { addressOfKey, createCrypto, signDigest } from '@rockpool/adapters/crypto'
import { createBooks, type ScenarioPlan, simulate } from '@rockpool/sim'
import { banned, notBanned } from '@rockpool/sim/scenario'
import { expect, test } from 'vitest'
import evilSpammer from './scenarios/evil-spammer.ts'
import hello from './scenarios/hello.ts'

async function run(plan: ScenarioPlan) {
  return simulate(plan, {
    ...{ crypto: await createCrypto({ workers: 0 }), sign: signDigest, addressOf: addressOfKey },
    hop: () => new Promise<void>(resolve => setImmediate(resolve)),
    ...{ tripwire: true, books: createBooks() },
  })
}

const failures = ({ verdicts }: Awaited<ReturnType<typeof run>>) =>
  verdicts.filter(({ held }) => !held)

test('hello comes as expected in a simulated world, twice with one history', async () => {
  const [first, second] = [await run(hello.plan), await run(hello.plan)]
  expect(failures(first)).toEqual([])
  expect(second.hash).toBe(first.hash)
}, 30_000)

test('evil-spammer comes as expected in a simulated world', async () => {
  const result = await run(evilSpammer.plan)
  expect(failures(result)).toEqual([])
  expect(result.counts['bans']).toBe(7)
}, 30_000)

test('what does not come is told with what was seen instead', async () => {
  const scenario = evilSpammer.expect(notBanned('evil0')).expect(banned('n1')).until('20s')
  const seen = failures(await run(scenario.plan)).map(({ claim, text }) => [claim, text])
  expect(seen).toContainEqual(["banned('n1')", 'nothing'])
  expect(seen.find(([claim]) => claim === "notBanned('evil0')")?.[1]).toMatch(
    /^n\d banned evil0 for gossip\/invalid-tx$/,
  )
}, 30_000)
