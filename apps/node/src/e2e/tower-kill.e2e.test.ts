import { expect, test } from 'vitest'
import { killUnderAdds } from '../testkit/tower-kills.ts'

test('every appointment with a receipt is there after each of five kills under load', async () => {
  const { receipts, lost } = await killUnderAdds(5)

  expect(lost).toEqual([])
  expect(receipts).toBeGreaterThan(25)
})
