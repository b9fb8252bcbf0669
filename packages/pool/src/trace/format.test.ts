import { describe, expect, test } from 'vitest'
import { manifest, named, sha256, textOf, traceTools } from '../testkit/traces.ts'
import { parseOverlay, parseTrace, type Trace, traceText } from './format.ts'
import { prepareTrace } from './prepare.ts'
import { replayTrace } from './replay.ts'
import { shrinkTrace } from './shrink.ts'

const tools = await traceTools()
const listed = manifest().find(({ file }) => file.includes('q9-tip'))
const text = listed === undefined ? '' : textOf(listed)

/** The trace with the first hash of a line's events, or of its digest, changed. */
function altered(trace: Trace, field: 'digest' | 'events' | 'stats' | 'nonces'): Trace {
  let isDone = false
  const lines = trace.lines.map(line => {
    if (isDone || line.k !== 'add') return line
    isDone = true
    const [sender = '0x', hashes = []] = Object.entries(line.r.events)[0] ?? []
    const other = {
      digest: line.r.digest.replace(/^./, first => (first === '0' ? '1' : '0')),
      events: { ...line.r.events, [sender]: hashes.map(hash => hash.replace(/.$/, 'x')) },
      stats: [line.r.stats[0], line.r.stats[1] + 1] as const,
      nonces: { ...line.r.nonces, [sender]: '77' },
    }
    return { ...line, r: { ...line.r, [field]: other[field] } }
  })
  return { ...trace, lines }
}

describe('a file that is no trace is refused with its line', () => {
  test.each<[string, (whole: string) => string, RegExp]>([
    [
      'an altered byte',
      whole => whole.replace('"k":"add"', '"k":"add" '),
      /the lines above are not/,
    ],
    ['a missing end', whole => whole.replace(/\{"k":"end".*\n$/, ''), /no end line/],
    ['a cut file', whole => whole.slice(0, -20), /the last line is not ended/],
    ['a missing line', whole => whole.replace(/\n\{"k":"add".*?\n/, '\n'), /says it is line/],
    ['an unknown kind', whole => whole.replace('"k":"add"', '"k":"sub"'), /unknown kind sub/],
    ['an unknown key', whole => whole.replace('"raws":', '"more":1,"raws":'), /unknown key "more"/],
    ['a missing key', whole => whole.replace('"stats":', '"state":'), /lacks "stats"/],
    ['no JSON', whole => whole.replace('{"k":"add"', '{k:"add"'), /line 1: not JSON/],
    ['another version', whole => whole.replace('"version":1,', '"version":2,'), /version 2/],
    ['nothing', () => '', /not ended/],
  ])('%s', (_, change, why) => {
    const check = why.source.includes('above') ? sha256 : undefined
    const parsed = parseTrace(change(text), check)
    expect(parsed).toMatchObject({ ok: false, why: expect.stringMatching(why) })
  })

  test('whole, it is read, and written again it is the same', () => {
    const parsed = parseTrace(text, sha256)
    expect(parsed.ok && traceText(parsed.value, sha256)).toBe(text)
  })

  test('a line of an overlay needs a number and a row', () => {
    expect(parseOverlay('{"i":3,"q":"Q4"}\n')).toMatchObject({ ok: true })
    expect(parseOverlay('{"i":3}\n')).toMatchObject({ ok: false, why: 'line 0: lacks "q"' })
  })
})

describe('one altered answer', () => {
  test.each(['digest', 'events', 'stats', 'nonces'] as const)(
    'in %s is found, and named',
    async field => {
      const trace = named('roomy/q9-tip-no-promotion')
      const { differences } = await replayTrace(altered(trace, field), tools, { compat: 'geth' })
      expect(differences).toMatchObject([{ kind: 'add', fields: [field] }])
      const whole = await replayTrace(trace, tools, { compat: 'geth' })
      expect(whole.differences).toEqual([])
    },
  )
})

describe('shrinking', () => {
  test('a mismatch is left with what it needs, and stays one', async () => {
    const trace = named('price/q1-evict-before-replace')
    const txs = await prepareTrace(trace, tools)

    const shrunk = shrinkTrace(trace, txs, tools, 'fixed')

    if (shrunk === undefined) throw new Error('the modes agree on Q1')
    expect(shrunk.trace.lines.length).toBeLessThanOrEqual(shrunk.linesBefore)
    const again = parseTrace(traceText(shrunk.trace, sha256), sha256)
    if (!again.ok) throw new Error(again.why)
    const { differences } = await replayTrace(again.value, tools, { compat: 'fixed' })
    expect(differences[0]?.line).toBe(again.value.lines.length)
  })

  test('where nothing differs there is nothing to shrink', async () => {
    const trace = named('roomy/q9-tip-no-promotion')
    expect(shrinkTrace(trace, await prepareTrace(trace, tools), tools, 'fixed')).toBeUndefined()
  })

  test('operations that do not matter are left out', async () => {
    const moved = named('roomy/setcode-order')
    const last = moved.lines.findLast(({ k }) => k === 'add')
    const lines = moved.lines.map(line =>
      line.k === 'add' && line.i === last?.i
        ? { ...line, r: { ...line.r, nonces: { [`0x${'77'.repeat(20)}`]: '9' } } }
        : line,
    )
    const txs = await prepareTrace(moved, tools)
    const shrunk = shrinkTrace({ ...moved, lines }, txs, tools, 'geth')
    expect(shrunk?.trace.lines.length).toBeLessThan(shrunk?.linesBefore ?? 0)
  })
})
