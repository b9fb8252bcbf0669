import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualTimers } from './timers.ts'

test('timers fire at their own instants, equal ones in the order of their making', () => {
  const timers = new VirtualTimers()
  const fired: [string, number][] = []
  const mark = (name: string) => () => fired.push([name, timers.nowMs])
  timers.set(mark('b'), 20, false, [])
  timers.set(mark('a'), 10, false, [])
  timers.set(mark('c'), 20, false, [])
  const every = timers.set(mark('every'), 8, true, [])
  const gone = timers.set(mark('gone'), 15, false, [])
  timers.clear(gone)
  timers.pass(20)
  expect(fired).toEqual([
    ['every', 8],
    ['a', 10],
    ['every', 16],
    ['b', 20],
    ['c', 20],
  ])
  timers.clear(Number(every))
  timers.pass(100)
  expect(fired).toHaveLength(5)
  expect(timers.nowMs).toBe(120)
})

test('arguments are handed over, odd delays are one millisecond, a refreshed timer begins anew', () => {
  const timers = new VirtualTimers()
  const fired: unknown[] = []
  timers.set((...args: unknown[]) => fired.push(args), Number.NaN, false, [1, 'x'])
  const late = timers.set(() => fired.push('late'), 10, false, [])
  timers.pass(6)
  late.refresh()
  timers.pass(6)
  expect(fired).toEqual([[1, 'x']])
  timers.pass(4)
  expect(fired).toEqual([[1, 'x'], 'late'])
})

test('timers that make timers for no time do not stop the clock', () => {
  const timers = new VirtualTimers()
  let count = 0
  const again = (): void => {
    count += 1
    timers.set(again, 0, false, [])
  }
  timers.set(again, 0, false, [])
  timers.pass(10)
  expect(count).toBe(11)
})

test('whatever is set, cleared and passed, they fire as a sorted list would', () => {
  const command = fc.oneof(
    fc.record({ do: fc.constant('set' as const), ms: fc.nat(30), repeats: fc.boolean() }),
    fc.record({ do: fc.constant('clear' as const), at: fc.nat(40) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(25) }),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), commands => {
      const timers = new VirtualTimers()
      const [fired, expected]: string[][] = [[], []]
      const made: ReturnType<typeof timers.set>[] = []
      let [model, nowMs]: [{ id: number; due: number; every: number }[], number] = [[], 0]
      for (const each of commands) {
        if (each.do === 'set') {
          const id = made.length
          made.push(
            timers.set(() => fired?.push(`${id}@${timers.nowMs}`), each.ms, each.repeats, []),
          )
          model.push({ id, due: nowMs + each.ms, every: each.repeats ? Math.max(1, each.ms) : 0 })
        } else if (each.do === 'clear') {
          timers.clear(made[each.at])
          model = model.filter(({ id }) => id !== each.at)
        } else {
          timers.pass(each.ms)
          for (;;) {
            model.sort((a, b) => a.due - b.due || a.id - b.id)
            const [next] = model
            if (next === undefined || next.due > nowMs + each.ms) break
            expected?.push(`${next.id}@${next.due}`)
            if (next.every > 0) next.due += next.every
            else model.shift()
          }
          nowMs += each.ms
        }
      }
      expect(fired).toEqual(expected)
    }),
  )
})
