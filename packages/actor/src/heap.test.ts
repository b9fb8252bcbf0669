import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TimerHeap } from './heap.ts'

test('equal deadlines fire in the order they were armed', () => {
  const heap = new TimerHeap()
  const fired: string[] = []
  for (const name of ['b', 'c', 'd']) heap.add(10, () => fired.push(name))
  heap.add(5, () => fired.push('a'))

  while (heap.fire(10)) {}

  expect(fired).toEqual(['a', 'b', 'c', 'd'])
})

test('nothing fires before its deadline', () => {
  const heap = new TimerHeap()
  heap.add(10, () => {})

  expect(heap.fire(9.999)).toBe(false)
  expect(heap.fire(10)).toBe(true)
})

test('firing is in order of (deadline, arming), whatever is cancelled: the heap agrees with a sorted list', () => {
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ fire: fc.nat(50) }) },
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), commands => {
      const heap = new TimerHeap()
      const fired: number[] = []
      const timers: { due: number; index: number; cancel(): void }[] = []
      let model: { due: number; index: number }[] = []
      const expected: number[] = []
      for (const step of commands) {
        if ('add' in step) {
          const index = timers.length
          const timer = heap.add(step.add, () => fired.push(index))
          timers.push({ due: step.add, index, cancel: () => heap.cancel(timer) })
          model.push({ due: step.add, index })
        } else if ('cancel' in step && timers.length > 0) {
          const chosen = timers[step.cancel % timers.length]
          chosen?.cancel()
          model = model.filter(({ index }) => index !== chosen?.index)
        } else if ('fire' in step) {
          const due = model.filter(entry => entry.due <= step.fire)
          due.sort((a, b) => a.due - b.due || a.index - b.index)
          model = model.filter(entry => entry.due > step.fire)
          expected.push(...due.map(({ index }) => index))
          while (heap.fire(step.fire)) {}
        }
        expect(heap.alive).toBe(model.length)
        expect(heap.next()).toBe(model.length ? Math.min(...model.map(m => m.due)) : undefined)
      }
      expect(fired).toEqual(expected)
    }),
  )
})

test('a heap of cancelled deadlines shrinks, one of up to 64 does not bother', () => {
  const heap = new TimerHeap()
  const timers = Array.from({ length: 1000 }, (_, i) => heap.add(i, () => {}))

  for (const timer of timers.slice(1)) heap.cancel(timer)

  expect((heap as unknown as { entries: unknown[] }).entries.length).toBeLessThanOrEqual(64)
  expect(heap.next()).toBe(0)
})
