import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ActorRef, Context, Directive, Mailbox, Outcome, Reply } from './api.ts'
import { createTestBus } from './test-bus.ts'

/** What an actor does in its turn; `to` is the index of another. */
type Act =
  | { do: 'tell' | 'offer' | 'ask' | 'watch' | 'unwatch' | 'space'; to: number }
  | { do: 'after' | 'every' | 'at' | 'cancel' | 'pipe' | 'spawn'; n: number }
  | { do: 'throw' | 'stop' | 'stash' | 'unstash' | 'take' | 'answer' | 'stopChild' | 'emit' }
type Script = {
  type: 'script' | 'urgent'
  key: number
  acts: readonly Act[]
  reply?: Reply<number>
}
type Msg = Script | { type: 'note' } | { type: 'fact' }

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constantFrom<'tell' | 'offer' | 'ask' | 'watch' | 'unwatch' | 'space'>(
      'tell',
      'offer',
      'ask',
      'watch',
      'unwatch',
      'space',
    ),
    to: fc.nat(3),
  }),
  fc.record({
    do: fc.constantFrom<'after' | 'every' | 'at' | 'cancel' | 'pipe' | 'spawn'>(
      'after',
      'every',
      'at',
      'cancel',
      'pipe',
      'spawn',
    ),
    n: fc.nat(3),
  }),
  fc.record({
    do: fc.constantFrom<Exclude<Act['do'], 'tell' | 'after'> & string>(
      'throw',
      'stop',
      'stash',
      'unstash',
      'take',
      'answer',
      'stopChild',
      'emit',
    ) as fc.Arbitrary<'throw'>,
  }),
)
const script = fc.record({
  type: fc.constantFrom<'script' | 'urgent'>('script', 'urgent'),
  key: fc.nat(2),
  acts: fc.array(act, { maxLength: 4 }),
})
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ tell: fc.nat(3), script }) },
  { weight: 3, arbitrary: fc.record({ offer: fc.nat(3), script }) },
  { weight: 3, arbitrary: fc.record({ ask: fc.nat(3), script }) },
  { weight: 8, arbitrary: fc.record({ steps: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ timers: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.constant({ settle: true }) },
  { weight: 1, arbitrary: fc.record({ stop: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ respawn: fc.nat(3) }) },
)

const mailboxes: Mailbox<Msg>[] = [
  { capacity: 3 },
  { capacity: 3, overflow: 'drop-oldest', urgent: msg => msg.type === 'urgent', urgentCapacity: 2 },
  { capacity: 3, overflow: 'coalesce', key: msg => ('key' in msg ? `${msg.key}` : undefined) },
  {},
]
const directives: Directive[] = ['resume', 'restart', 'stop', 'restart']

function aWorld() {
  const bed = createTestBus({
    wiring: { fact: ['a1', 'a3', 'nobody'] },
    limits: { asksPerActor: 3, pipesPerActor: 2 },
  })
  const { bus } = bed
  const refs: ActorRef<Msg>[] = []
  const note = (_outcome: Outcome<unknown, unknown>): Msg => ({ type: 'note' })
  const refOf = (index: number) => refs[index] as ActorRef<Msg>
  const question = (reply: Reply<number>): Script => ({ type: 'script', key: 0, acts: [], reply })

  const behave = (ctx: Context<Msg, { type: 'fact' }>) => {
    ctx.onStop(() => {})
    const held: Reply<number>[] = []
    const children: ActorRef<Msg>[] = []
    const perform = (step: Act, msg: Script, rest: readonly Act[]): void => {
      switch (step.do) {
        case 'tell':
          // Only what comes after this act is passed on: a history doubles at most with each act, and ends.
          return refOf(step.to).tell({ ...msg, acts: rest })
        case 'offer':
          return void refOf(step.to).offer({ ...msg, acts: rest.slice(1) })
        case 'ask':
          return ctx.ask(refOf(step.to), question, 50, note)
        case 'watch':
          return ctx.watch(refOf(step.to), { type: 'note' })
        case 'unwatch':
          return ctx.unwatch(refOf(step.to))
        case 'space':
          return ctx.whenSpace(refOf(step.to), { type: 'note' })
        case 'after':
          return ctx.after(`${step.n}`, step.n * 10, { type: 'note' })
        case 'every':
          return ctx.every(`${step.n}`, 10 + step.n, { type: 'note' })
        case 'at':
          return ctx.at(`${step.n}`, ctx.wall() + step.n * 1000, { type: 'note' })
        case 'cancel':
          return ctx.cancel(`${step.n}`)
        case 'pipe':
          return ctx.pipe(
            () => {
              if (step.n === 0) throw new Error('now')
              if (step.n === 1) return Promise.reject(new Error('later'))
              return step.n === 2 ? Promise.resolve() : new Promise(() => {})
            },
            note,
            100,
          )
        case 'spawn':
          if (children.length < 2) {
            const options = { supervision: { on: () => 'escalate' as const } }
            const child = ctx.spawn<Msg>(
              `child:${children.length}`,
              () => more => {
                if (more.type === 'script' && more.key === 1) throw new Error('child')
              },
              options,
            )
            children.push(child)
          }
          return children.at(-1)?.tell({ type: 'script', key: step.n, acts: [] })
        case 'stopChild': {
          const child = children.pop()
          return child === undefined ? undefined : ctx.stop(child)
        }
        case 'throw':
          throw new Error('poison')
        case 'stop':
          return ctx.stop()
        case 'stash':
          return ctx.stash({ ...msg, acts: [] })
        case 'unstash':
          return ctx.unstash()
        case 'take':
          return void ctx.take((m): m is Script => m.type === 'script', 2)
        case 'answer':
          return held.pop()?.tell(1)
        case 'emit':
          return ctx.emit({ type: 'fact' })
      }
    }
    return (msg: Msg) => {
      if (msg.type === 'note' || msg.type === 'fact') return
      if (msg.reply !== undefined) held.push(msg.reply)
      for (const [index, step] of msg.acts.entries()) perform(step, msg, msg.acts.slice(index + 1))
    }
  }
  const spawn = (index: number) => {
    const directive = directives[index] as Directive
    const backoff = index === 3 ? ([20, 40] as const) : undefined
    refs[index] = bus.spawn<Msg, { type: 'fact' }>(`a${index}`, behave, {
      mailbox: mailboxes[index] as Mailbox<Msg>,
      supervision: { on: () => directive, max: 3, ...(backoff ? { backoff } : {}) },
    })
  }
  for (let index = 0; index < 4; index++) spawn(index)
  return { ...bed, refOf, spawn, question }
}

/** The end of this drain leaves a stopped actor in the ready list: a step that handles nothing and is not the last. */
const drainDuringBackoff: (typeof command extends fc.Arbitrary<infer C> ? C : never)[] = [
  { offer: 3, script: { type: 'script', key: 0, acts: [{ do: 'throw' }] } },
  { tell: 0, script: { type: 'script', key: 0, acts: [{ do: 'ask', to: 3 }] } },
]

test('sent = handled + dead + merged + queued after every step of every history, and nothing is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      fc.boolean(),
      async (commands, drains) => {
        const { bus, clock, refOf, spawn, question, advance, settle } = aWorld()
        const asked: Promise<Outcome<number>>[] = []
        const check = () => expect(bus.balanced()).toBe(true)
        for (const next of commands) {
          if ('tell' in next) refOf(next.tell).tell(next.script, 'test')
          else if ('offer' in next) refOf(next.offer).offer(next.script)
          else if ('ask' in next) {
            const ask = (reply: Reply<number>) => ({ ...question(reply), acts: next.script.acts })
            asked.push(bus.ask(refOf(next.ask), ask, 70))
          } else if ('steps' in next) {
            for (let i = 0; i < next.steps; i++) {
              bus.step()
              check()
            }
          } else if ('timers' in next) {
            for (let i = 0; i < next.timers; i++) {
              clock.fireNext()
              check()
            }
          } else if ('settle' in next) await Promise.resolve()
          else if ('stop' in next) bus.stop(refOf(next.stop))
          else if (!bus.roots.has(`a${next.respawn}`)) spawn(next.respawn)
          check()
        }

        const draining = drains ? bus.drain(200) : undefined
        await settle()
        check()
        advance(200)
        check()
        if (draining === undefined) bus.stopAll('dead')
        const outcomes = await Promise.all(asked)
        const result = await draining
        check()

        expect(outcomes).toHaveLength(asked.length)
        expect(result?.left ?? 0).toBeGreaterThanOrEqual(0)
        expect([bus.queued, bus.asks, bus.pipes.size, clock.armed]).toEqual([0, 0, 0, 0])
        expect(bus.roots.size).toBe(0)
      },
    ),
    { numRuns: 150, examples: [[drainDuringBackoff, true]] },
  )
}, 30_000)

test('one history always happens alike', () => {
  const run = (commands: readonly { tell: number; script: Script }[]) => {
    const { bus, refOf, advance, letters } = aWorld()
    for (const { tell, script: told } of commands) refOf(tell).tell(told)
    advance(500)
    return [bus.turns, bus.handled, letters.map(({ id, reason, at }) => [id, reason, at])]
  }
  fc.assert(
    fc.property(fc.array(fc.record({ tell: fc.nat(3), script }), { maxLength: 20 }), commands => {
      expect(run(commands)).toEqual(run(commands))
    }),
    { numRuns: 50 },
  )
})
