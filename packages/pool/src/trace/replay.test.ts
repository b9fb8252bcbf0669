import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Compat, quirkOfRow } from '../quirks.ts'
import { manifest, overlayOfFile, traceOf, traceTools } from '../testkit/traces.ts'
import { addCoverage, coverageGaps } from './coverage.ts'
import type { OverlayLine, Trace } from './format.ts'
import { repairedOf } from './overlay.ts'
import { type PreparedTxs, prepareTrace } from './prepare.ts'
import { replayPrepared } from './replay.ts'

const tools = await traceTools('remembered')
const files = manifest()
const families = [...new Set(files.map(({ family }) => family))]
/** Thousands of signatures are recovered in one test. */
const patienceMs = 120_000
/** Read once for both modes: recovery is most of the time. */
const read = new Map<string, { trace: Trace; txs: PreparedTxs }>()

async function replayed(compat: Compat, family: string) {
  const told: string[] = []
  const coverage = new Map<string, number>()
  for (const listed of files.filter(file => file.family === family)) {
    const trace = read.get(listed.file)?.trace ?? traceOf(listed)
    const txs = read.get(listed.file)?.txs ?? (await prepareTrace(trace, tools))
    read.set(listed.file, { trace, txs })
    const overlay = compat === 'fixed' ? overlayOfFile(listed.file) : undefined
    const { differences, coverage: reached } = replayPrepared(trace, txs, tools, {
      compat,
      checkEvery: 100,
      ...(overlay !== undefined && { overlay }),
    })
    if (listed.exact) addCoverage(coverage, reached)
    for (const { line, what } of differences)
      told.push(`${listed.file} ${line}: ${what.join('; ')}`)
  }
  return { told, coverage }
}

describe('what geth answered, recorded', () => {
  const total = new Map<string, number>()

  test.each(families)(
    'mode geth answers the same, family %s',
    async family => {
      const { told, coverage } = await replayed('geth', family)
      expect(told).toEqual([])
      addCoverage(total, coverage)
    },
    patienceMs,
  )

  test('the exact traces reach every code, demotion, cap and kind of head at least 20 times', () => {
    expect(coverageGaps(total)).toEqual([])
  })

  test.each(families)(
    'mode fixed answers the same but for what its overlays say, family %s',
    async family => {
      const { told } = await replayed('fixed', family)
      expect(told).toEqual([])
    },
    patienceMs,
  )

  test('the book of senders says what recovery says', async () => {
    const recovering = await traceTools()
    for (const listed of files.filter((_, index) => index % 12 === 0)) {
      const trace = traceOf(listed)
      const txs = await prepareTrace(trace, recovering)
      const first = [...txs].slice(0, 25)
      const remembered = read.get(listed.file)?.txs
      for (const [raw, prepared] of first) expect(remembered?.get(raw)).toEqual(prepared)
      if (first.length === 25) break
    }
  })

  test('an overlay begins with a row the trace names, and mode geth with its rows repaired answers each of its lines', async () => {
    const told: string[] = []
    for (const listed of files) {
      const overlay = overlayOfFile(listed.file)
      if (overlay === undefined) continue
      const rows = rowsOf(overlay)
      for (const row of rows) expect(Object.keys(quirkOfRow)).toContain(row)
      expect(listed.quirks).toContain(rows[0])
      const trace = read.get(listed.file)?.trace ?? traceOf(listed)
      const txs = read.get(listed.file)?.txs ?? (await prepareTrace(trace, tools))
      const quirks = repairedOf(rows)
      const { differences } = replayPrepared(trace, txs, tools, {
        ...{ compat: 'geth', quirks, overlay, checkEvery: 0 },
      })
      for (const { line, what } of differences)
        told.push(`${listed.file} ${line}: ${what.join('; ')}`)
    }
    expect(told).toEqual([])
  })

  test('the page of overlays lists each with its lines and where each of its rows begins', () => {
    const page = readFileSync(
      new URL('../../../../vectors/pool/OVERLAYS.md', import.meta.url),
      'utf8',
    )
    const listedThere = page.split('\n').flatMap(line => {
      const [, file, lines, rows, , text] = line.split('|').map(cell => cell.trim())
      if (file?.startsWith('`') !== true) return []
      expect(text).toMatch(/\w/)
      return [`${file} ${lines} ${rows}`]
    })
    const due = files.flatMap(({ file }) => {
      const overlay = overlayOfFile(file)
      if (overlay === undefined) return []
      const begins = rowsOf(overlay).map(
        row =>
          `${row} from ${[...overlay.values()].find(({ q }) => q.split(' ').includes(row))?.i}`,
      )
      return [`\`${file.replace('.jsonl.gz', '')}\` ${overlay.size} ${begins.join(', ')}`]
    })
    expect(listedThere.sort()).toEqual(due.sort())
  })

  test('each row in which the modes part has a test of its own with both answers', () => {
    const tests = readFileSync(new URL('../compat.test.ts', import.meta.url), 'utf8')
    for (const row of Object.keys(quirkOfRow)) expect(tests).toContain(`test('${row}: `)
  })
})

/** In the order in which they begin to matter. */
function rowsOf(overlay: ReadonlyMap<number, OverlayLine>): string[] {
  return [...new Set([...overlay.values()].flatMap(({ q }) => q.split(' ')))]
}
