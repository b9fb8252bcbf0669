import { failed, ok } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { sentOf } from './evm-home.ts'

const hash = `0x${'11'.repeat(32)}` as never

test('what the pool says of a penalty: taken and known are sent, what may change is deferred, a used nonce is looked at, and only what is wrong for everybody is invalid', () => {
  const classes = [
    sentOf(ok({ hash, half: 'pending' })),
    sentOf(ok({ hash, half: 'queued' })),
    sentOf(failed('pool/known')),
    sentOf(ok({ hash, half: 'queued', deferred: 'pool/underpriced' })),
    sentOf(failed('pool/underpriced')),
    sentOf(failed('pool/insufficient-funds')),
    sentOf(failed('actor/busy')),
    sentOf(failed('pool/nonce-too-low')),
    sentOf(failed('pool/invalid-sender')),
    sentOf(failed('pool/wrong-chain')),
  ].map(sent => sent.class)

  expect(classes).toEqual([
    ...['satisfied', 'satisfied', 'satisfied', 'deferred', 'deferred', 'deferred', 'deferred'],
    ...['losing', 'invalid', 'invalid'],
  ])
})
