import { describe, expect, test } from 'vitest'
import type { ActorRef, Behavior, Context, Outcome, Reply } from './api.ts'
import { Bus } from './bus.ts'
import { RealClock, VirtualClock } from './clock.ts'
import { Probe } from './probe.ts'
import { createTestBus } from './test-bus.ts'
import { chainText } from './trace.ts'

type Item = { type: 'item'; n: number }
type Question = { type: 'question'; reply: Reply<number> }
const item = (n: number): Item => ({ type: 'item', n })
const question = (reply: Reply<number>): Question => ({ type: 'question', reply })

describe('a full mailbox', () => {
  test('makes a dead letter of what is told and refuses what is offered', () => {
    const { bus, letters, run } = createTestBus()
    const ref = bus.declare<Item>('small', { capacity: 2 })
    ref.tell(item(1))
    expect(ref.offer(item(2))).toBe(true)

    ref.tell(item(3))
    expect(ref.offer(item(4))).toBe(false)

    expect(letters.map(({ reason, msg }) => [reason, msg])).toEqual([['full', item(3)]])
    expect(bus.refused).toBe(1)
    expect(bus.balanced()).toBe(true)
    run()
  })

  test('keeps the newest when it drops the oldest', () => {
    const { bus, letters, run } = createTestBus()
    const ref = bus.declare<Item>('news', { capacity: 2, overflow: 'drop-oldest' })
    for (let n = 1; n <= 4; n++) ref.tell(item(n))
    const heard: number[] = []

    bus.spawn(ref, () => (msg: Item) => heard.push(msg.n))
    run()

    expect(heard).toEqual([3, 4])
    expect(letters.map(({ reason, msg }) => [reason, msg])).toEqual([
      ['oldest', item(1)],
      ['oldest', item(2)],
    ])
    expect(bus.balanced()).toBe(true)
  })

  test('asks a refused producer back at half', () => {
    const { bus, run } = createTestBus()
    const sink = bus.declare<Item>('sink', { capacity: 4 })
    type Go = { type: 'go' }
    let sent = 0
    bus
      .spawn<Go>('source', ctx => () => {
        while (sent < 20 && sink.offer(item(sent))) sent++
        if (sent < 20) ctx.whenSpace(sink, { type: 'go' })
      })
      .tell({ type: 'go' })
    run()
    expect(sent).toBe(4)
    const heard: number[] = []

    bus.spawn(sink, () => (msg: Item) => heard.push(msg.n))
    run()

    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(bus.deadLetters.list()).toEqual([])
    expect(bus.balanced()).toBe(true)
  })

  test('tells an edge when there is space, at half and not before, and when the actor is gone', () => {
    const { bus } = createTestBus()
    const ref = bus.declare<Item>('sink', { capacity: 4 })
    for (let n = 0; n < 4; n++) ref.tell(item(n))
    let told = 0
    bus.whenSpace(ref, () => told++)
    bus.spawn(ref, () => () => {})

    bus.step()
    expect(told).toBe(0)
    bus.step()
    expect(told).toBe(1)

    for (let n = 0; n < 2; n++) ref.tell(item(n))
    bus.whenSpace(ref, () => told++)
    bus.stop(ref)
    expect(told).toBe(2)
    bus.whenSpace(ref, () => told++)
    expect(told).toBe(3)
  })
})

test('of messages with one key only the newest waits, in the place of the oldest', () => {
  type Msg = { type: 'x' | 'head'; n: number; reply?: Reply<number> }
  const { bus, run } = createTestBus()
  const heard: string[] = []
  const ref = bus.declare<Msg>('c', {
    overflow: 'coalesce',
    key: msg => (msg.type === 'head' ? 'head' : undefined),
  })
  ref.tell({ type: 'x', n: 0 })
  for (let n = 0; n < 5; n++) ref.tell({ type: 'head', n })
  ref.tell({ type: 'x', n: 1 })

  bus.spawn(ref, () => (msg: Msg) => heard.push(msg.type + msg.n))
  run()

  expect(heard).toEqual(['x0', 'head4', 'x1'])
  expect(bus.merged).toBe(4)
  ref.tell({ type: 'head', n: 5 })
  run()
  expect(heard.at(-1)).toBe('head5')
  expect(bus.balanced()).toBe(true)
})

