import { expect, test } from 'vitest'
import { RealClock, TIMER_SWEEP, VirtualClock } from './clock.ts'

const reach = (clock: RealClock, instant: number) =>
  new Promise<void>(resolve => clock.at(instant, resolve))

test('the real clock starts at zero and counts whole microseconds', () => {
  const clock = new RealClock()

  const now = clock.now()

  expect(now).toBeLessThan(1000)
  expect(Math.abs(now * 1000 - Math.round(now * 1000))).toBeLessThan(1e-6)
  expect(Number.isInteger(clock.wall())).toBe(true)
})

test('real timers fire in order, all of one sweep at one instant, and cancelled ones never', async () => {
  const clock = new RealClock()
  const fired: [string, number][] = []
  const note = (name: string) => () => fired.push([name, clock.now()])
  clock.at(3, note('late'))
  clock.at(0, note('a'))
  clock.at(0, note('b'))
  clock.clear(clock.at(1, note('never')))

  await reach(clock, 4)

  expect(fired.map(([name]) => name)).toEqual(['a', 'b', 'late'])
  expect(fired[0]?.[1]).toBe(fired[1]?.[1])
})

test('a burst of deadlines is fired in sweeps', async () => {
  const clock = new RealClock()
  const instants = new Set<number>()
  let fired = 0
  for (let i = 0; i < TIMER_SWEEP + 1; i++) {
    clock.at(0, () => {
      fired++
      instants.add(clock.now())
    })
  }

  await reach(clock, 1)

  expect(fired).toBe(TIMER_SWEEP + 1)
  expect(instants.size).toBe(2)
})

test('virtual time moves only when told to, and never backwards', () => {
  const clock = new VirtualClock(1000)
  const fired: number[] = []
  clock.at(5, () => fired.push(clock.now()))
  clock.at(7, () => fired.push(clock.now()))

  expect(clock.fireNext(4.999)).toBe(false)
  expect(clock.fireNext(5)).toBe(true)
  expect([clock.now(), clock.wall(), clock.next(), clock.armed]).toEqual([5, 1005, 7, 1])
  expect(() => clock.set(4)).toThrow('backwards')
  expect(clock.fireDue(10)).toBe(1)
  expect(fired).toEqual([5, 10])
})

test('the wall can jump without time passing', () => {
  const clock = new VirtualClock(0)

  clock.shiftWall(-3_600_000)

  expect([clock.now(), clock.wall()]).toEqual([0, -3_600_000])
})
