import { VirtualClock } from '@rockpool/actor'
import { limits } from '@rockpool/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFaultLink, type LinkShape } from './fault-link.ts'

/** A link on a virtual clock before a socket that takes everything; `left` is what has left it, and when. */
function lab({ random = (): number => 0.5, socket = (): boolean => true } = {}) {
  const clock = new VirtualClock()
  const left: { at: number; bytes: Uint8Array }[] = []
  let rooms = 0
  const link = createFaultLink({
    clock,
    random,
    write(bytes) {
      left.push({ at: clock.now(), bytes })
      return socket()
    },
    roomAgain: () => {
      rooms += 1
    },
  })
  const passTo = (instant: number): void => {
    while (clock.fireNext(instant)) {}
    clock.set(instant)
  }
  const text = (): string => left.map(({ bytes }) => Buffer.from(bytes).toString()).join('')
  return { clock, link, left, passTo, text, rooms: () => rooms }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('latency', () => {
  test('bytes leave after it and not a moment sooner', () => {
    const { link, left, passTo } = lab()
    link.reshape({ latencyMs: 100 })

    link.push(bytes('a'))

    passTo(99)
    expect(left).toEqual([])
    passTo(100)
    expect(left).toHaveLength(1)
  })

  test('a shorter one overtakes nothing, whatever the jitter', () => {
    const jumps = fc.array(fc.record({ waitMs: fc.nat(50), luck: fc.double({ max: 1, min: 0 }) }))
    fc.assert(
      fc.property(jumps, jitters => {
        let luck = 0
        const { clock, link, left, passTo } = lab({ random: () => luck })
        link.reshape({ latencyMs: 80, jitterMs: 60 })
        for (const [index, jump] of jitters.entries()) {
          luck = jump.luck
          passTo(clock.now() + jump.waitMs)
          link.push(bytes(`${index},`))
        }
        passTo(clock.now() + 140)

        expect(left.map(({ bytes }) => Number.parseInt(Buffer.from(bytes).toString(), 10))).toEqual(
          jitters.map((_, index) => index),
        )
      }),
    )
  })

  test('healed, what is under way keeps its time and what follows stays behind it', () => {
    const { link, passTo, text } = lab()
    link.reshape({ latencyMs: 100 })
    link.push(bytes('first '))

    link.reshape({})
    link.push(bytes('second'))

    expect(link.isOpen()).toBe(false)
    passTo(99)
    expect(text()).toBe('')
    passTo(100)
    expect(text()).toBe('first second')
    expect(link.isOpen()).toBe(true)
  })
})

describe('bandwidth', () => {
  test('10 MiB at 1 MiB/s take 10 s but for the first burst', () => {
    const { link, left, passTo } = lab()
    link.reshape({ bytesPerSecond: 1_048_576 })

    for (let chunk = 0; chunk < 160; chunk++) link.push(new Uint8Array(65_536))

    passTo(9_800)
    expect(left.length).toBeLessThan(160)
    passTo(10_000)
    expect(left).toHaveLength(160)
  })

  test('no window carries more than its rate, one burst and one chunk', () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 60 })
    fc.assert(
      fc.property(chunks, fc.integer({ min: 100, max: 20_000 }), (sizes, rate) => {
        const { link, left, passTo } = lab()
        link.reshape({ bytesPerSecond: rate })
        for (const size of sizes) link.push(new Uint8Array(size))
        passTo(10_000_000)

        expect(left).toHaveLength(sizes.length)
        for (let from = 0; from < left.length; from++) {
          let sent = 0
          for (const { at, bytes } of left.slice(from)) {
            const spanMs = at - (left[from]?.at ?? 0)
            expect(sent).toBeLessThanOrEqual(rate * ((spanMs + 50) / 1_000) + 5_000 + 1)
            sent += bytes.length
          }
        }
      }),
    )
  })

  test('over the limit of waiting bytes the writer is held back once and told once', () => {
    const { link, passTo, rooms } = lab()
    link.reshape({ stall: true })
    expect(link.push(new Uint8Array(limits.linkWaitingBytes))).toBe(true)

    expect(link.push(new Uint8Array(1))).toBe(false)

    expect(rooms()).toBe(0)
    link.reshape({})
    passTo(1)
    expect(rooms()).toBe(1)
  })
})

describe('stall', () => {
  test('nothing leaves while it lasts; then everything, in order', () => {
    const { link, passTo, text } = lab()
    link.reshape({ stall: true })
    link.push(bytes('a'))
    link.push(bytes('b'))
    passTo(5_000)
    expect(text()).toBe('')

    link.reshape({})

    expect(text()).toBe('ab')
  })

  test('whoever closes waits for what is left, and is freed when the connection dies', async () => {
    const { link, text } = lab()
    link.reshape({ stall: true })
    link.push(bytes('a'))
    let empty = false
    const waited = link.untilEmpty().then(() => {
      empty = true
    })
    await Promise.resolve()
    expect(empty).toBe(false)

    link.destroy()

    await waited
    expect(text()).toBe('')
  })
})

test('a full socket is left alone until it has room', () => {
  const { link, text, passTo } = lab({ socket: () => false })
  link.reshape({ latencyMs: 1 })
  link.push(bytes('a'))
  link.push(bytes('b'))
  passTo(10)
  expect(text()).toBe('a')

  link.socketDrained()

  expect(text()).toBe('ab')
})

test('whatever happens to a link, every byte leaves once and in order', () => {
  const shapes: fc.Arbitrary<LinkShape> = fc.record(
    {
      latencyMs: fc.nat(300),
      jitterMs: fc.nat(300),
      bytesPerSecond: fc.integer({ min: 10, max: 100_000 }),
      stall: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ shape: shapes }),
    fc.record({ waitMs: fc.nat(200) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), history => {
      const { clock, link, passTo, text } = lab()
      let sent = ''
      for (const act of history) {
        if ('shape' in act) link.reshape(act.shape)
        else if ('waitMs' in act) passTo(clock.now() + act.waitMs)
        else {
          const next = `${sent.length},`.padEnd(act.push, '.')
          sent += next
          link.push(bytes(next))
        }
      }
      link.reshape({})
      passTo(clock.now() + 600)

      expect(text()).toBe(sent)
    }),
  )
})