test('with a sum for two of one key they are added up, and only when the mailbox is full', () => {
  type Msg = { type: 'add'; key: string; n: number }
  const { bus, run } = createTestBus()
  const heard: string[] = []
  const ref = bus.declare<Msg>('c', {
    capacity: 3,
    overflow: 'coalesce',
    key: msg => msg.key,
    merge: (waiting, next) => ({ ...waiting, n: waiting.n + next.n }),
  })
  for (const key of ['a', 'a', 'b', 'a', 'b', 'a']) ref.tell({ type: 'add', key, n: 1 })
  bus.spawn(ref, () => (msg: Msg) => heard.push(msg.key + msg.n))
  run()

  expect(heard).toEqual(['a1', 'a3', 'b2'])
  expect(bus.merged).toBe(3)
  expect(bus.balanced()).toBe(true)
})

test('a question pushed out by a newer one of its key fails with full', async () => {
  const { bus } = createTestBus()
  const ref = bus.declare<Question>('c', { overflow: 'coalesce', key: () => 'one' })

  const first = bus.ask(ref, question, 1000)
  void bus.ask(ref, question, 1000)

  expect(await first).toEqual({ ok: false, error: 'full' })
  expect(bus.balanced()).toBe(true)
})

test('urgent messages overtake a full mailbox and have a bound of their own', () => {
  type Msg = { type: 'urgent' | 'usual'; n: number }
  const { bus, letters, run } = createTestBus()
  const ref = bus.declare<Msg>('u', {
    capacity: 2,
    urgent: msg => msg.type === 'urgent',
    urgentCapacity: 2,
  })
  for (let n = 0; n < 3; n++) ref.tell({ type: 'usual', n })
  for (let n = 0; n < 3; n++) ref.tell({ type: 'urgent', n })
  expect(ref.offer({ type: 'urgent', n: 9 })).toBe(false)
  const heard: string[] = []

  bus.spawn(ref, () => (msg: Msg) => heard.push(msg.type + msg.n))
  run()

  expect(heard).toEqual(['urgent0', 'urgent1', 'usual0', 'usual1'])
  expect(letters.map(({ reason, type }) => [reason, type])).toEqual([
    ['full', 'usual'],
    ['full', 'urgent'],
  ])
  expect(bus.balanced()).toBe(true)
})

