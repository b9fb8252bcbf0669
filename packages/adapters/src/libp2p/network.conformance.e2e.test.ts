import './polyfill.ts'
import { networkSuite } from '@rockpool/protocol/conformance'
import { expect, test } from 'vitest'
import { createNetwork, keyFromSeed } from './index.ts'
import { until } from './testing.ts'

networkSuite(
  { test, expect },
  {
    until,
    make: (count, topic) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) =>
          createNetwork({
            privateKey: await keyFromSeed(new Uint8Array(32).fill(index + 1)),
            listen: ['/ip4/127.0.0.1/tcp/0'],
            profile: 'devnet',
            topics: [topic],
          }),
        ),
      ),
  },
)
