import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createIngress } from './ingress.ts'

test('one peer may fill its own part and no more, all together the whole and no more', () => {
  const ingress = createIngress<number>({ total: 5, perPeer: 3 })

  expect([1, 2, 3, 4].map(item => ingress.offer('mallory', item))).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect([5, 6, 7].map(item => ingress.offer('alice', item))).toEqual([true, true, false])
  expect(ingress.size).toBe(5)
})

test('a flooder waits behind itself: others are served in between', () => {
  const ingress = createIngress<string>({ total: 100, perPeer: 64 })
  for (let i = 0; i < 64; i++) ingress.offer('mallory', `m${i}`)
  ingress.offer('alice', 'a0')
  ingress.offer('bob', 'b0')
  ingress.offer('alice', 'a1')

  const served = Array.from({ length: 6 }, () => ingress.take())

  expect(served).toEqual(['m0', 'a0', 'b0', 'm1', 'a1', 'm2'])
})

test('nothing is lost or invented, each peer is served in its order, bounds hold', () => {
  const act = fc.oneof(
    fc.record({ peer: fc.constantFrom('a', 'b', 'c') }),
    fc.constant('take' as const),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), acts => {
      const bounds = { total: 8, perPeer: 4 }
      const ingress = createIngress<string>(bounds)
      const model = new Map<string, string[]>()
      let next = 0
      for (const doing of acts) {
        const waiting = [...model.values()].flat().length
        if (doing === 'take') {
          const item = ingress.take()
          const own = model.get(item?.charAt(0) ?? '') ?? []
          expect(item).toBe(waiting === 0 ? undefined : own.shift())
          continue
        }
        const own = model.get(doing.peer) ?? []
        model.set(doing.peer, own)
        const item = `${doing.peer}${next++}`
        const fits = waiting < bounds.total && own.length < bounds.perPeer
        expect(ingress.offer(doing.peer, item)).toBe(fits)
        if (fits) own.push(item)
      }
    }),
  )
})