describe('an ask', () => {
  test('is answered once; what comes after is a late reply', async () => {
    const { bus, letters, run } = createTestBus()
    const ref = bus.spawn<Question>('q', () => ({ reply }) => {
      reply.tell(1)
      reply.tell(2)
    })

    const outcome = bus.ask(ref, question, 1000)
    run()

    expect(await outcome).toEqual({ ok: true, value: 1 })
    expect(letters.map(({ reason, msg }) => [reason, msg])).toEqual([['late-reply', 2]])
    expect(bus.asks).toBe(0)
    expect(bus.balanced()).toBe(true)
  })

  test('that came too late is never worked on', async () => {
    const { bus, clock, letters, run } = createTestBus()
    const ref = bus.declare<Question>('q')
    const outcome = bus.ask(ref, question, 100)
    clock.fireNext()
    let worked = 0

    bus.spawn(ref, () => () => worked++)
    run()

    expect(await outcome).toEqual({ ok: false, error: 'timeout' })
    expect([worked, letters[0]?.reason]).toEqual([0, 'expired'])
    expect(bus.balanced()).toBe(true)
  })

  test('answered after its deadline is a late reply', async () => {
    const { bus, letters, run, advance } = createTestBus()
    let held: Reply<number> | undefined
    const ref = bus.spawn<Question>('q', () => ({ reply }) => {
      held = reply
    })
    const outcome = bus.ask(ref, question, 100)
    run()
    advance(100)

    held?.tell(1)

    expect(await outcome).toEqual({ ok: false, error: 'timeout' })
    expect(letters.map(({ reason }) => reason)).toEqual(['late-reply'])
  })

  test('to an actor that stops fails at once, in the queue and in the hand', async () => {
    const { bus, run, clock } = createTestBus()
    const ref = bus.spawn<Question>('q', ctx => () => ctx.stop())
    const taken = bus.ask(ref, question, 1000)
    const queued = bus.ask(ref, question, 1000)

    run()
    const after = bus.ask(ref, question, 1000)

    expect(await Promise.all([taken, queued, after])).toEqual(
      Array.from({ length: 3 }, () => ({ ok: false, error: 'dead' })),
    )
    expect(clock.now()).toBe(0)
    expect(clock.armed).toBe(0)
    expect(bus.balanced()).toBe(true)
  })

  test('to a full mailbox fails at once, as does one pushed out', async () => {
    const { bus } = createTestBus()
    const full = bus.declare<Question>('full', { capacity: 1 })
    const news = bus.declare<Question>('news', { capacity: 1, overflow: 'drop-oldest' })
    void bus.ask(full, question, 1000)
    const refused = bus.ask(full, question, 1000)
    const pushedOut = bus.ask(news, question, 1000)
    void bus.ask(news, question, 1000)

    expect(await refused).toEqual({ ok: false, error: 'full' })
    expect(await pushedOut).toEqual({ ok: false, error: 'full' })
  })

  test('the target crashed on, or holds while it restarts, fails with crashed', async () => {
    const { bus, run } = createTestBus()
    const ref = bus.spawn<Question | Item>(
      'q',
      () => msg => {
        if (msg.type === 'item') throw new Error('poison')
      },
      { supervision: { on: () => 'restart' } },
    )
    const held = bus.ask(ref, question, 1000)
    run()
    ref.tell(item(1))
    run()
    expect(await held).toEqual({ ok: false, error: 'crashed' })

    const poison = bus.spawn<Question>('p', () => () => {
      throw new Error('poison')
    })
    const asked = bus.ask(poison, question, 1000)
    run()
    expect(await asked).toEqual({ ok: false, error: 'crashed' })
    expect(bus.balanced()).toBe(true)
  })

  test('passed on by a router is owed by the next receiver, even after the router is gone', async () => {
    const { bus, run } = createTestBus()
    const worker = bus.declare<Question>('worker')
    const router = bus.spawn<Question>('router', ctx => msg => {
      worker.tell(msg)
      ctx.stop()
    })
    const outcome = bus.ask(router, question, 1000)
    run()

    bus.spawn(
      worker,
      () =>
        ({ reply }: Question) =>
          reply.tell(7),
    )
    run()

    expect(await outcome).toEqual({ ok: true, value: 7 })
  })

  test('of an actor comes back as a message, and is stale after its restart', () => {
    const { bus, run } = createTestBus()
    let held: Reply<number> | undefined
    const target = bus.spawn<Question>('target', () => ({ reply }) => {
      held = reply
    })
    type Msg = { type: 'go' } | { type: 'crash' } | { type: 'got'; outcome: Outcome<number> }
    const heard: unknown[] = []
    const asker = bus.spawn<Msg>(
      'asker',
      ctx => msg => {
        if (msg.type === 'go') {
          ctx.ask(target, question, 1000, outcome => ({ type: 'got', outcome }))
        } else if (msg.type === 'crash') throw new Error('poison')
        else heard.push(msg.outcome)
      },
      { supervision: { on: () => 'restart' } },
    )
    asker.tell({ type: 'go' })
    run()
    held?.tell(1)
    run()
    expect(heard).toEqual([{ ok: true, value: 1 }])

    asker.tell({ type: 'go' })
    run()
    asker.tell({ type: 'crash' })
    run()
    held?.tell(2)
    run()

    expect(heard).toHaveLength(1)
    expect(bus.meters().actors.find(({ actor }) => actor === '/asker')?.stale).toBe(1)
    expect(bus.balanced()).toBe(true)
  })

  test('whose outcome was already queued when its asker restarts is stale too', () => {
    const { bus } = createTestBus()
    const target = bus.spawn<Question>(
      'target',
      () =>
        ({ reply }) =>
          reply.tell(1),
    )
    type Msg = { type: 'go' } | { type: 'got' }
    let got = 0
    const asker = bus.spawn<Msg>(
      'asker',
      ctx => msg => {
        if (msg.type === 'got') got++
        else {
          bus.stop(target)
          ctx.ask(target, question, 1000, () => ({ type: 'got' }))
          throw new Error('poison')
        }
      },
      { supervision: { on: () => 'restart' } },
    )
    asker.tell({ type: 'go' })
    while (bus.step()) expect(bus.balanced()).toBe(true)

    expect(got).toBe(0)
    expect(bus.meters().actors.find(({ actor }) => actor === '/asker')?.stale).toBe(1)
  })
})

