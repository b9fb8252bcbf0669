import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ActorsReport, TraceReport } from '../actors-of.ts'
import { askSocket } from '../socket.ts'
import { call } from '../testkit/devnet.ts'
import { createScratch, type NodeProcess, quietFlags } from '../testkit/scratch.ts'

/* An operator looks into the bus of a running node. */

const scratch = createScratch()
let node: NodeProcess
let socket = ''

const rockpool = (...words: readonly string[]) =>
  scratch.rockpool([...words, '--datadir', node.datadir])

beforeAll(async () => {
  node = scratch.run(scratch.path('node'), quietFlags)
  const { rpc, control } = await node.ready()
  socket = control
  await call(rpc, 'txpool_content')
})
afterAll(() => scratch.close())

/** The message with the longest story among the first ones: those still stand in the trace. */
async function storied(): Promise<number> {
  let best = { id: 0, hops: 0 }
  for (let id = 1; id <= 60; id += 1) {
    const { result } = await askSocket(socket, 'actors_trace', [id])
    const hops = (result as TraceReport | undefined)?.chain.length ?? 0
    if (hops > best.hops) best = { id, hops }
  }
  expect(best.hops).toBeGreaterThan(1)
  return best.id
}

test('actors ls tells depth, high-water, age and restarts of each', async () => {
  const screen = await rockpool('actors', 'ls')
  expect(screen).toMatchObject({ code: 0, stderr: '' })
  expect(screen.stdout).toMatch(
    /^actor\talive\tdepth\thigh-water\toldest\thandled\trestarts\twaits for\n/,
  )
  expect(screen.stdout).toMatch(/^\/pool\t1\t\d+\t\d+\t\d+ ms\t\d+\t0\t/m)
  expect(screen.stdout).toMatch(/\d+ turns, \d+ messages waiting, \d+ dead letters/)

  const { stdout } = await rockpool('actors', 'ls', '--json')
  const report = JSON.parse(stdout) as ActorsReport
  const pool = report.actors.find(({ actor }) => actor === '/pool')
  expect(pool?.handled).toBeGreaterThan(0)
  expect(pool).toMatchObject({ count: 1, restarts: 0, depth: { system: 0, urgent: 0 } })
})

test('actors trace tells how a message came about, as lines, JSON, Mermaid and Chrome events', async () => {
  const id = await storied()
  const screen = await rockpool('actors', 'trace', `${id}`)
  expect(screen.stdout).toContain(`#${id}\t/`)
  expect(screen.stdout).toContain(' <- ')

  const { chain } = JSON.parse(
    (await rockpool('actors', 'trace', `${id}`, '--json')).stdout,
  ) as TraceReport
  expect(chain[0]?.id).toBe(id)
  expect(chain[1]?.id).toBe(chain[0]?.cause)
  const mermaid = await rockpool('actors', 'trace', `${id}`, '--mermaid')
  expect(mermaid.stdout).toMatch(/^sequenceDiagram\n/)
  const chrome = await rockpool('actors', 'trace', `${id}`, '--chrome')
  expect(JSON.parse(chrome.stdout)).toHaveProperty('traceEvents')
})

test('a node without dead letters says none', async () => {
  expect((await rockpool('deadletters', 'ls')).stdout).toBe('none\n')
  const { stdout } = await rockpool('deadletters', 'ls', '--json')
  expect(JSON.parse(stdout)).toEqual({ total: 0, counts: [], letters: [] })
})

test.each([
  [['actors', 'trace', '999999999'], 1, 'nothing known about message 999999999'],
  [['actors', 'trace', 'pool'], 1, 'not the number of a message: pool'],
  [['actors', 'trace'], 2, 'actors trace wants the id of a message'],
  [['actors', 'ls', 'all'], 2, 'unexpected argument "all"'],
  [['actors', 'dance'], 2, 'rockpool actors trace <message id>'],
  [['deadletters', 'show', '7'], 1, 'nothing known about dead letter 7'],
  [['deadletters', 'show', '0'], 1, 'nothing known about dead letter 0'],
  [['deadletters', 'show'], 2, 'deadletters show wants a number'],
  [['deadletters'], 2, 'rockpool deadletters ls'],
])('%j is answered with exit %d and %s', async (words, code, text) => {
  const ended = await rockpool(...words)

  expect(ended.stderr).toContain(text)
  expect(ended.code).toBe(code)
})

test('without a node the verbs say how to start one', async () => {
  const nowhere = join(scratch.folder('empty'), 'nothing')
  const ended = await scratch.rockpool(['actors', 'ls', '--datadir', nowhere])

  expect(ended.code).toBe(3)
  expect(ended.stderr).toContain('no node is running')
})
