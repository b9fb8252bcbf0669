import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from './mailbox.ts'

test('a ring is a queue, through growth and the wrap of its positions', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), pushes => {
      const ring = new Ring()
      ring.head = 0x7fffffff - 20
      ring.tail = ring.head
      const model: number[] = []
      pushes.forEach((isPush, n) => {
        if (isPush) {
          ring.push(n, n, -n, n / 2)
          model.push(n)
        } else if (model.length > 0) {
          const slot = ring.head & ring.mask
          const expected = model.shift() as number
          expect(ring.items[slot]).toBe(expected)
          expect([...ring.stamps.subarray(slot * 3, slot * 3 + 3)]).toEqual([
            expected,
            -expected,
            expected / 2,
          ])
          ring.drop()
        }
        expect(ring.size).toBe(model.length)
        expect(ring.oldest()).toBe(model[0] === undefined ? undefined : model[0] / 2)
      })
    }),
  )
})

test('a replaced message keeps its place and its age', () => {
  const ring = new Ring()
  for (let i = 0; i < 3; i++) ring.push(`m${i}`, i, 0, i)
  const position = ring.push('old', 3, 0, 3)
  for (let i = 4; i < 20; i++) ring.push(`m${i}`, i, 0, i)

  expect(ring.replace(position, 'new', 99, 98)).toBe('old')

  for (let i = 0; i < 3; i++) ring.drop()
  expect(ring.items[ring.head & ring.mask]).toBe('new')
  expect(ring.oldest()).toBe(3)
})
