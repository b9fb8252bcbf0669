import { expect, test } from 'vitest'
import { leakIn } from './commands/rates.ts'

test('leak: a heap that grows by more than a quarter after it has warmed up', () => {
  expect(leakIn([10, 40, 44, 48, 50], 1000)).toBeUndefined()
  expect(leakIn([10, 40, 44, 48, 51], 1000)).toMatchObject({ id: 'leak', atMs: 1000 })
})
