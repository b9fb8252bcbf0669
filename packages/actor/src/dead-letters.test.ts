import { expect, test } from 'vitest'
import { DeadLetters, type DeadReason, LETTERS_KEPT } from './dead-letters.ts'

function aBook() {
  const lines: string[] = []
  const letters = new DeadLetters((_, code, fields) =>
    lines.push(code === 'bus/dead-letters' ? `${code} ${fields['more']}` : code),
  )
  const add = (at: number, reason: DeadReason = 'full', type = 'x') =>
    letters.add({ reason, to: '/a:1', type, msg: {}, id: at, cause: 0, at }, '/a')
  return { letters, lines, add }
}

test('the last thousand are kept and can be listed from a place on', () => {
  const { letters, add } = aBook()
  for (let i = 1; i <= LETTERS_KEPT + 5; i++) add(i)

  expect(letters.list().map(({ sequence }) => sequence)[0]).toBe(6)
  expect(letters.list()).toHaveLength(LETTERS_KEPT)
  expect(letters.list(1003).map(({ sequence }) => sequence)).toEqual([1004, 1005])
  expect(letters.list(0, 2).map(({ sequence }) => sequence)).toEqual([6, 7])
})

test('all are counted, by reason, kind of receiver and type', () => {
  const { letters, add } = aBook()
  add(1)
  add(2)
  add(3, 'dead')

  expect(letters.counts()).toEqual([
    { reason: 'full', actor: '/a', type: 'x', count: 2 },
    { reason: 'dead', actor: '/a', type: 'x', count: 1 },
  ])
})

test('ten of a sort are logged per minute, then one line with the number of the others', () => {
  const { lines, add } = aBook()
  for (let i = 0; i < 25; i++) add(i)
  expect(lines).toEqual(Array(10).fill('bus/dead-letter'))

  add(60_000)

  expect(lines.slice(10)).toEqual(['bus/dead-letters 15', 'bus/dead-letter'])
})

test('whoever listens hears until it does not want to', () => {
  const { letters, add } = aBook()
  let heard = 0
  const end = letters.subscribe(() => heard++)
  add(1)

  end()
  add(2)

  expect(heard).toBe(1)
})