describe('take', () => {
  type Msg = Item | Question | { type: 'stop' }
  const isQuestion = (msg: Msg): msg is Question => msg.type === 'question'

  test('keeps order and stops at the first message that does not match, and at max', () => {
    const { bus, run } = createTestBus()
    const ref = bus.declare<Msg>('t')
    for (let n = 0; n < 5; n++) ref.tell(item(n))
    ref.tell({ type: 'stop' })
    ref.tell(item(5))
    const turns: number[][] = []

    bus.spawn(ref, (ctx: Context<Msg>) => (msg: Msg) => {
      if (msg.type !== 'item') return
      const more = ctx.take((m): m is Item => m.type === 'item', 2)
      turns.push([msg.n, ...more.map(({ n }) => n)])
    })
    run()

    expect(turns).toEqual([[0, 1, 2], [3, 4], [5]])
    expect(bus.handled).toBe(7)
    expect(bus.balanced()).toBe(true)
  })

  test('a throw after it fails everybody taken', async () => {
    const { bus, letters, run } = createTestBus()
    const ref = bus.declare<Msg>('t')
    const asked = [1, 2, 3].map(() => bus.ask(ref, question, 1000))
    bus.spawn(ref, (ctx: Context<Msg>) => () => {
      ctx.take(isQuestion, 10)
      throw new Error('poison')
    })
    run()

    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ ok: false, error: 'crashed' })))
    expect(letters.map(({ reason }) => reason)).toEqual(['crashed', 'crashed', 'crashed'])
    expect(bus.balanced()).toBe(true)
  })

  test('buries what nobody waits for any more', () => {
    const { bus, clock, letters, run } = createTestBus()
    const ref = bus.declare<Msg>('t')
    ref.tell(item(0))
    void bus.ask(ref, question, 10)
    void bus.ask(ref, question, 1000)
    clock.fireNext()
    const taken: number[] = []
    bus.spawn(ref, (ctx: Context<Msg>) => () => {
      taken.push(ctx.take(isQuestion, 1).length)
    })
    run()

    expect(taken).toEqual([1])
    expect(letters.map(({ reason }) => reason)).toEqual(['expired'])
    expect(bus.balanced()).toBe(true)
  })
})

test('what a declared actor is told before it is spawned arrives', () => {
  const { bus, run } = createTestBus()
  const ref = bus.declare<Item>('later')
  ref.tell(item(1))
  run()
  const heard: number[] = []

  bus.spawn(ref, () => (msg: Item) => heard.push(msg.n))
  run()

  expect(heard).toEqual([1])
})

test('an actor may tell itself what nobody else can send it', () => {
  type ToSelf = { type: 'self'; n: number }
  const { bus, run } = createTestBus()
  const ref = bus.declare<Item>('a')
  const heard: number[] = []
  const behave: Behavior<Item | ToSelf> = ctx => msg => {
    if (msg.type === 'item') ctx.self.tell({ type: 'self', n: msg.n })
    else heard.push(msg.n)
  }
  bus.spawn(ref, behave)
  // @ts-expect-error the declared ref takes items only
  const forbidden = () => ref.tell({ type: 'self', n: 1 })
  // @ts-expect-error an actor must accept what its ref promises
  const narrow = () => bus.spawn(ref, (() => () => {}) as Behavior<ToSelf>)
  ref.tell(item(3))

  run()

  expect(heard).toEqual([3])
  expect([forbidden, narrow]).toHaveLength(2)
})

test('two actors of one name cannot live at once', () => {
  const { bus } = createTestBus()
  const ref = bus.spawn<Item>('pool', () => () => {})

  expect(() => bus.declare('pool')).toThrow('actor /pool exists')
  expect(() => bus.spawn(ref, () => () => {})).toThrow('actor /pool exists')
  bus.stop(ref)
  expect(bus.spawn<Item>('pool', () => () => {}).path).toBe('/pool')
})

test('every message knows what caused it, back to the label of its input', () => {
  type Msg = { type: 'x' | 'y'; left: number }
  const { bus, run } = createTestBus()
  const a = bus.declare<Msg>('a')
  const b = bus.declare<Msg>('b')
  const bounce = (to: ActorRef<Msg>, type: 'x' | 'y') => () => (msg: Msg) => {
    if (msg.left > 0) to.tell({ type, left: msg.left - 1 })
  }
  bus.spawn(a, bounce(b, 'y'))
  bus.spawn(b, bounce(a, 'x'))
  a.tell({ type: 'x', left: 3 }, 'rpc:7')
  run()

  expect(chainText(bus.trace(4))).toBe('/b:y#4 <- /a:x#3 <- /b:y#2 <- /a:x#1 <- rpc:7')
})

