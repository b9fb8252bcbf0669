import { describe, expect, test } from 'vitest'
import type { Compat } from '../quirks.ts'
import { manifest, overlayOfFile, traceOf, traceTools } from '../testkit/traces.ts'
import { addCoverage, coverageGaps } from './coverage.ts'
import type { Trace } from './format.ts'
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

  test('an overlay stands only beside a trace that names its rows, and explains every line of it', () => {
    for (const { file, quirks } of files) {
      for (const { q } of overlayOfFile(file)?.values() ?? []) expect(quirks).toContain(q)
    }
  })
})
