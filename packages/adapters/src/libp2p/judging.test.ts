import { VirtualClock } from '@rockpool/actor'
import type { Verdict } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createJudging } from './judging.ts'

function lab() {
  const clock = new VirtualClock()
  const counts = { late: 0, failed: 0 }
  const judging = createJudging(clock, 2_000, {
    late: () => void counts.late++,
    failed: () => void counts.failed++,
  })
  const said: string[] = []
  const ask = (name: string, verdict: () => Promise<Verdict>) =>
    void judging.judged(verdict).then(answer => said.push(`${name} ${answer}`))
  async function run(until: number): Promise<void> {
    while (clock.fireNext(until)) for (let turn = 0; turn < 4; turn++) await Promise.resolve()
    clock.set(until)
    for (let turn = 0; turn < 4; turn++) await Promise.resolve()
  }
  return { clock, counts, judging, said, ask, run }
}

const never = () => new Promise<Verdict>(() => {})

test('a verdict in time is passed on; a thrown or rejected one is ignore', async () => {
  const { counts, said, ask, run } = lab()

  ask('a', async () => 'reject')
  ask('b', () => Promise.reject(new Error('down')))
  ask('c', () => {
    throw new Error('down')
  })
  await run(1)

  expect(said.toSorted()).toEqual(['a reject', 'b ignore', 'c ignore'])
  expect(counts).toEqual({ late: 0, failed: 2 })
})

test('each wait ends at its own deadline, not a millisecond sooner', async () => {
  const { clock, counts, said, ask, run } = lab()
  ask('a', never)
  await run(500)
  ask('b', never)

  await run(1_999)
  expect(said).toEqual([])
  await run(2_000)
  expect(said).toEqual(['a ignore'])
  await run(2_500)

  expect(said).toEqual(['a ignore', 'b ignore'])
  expect(counts.late).toBe(2)
  expect(clock.armed).toBe(0)
})

test('a late verdict changes nothing', async () => {
  const { said, ask, run } = lab()
  let answer: (verdict: Verdict) => void = () => {}
  ask(
    'a',
    () =>
      new Promise(resolve => {
        answer = resolve
      }),
  )
  await run(2_000)

  answer('accept')
  await run(3_000)

  expect(said).toEqual(['a ignore'])
})

test('many waits need one timer; stopping ends them all and leaves none', async () => {
  const { clock, judging, said, ask, run } = lab()
  for (let index = 0; index < 100; index++) ask(`${index}`, never)
  expect(clock.armed).toBe(1)

  judging.stop()
  await run(0)

  expect(said.length).toBe(100)
  expect(clock.armed).toBe(0)
})