test('a hundred thousand hops through twenty thousand actors do not grow the stack', () => {
  type Hop = { type: 'hop'; left: number }
  const { bus } = createTestBus()
  const ring: ActorRef<Hop>[] = Array.from({ length: 20_000 }, (_, i) =>
    bus.declare<Hop>(`ring:${i}`),
  )
  let hops = 0
  ring.forEach((ref, i) => {
    const next = ring[(i + 1) % ring.length] as ActorRef<Hop>
    bus.spawn(ref, () => (msg: Hop) => {
      hops++
      if (msg.left > 0) next.tell({ type: 'hop', left: msg.left - 1 })
    })
  })
  ring[0]?.tell({ type: 'hop', left: 100_000 })

  bus.runUntilIdle()

  expect(hops).toBe(100_001)
  expect(bus.balanced()).toBe(true)
})

test('round robin: an actor with a backlog lets the others have their turn', () => {
  const { bus, run } = createTestBus()
  const order: string[] = []
  for (const name of ['a', 'b']) {
    const ref = bus.declare<Item>(name)
    for (let n = 0; n < 3; n++) ref.tell(item(n))
    bus.spawn(ref, () => (msg: Item) => order.push(name + msg.n))
  }

  run()

  expect(order).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
})

test('a chooser decides which ready actor runs, and sees all of them', () => {
  const seen: string[] = []
  const { bus, run } = createTestBus({
    pick: ready => {
      seen.push(ready.map(({ path }) => path).join())
      return ready.length - 1
    },
  })
  const order: string[] = []
  for (const name of ['a', 'b', 'c']) {
    bus.spawn<Item>(name, () => () => order.push(name)).tell(item(0))
  }

  run()

  expect(order).toEqual(['c', 'b', 'a'])
  expect(seen).toEqual(['/a,/b,/c', '/a,/b', '/a'])
})

test('on the real clock the bus runs itself, and lets the event loop have its turn', async () => {
  const bus = new Bus({ clock: new RealClock(), quantum: 1, slice: 0 })
  const ref = bus.spawn<Question>(
    'q',
    () =>
      ({ reply }) =>
        reply.tell(bus.turns),
  )

  const outcomes = await Promise.all([1, 2, 3].map(() => bus.ask(ref, question, 1000)))

  expect(outcomes).toEqual([1, 2, 3].map(value => ({ ok: true, value })))
  expect(bus.pace.slices).toBeGreaterThan(0)
  expect(bus.balanced()).toBe(true)
  bus.stopAll('dead')
})

test('whoever steps by hand is told when there is something to step', () => {
  let ready = 0
  const bus = new Bus({ clock: new VirtualClock(), onReady: () => ready++ })
  const probe = new Probe<Item>(bus, 'p', msg => {
    if (msg.n > 0) probe.ref.tell(item(msg.n - 1))
  })
  expect([bus.idle, ready]).toEqual([true, 0])

  probe.ref.tell(item(3))
  expect([bus.idle, ready]).toEqual([false, 1])
  expect(bus.step()).toBe(true)
  bus.runUntilIdle()
  expect([ready, bus.step(), bus.turns]).toEqual([1, false, 4])
})

test('one turn sees one instant', () => {
  const { bus, clock, run } = createTestBus()
  const seen: number[] = []
  bus
    .spawn<Item>('a', ctx => () => {
      seen.push(ctx.now(), ctx.wall())
      clock.set(clock.now() + 5)
      seen.push(ctx.now(), ctx.wall())
    })
    .tell(item(0))

  run()

  expect([seen[2], seen[3]]).toEqual([seen[0], seen[1]])
})

test('two buses of one seed draw alike; actors draw independently of each other', () => {
  const draw = (names: string[]) => {
    const { bus, run } = createTestBus({ seed: 'x' })
    const drawn: Record<string, number[]> = {}
    for (const name of names) {
      const behave = (ctx: Context<Item>) => () => {
        drawn[name] = [ctx.random(), ctx.int(1000)]
      }
      bus.spawn<Item>(name, behave).tell(item(0))
    }
    run()
    return drawn
  }

  expect(draw(['a', 'b'])).toEqual(draw(['b', 'a']))
  expect(draw(['a', 'b']).a).toEqual(draw(['a']).a)
})

