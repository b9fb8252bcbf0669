import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '@rockpool/actor'
import { expect, test } from 'vitest'
import { backoffMs, createDialer } from './dialer.ts'

const id = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const addr = multiaddr(`/ip4/127.0.0.1/tcp/7625/p2p/${id}`)

/** A dialer of one static peer on a virtual clock; `answers` says whether the next dial succeeds. */
function lab({
  self = '1',
  yieldMs = 0,
  backoffMaxMs = 60_000,
  answers = (): boolean => false,
  kind = 'static' as 'static' | 'bootnode',
  needsPeers = (): boolean => true,
} = {}) {
  const clock = new VirtualClock()
  const dials: number[] = []
  const warnings: string[] = []
  let connected = false
  const dialer = createDialer({
    targets: [{ id, addr, kind }],
    self,
    clock,
    yieldMs,
    backoffMinMs: 1_000,
    backoffMaxMs,
    coolDownMaxMs: 60_000,
    random: () => 1,
    log: { debug() {}, info() {}, warn: code => void warnings.push(code) },
    isConnected: () => connected,
    needsPeers,
    async dial() {
      dials.push(clock.now())
      if (!answers()) throw new Error('refused')
      connected = true
      dialer.opened(id)
      return id
    },
  })
  /** Runs the clock to `until`, letting promises settle between timers. */
  async function run(until: number): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await Promise.resolve()
    while (clock.fireNext(until)) for (let turn = 0; turn < 8; turn++) await Promise.resolve()
    clock.set(until)
  }
  const close = (heldMs: number, said = false) => {
    connected = false
    dialer.closed(id, heldMs, said ? { code: 1, retryAfterSeconds: 0, text: '' } : undefined)
  }
  return { clock, dialer, dials, warnings, run, close }
}

test('waits double from the shortest to the longest, between half and the whole of it', () => {
  const aMinute = { minMs: 1_000, maxMs: 60_000 }
  expect([0, 1, 2, 5, 6, 99].map(failures => backoffMs(aMinute, failures, 1))).toEqual([
    1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ])
  expect(backoffMs(aMinute, 3, 0)).toBe(4_000)
})

test('where nodes come and go all the time nobody waits longer than a second', async () => {
  const { dialer, dials, run } = lab({ backoffMaxMs: 1_000 })

  dialer.start()
  await run(60_000)

  expect(dials).toEqual(Array.from({ length: 61 }, (_, index) => index * 1_000))
})

test('an unreachable static peer is dialled for ever, with one warning an hour', async () => {
  const { dialer, dials, warnings, run } = lab()

  dialer.start()
  await run(7_300_000)

  expect(dials.slice(0, 8)).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000])
  expect(dials.length).toBeGreaterThan(120)
  expect(warnings).toEqual(Array(3).fill('p2p/static-unreachable'))
})

test('a peer held for a minute is dialled after a second; one that falls off at once, later each time', async () => {
  const { clock, dialer, dials, run, close } = lab({ answers: () => true })
  dialer.start()
  await run(70_000)

  close(70_000)
  await run(80_000)
  close(10)
  await run(90_000)

  expect(dials).toEqual([0, 71_000, 82_000])
  expect(clock.armed).toBe(0)
})

test('a goodbye lengthens the wait to a minute and does not end the loop', async () => {
  const { dialer, dials, run, close } = lab({ answers: () => true })
  dialer.start()
  await run(100_000)

  close(100_000, true)
  await run(200_000)

  expect(dials).toEqual([0, 160_000])
})

test('of two nodes that list each other the higher id lets the other go first', async () => {
  const yields = lab({ self: '9', yieldMs: 500 })
  const goes = lab({ self: '0', yieldMs: 500 })

  yields.dialer.start()
  goes.dialer.start()
  await yields.run(600)
  await goes.run(0)

  expect(yields.dials[0]).toBe(500)
  expect(goes.dials).toEqual([0])
})

test('a stopped dialer leaves no timer and dials no more', async () => {
  const { clock, dialer, dials, run } = lab()
  dialer.start()
  await run(2_000)

  dialer.stop()
  await run(500_000)

  expect(clock.armed).toBe(0)
  expect(dials.length).toBe(2)
})

test('told that the way is free again, it dials at once and counts its failures anew', async () => {
  let open = false
  const { clock, dialer, dials, run } = lab({ answers: () => open })
  dialer.start()
  await run(40_000)
  expect(dials.at(-1)).toBe(31_000)

  open = true
  dialer.again()
  await run(40_000)

  expect(dials.at(-1)).toBe(40_000)
  expect(clock.armed).toBe(0)
})

test('whoever is connected is left alone when the way is free again', async () => {
  const { dialer, dials, run } = lab({ answers: () => true })
  dialer.start()
  await run(10)

  dialer.again()
  await run(20)

  expect(dials).toEqual([0])
})

test('a bootnode is dialled while peers are missing, a static peer always, for 24 hours', async () => {
  const day = 86_400_000
  let needs = false
  const idle = lab({ kind: 'bootnode', needsPeers: () => needs })
  idle.dialer.start()
  await idle.run(day)
  expect(idle.dials).toEqual([])
  needs = true
  await idle.run(day + 60_000)
  expect(idle.dials).toHaveLength(1)

  const steady = lab({ needsPeers: () => false })
  steady.dialer.start()
  await steady.run(day)
  const waits = steady.dials.slice(1).map((at, index) => at - (steady.dials[index] ?? 0))
  expect(Math.max(...waits)).toBe(60_000)
  expect(steady.dials.length).toBeGreaterThan(day / 60_000)
})

test('who is kept from now on is dialled at once and for ever, and no longer when it is not', async () => {
  const { dialer, dials, run, close } = lab()
  dialer.start()
  dialer.unkeep(id)
  await run(100_000)
  expect(dials).toEqual([0])

  dialer.keep({ id, addr, kind: 'static' })
  await run(101_000)
  expect(dials).toEqual([0, 100_000, 101_000])
  dialer.unkeep(id)
  close(0)
  await run(400_000)
  expect(dials).toHaveLength(3)
})
