import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import * as flood from './testkit/floods.ts'

const patienceMs = 600_000
setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes held after a collection. MB. */
function heldMb(): number {
  collect()
  return process.memoryUsage().heapUsed / 1e6
}

test('A13: 20,000 impossible signatures', () => flood.badSignatures(20_000), patienceMs)
test('A17: 100,000 replays', () => flood.replays(100_000), patienceMs)

test(
  'A20: 100,000 that pay nothing, and memory is flat',
  async () => {
    await flood.payingNothing(20_000)
    const before = heldMb()
    await flood.payingNothing(100_000)
    expect(heldMb() - before).toBeLessThanOrEqual(5)
  },
  patienceMs,
)