test('entropy comes from outside; a bus without refuses', () => {
  const heard: (Uint8Array | string)[] = []
  const behave = (ctx: Context<Item>) => () => {
    heard.push(ctx.entropy(2))
  }
  const given = createTestBus({ entropy: n => new Uint8Array(n).fill(7) })
  given.bus.spawn('a', behave).tell(item(0))
  given.run()
  const without = createTestBus()
  without.bus.spawn('a', behave).tell(item(0))
  without.run()

  expect(heard).toEqual([new Uint8Array([7, 7])])
  expect(without.fatals).toHaveLength(1)
})

test('luck is for simulations', () => {
  const luck: boolean[] = []
  const behave = (ctx: Context<Item>) => () => {
    luck.push(ctx.maybe('early-timeout'))
  }
  for (const options of [{}, { maybe: (label: string) => label === 'early-timeout' }]) {
    const { bus, run } = createTestBus(options)
    bus.spawn('a', behave).tell(item(0))
    run()
  }

  expect(luck).toEqual([false, true])
})

test('stashed messages wait for unstash, in order; beyond the capacity they are dead letters', () => {
  type Msg = Item | { type: 'open' }
  const { bus, letters, run } = createTestBus()
  const heard: number[] = []
  const ref = bus.spawn<Msg>(
    's',
    ctx => msg => {
      if (msg.type === 'item') return ctx.stash(msg)
      ctx.become(more => {
        if (more.type === 'item') heard.push(more.n)
      })
      ctx.unstash()
    },
    { mailbox: { capacity: 2 } },
  )
  for (let n = 0; n < 3; n++) {
    ref.tell(item(n))
    run()
  }
  ref.tell({ type: 'open' })
  ref.tell(item(9))
  run()

  expect(heard).toEqual([0, 1, 9])
  expect(letters.map(({ reason, msg }) => [reason, msg])).toEqual([['full', item(2)]])
  expect(bus.balanced()).toBe(true)
})

test('a stashed message that is poison is a letter, and the rest of the stash stays', () => {
  type Msg = Item | { type: 'open' }
  const { bus, letters, run } = createTestBus()
  const heard: number[] = []
  const ref = bus.spawn<Msg>(
    's',
    ctx => {
      let isOpen = false
      return msg => {
        if (msg.type === 'open') {
          isOpen = true
          ctx.unstash()
        } else if (!isOpen) ctx.stash(msg)
        else if (msg.n === 1) throw new Error('poison')
        else heard.push(msg.n)
      }
    },
    { supervision: { on: () => 'restart' } },
  )
  for (let n = 0; n < 3; n++) ref.tell(item(n))
  ref.tell({ type: 'open' })
  ref.tell({ type: 'open' })
  run()

  expect(heard).toEqual([0, 2])
  expect(letters.map(({ reason, type }) => [reason, type])).toEqual([
    ['crashed', 'item'],
    ['crashed', 'open'],
  ])
  expect(bus.balanced()).toBe(true)
})

test('log lines carry the turn they were written in', () => {
  const lines: unknown[] = []
  const { bus, run } = createTestBus({
    log: (level, code, fields, place) => lines.push([level, code, fields, place]),
  })
  bus.spawn<Item>('a', ctx => () => ctx.log.info('pool/demoted-gap', { nonce: 1 })).tell(item(0))

  run()

  expect(lines).toEqual([
    ['info', 'pool/demoted-gap', { nonce: 1 }, { id: 1, cause: 0, actor: '/a' }],
  ])
})

test('two runs of one seed have one hash, another history has another', () => {
  const hash = (n: number) => {
    const { bus, run } = createTestBus({ traceHash: true })
    const probe = new Probe<Item>(bus, 'p', msg => {
      if (msg.n > 0) probe.ref.tell(item(msg.n - 1))
    })
    probe.ref.tell(item(n))
    run()
    return bus.traceHash
  }

  expect(hash(5)).toBe(hash(5))
  expect(hash(5)).not.toBe(hash(6))
})

test('the turn we are in has a name', () => {
  const { bus, run } = createTestBus()
  const seen: unknown[] = [bus.where()]
  bus.spawn<Item>('a', () => () => seen.push(bus.where())).tell(item(0))

  run()

  expect(seen).toEqual([undefined, '/a on item #1'])
})
