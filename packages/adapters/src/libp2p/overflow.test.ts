import { StreamBufferError, StreamCloseEvent, StreamResetError } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createOverflowWatch } from './overflow.ts'
import type { Router } from './router.ts'

function lab() {
  const streams = new Map<string, { rawStream: EventTarget }>()
  const router = { streamsOutbound: streams } as unknown as Pick<Router, 'streamsOutbound'>
  const watch = createOverflowWatch(router)
  /** A peer's gossip stream, watched and then closed with `error`. */
  function closed(id: string, error?: Error): void {
    const rawStream = new EventTarget()
    streams.set(id, { rawStream })
    watch.watch(id)
    watch.watch(id)
    rawStream.dispatchEvent(new StreamCloseEvent(true, error))
  }
  return { watch, closed }
}

test('a stream that held too much is told from one that was reset or closed', () => {
  const { watch, closed } = lab()
  closed('full', new StreamBufferError('too much'))
  closed('reset', new StreamResetError('reset'))
  closed('ended')

  expect(['full', 'reset', 'ended', 'unknown'].filter(watch.has)).toEqual(['full'])
})

test('a peer that left comes back without its overflow', () => {
  const { watch, closed } = lab()
  closed('full', new StreamBufferError('too much'))
  watch.forget('full')

  expect(watch.has('full')).toBe(false)
})
