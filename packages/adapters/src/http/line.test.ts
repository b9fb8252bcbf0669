import type { ActorRef, AskError, Outcome, Reply } from '@rockpool/actor'
import { describe, expect, test } from 'vitest'
import { type Asker, createLine, type LineOptions } from './line.ts'

type Question = { readonly name: string; readonly reply: Reply<string> }

/** An asker whose questions the test answers by hand. */
function aLine(options: Partial<LineOptions> = {}) {
  const asked: { name: string; ms: number; answer: (outcome: Outcome<string>) => void }[] = []
  const nobody: ActorRef<never> = { path: '/nobody', tell() {}, offer: () => false }
  const bus: Asker = {
    ask: (_to, make, ms) =>
      new Promise(resolve => {
        const { name } = make(nobody as never) as unknown as Question
        asked.push({ name, ms, answer: resolve as (outcome: Outcome<string>) => void })
      }),
  }
  const line = createLine<Question>(bus, nobody as ActorRef<Question>, {
    ...{ underWayMax: 2, waitingMax: 2, deadlineMs: 1_000 },
    ...options,
  })
  const ask = (name: string) => line.ask<string>(reply => ({ name, reply }))
  return { line, ask, asked }
}

describe('a line', () => {
  test('asks up to its share at once and the rest in turn', async () => {
    const { line, ask, asked } = aLine()
    const answers = ['a', 'b', 'c', 'd'].map(ask)

    expect(asked.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(line).toMatchObject({ underWay: 2, waiting: 2 })
    asked[1]?.answer({ ok: true, value: 'B' })
    expect(await answers[1]).toBe('B')
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    asked[0]?.answer({ ok: true, value: 'A' })
    asked[2]?.answer({ ok: true, value: 'C' })
    expect(await answers[2]).toBe('C')
    asked[3]?.answer({ ok: true, value: 'D' })
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C', 'D'])
    expect(line).toMatchObject({ underWay: 0, waiting: 0 })
  })

  test('refuses the first that no longer fits as busy', async () => {
    const { ask, asked } = aLine()
    for (const name of ['a', 'b', 'c', 'd']) void ask(name)

    await expect(ask('e')).rejects.toMatchObject({ code: -32005, status: 503 })
    expect(asked).toHaveLength(2)
  })

  test('gives who waited only the time that is left', async () => {
    const { ask, asked } = aLine({ underWayMax: 1 })
    void ask('a')
    void ask('b')
    asked[0]?.answer({ ok: true, value: 'A' })
    await new Promise(resolve => setImmediate(resolve))

    expect(asked[0]?.ms).toBe(1_000)
    expect(asked[1]?.ms).toBeLessThanOrEqual(1_000)
  })

  test('goes on after a question that waited too long', async () => {
    const { ask, asked, line } = aLine({ underWayMax: 1, deadlineMs: 0 })
    void ask('a')
    const late = [ask('b'), ask('c')]
    asked[0]?.answer({ ok: true, value: 'A' })

    const outcomes = await Promise.allSettled(late)

    expect(outcomes).toMatchObject([{ reason: { code: -32002 } }, { reason: { code: -32002 } }])
    expect(line).toMatchObject({ underWay: 0, waiting: 0 })
  })

  test('says why there is no answer', async () => {
    const codes: Record<AskError, number> = {
      full: -32005,
      dead: -32005,
      timeout: -32002,
      crashed: -32603,
    }
    for (const [error, code] of Object.entries(codes)) {
      const { ask, asked } = aLine()
      const answer = ask('a')
      asked[0]?.answer({ ok: false, error: error as AskError })

      await expect(answer).rejects.toMatchObject({ code })
    }
  })
})
