import { expect, test } from 'vitest'
import { killUnderAdds } from '../testkit/tower-kills.ts'

test('every appointment with a receipt is there after each of a hundred kills under load', async () => {
  const { receipts, lost } = await killUnderAdds(100)

  expect(lost).toEqual([])
  expect(receipts).toBeGreaterThan(500)
}, 1_800_000)
