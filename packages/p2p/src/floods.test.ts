import { describe, test } from 'vitest'
import * as flood from './testkit/floods.ts'

describe('floods over gossip', () => {
  test('A13: signatures that cannot be are rejected and charged without a recovery, and an honest peer is served', () =>
    flood.badSignatures(640))
  test('A17: replays cost no signature and nobody is rejected for them', () => flood.replays(1_280))
  test('A20: what pays nothing is ignored before recovery and never reaches the pool', () =>
    flood.payingNothing(1_280))
})
