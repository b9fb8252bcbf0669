import { expect, test } from 'vitest'
import { manifest, sha256, textOf, traceTools } from '../testkit/traces.ts'
import { parseTrace } from './format.ts'
import { prepareTrace } from './prepare.ts'
import { replayPrepared, TraceFault } from './replay.ts'

const tools = await traceTools('remembered')
/** Small ones that together have every kind of line. */
const names = ['inpkg/q5-stuck-behind-pending', 'roomy/q16-nonexistent-sender', 'price/throttle']
const strange: readonly unknown[] = [null, -1, 1.5, 2 ** 60, '', '0x', 'zz', true, [], {}, [null]]

/** The text with one value of one line replaced, and an end line that fits. */
function altered(lines: readonly string[], at: number, change: (line: never) => void): string {
  const line = JSON.parse(lines[at] ?? '')
  change(line as never)
  const body = lines
    .map((text, index) => `${index === at ? JSON.stringify(line) : text}\n`)
    .join('')
  return `${body}${JSON.stringify({ k: 'end', i: lines.length, sha256: sha256(body) })}\n`
}

/** Every place of a value inside, as a path. */
function* placesIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value).slice(0, 3))
    yield* placesIn(inner, [...path, key])
}

function put(line: unknown, path: readonly string[], value: unknown): void {
  let at = line as Record<string, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
  at[path.at(-1) ?? ''] = value
}

async function outcomeOf(text: string): Promise<'unread' | 'fault' | 'replayed'> {
  const trace = parseTrace(text, sha256)
  if (!trace.ok) {
    expect(trace.why).toMatch(/^(line \d+: |no |the last line)/)
    return 'unread'
  }
  try {
    const txs = await prepareTrace(trace.value, tools)
    replayPrepared(trace.value, txs, tools, { compat: 'geth', checkEvery: 0 })
    return 'replayed'
  } catch (error) {
    expect(error).toBeInstanceOf(TraceFault)
    expect((error as Error).message).toMatch(/^line \d+: /)
    return 'fault'
  }
}

test('whatever stands in the place of a value, a trace is refused or answered by its line, and nothing else is thrown', async () => {
  const seen = { unread: 0, fault: 0, replayed: 0 }
  for (const name of names) {
    const listed = manifest().find(({ file }) => file === `${name}.jsonl.gz`)
    if (listed === undefined) throw new Error(name)
    const lines = textOf(listed).trimEnd().split('\n').slice(0, -1)
    const kinds = new Set<string>()
    for (const [at, text] of lines.entries()) {
      const { k, what = '' } = JSON.parse(text) as { k: string; what?: string }
      if (kinds.has(k + what)) continue
      kinds.add(k + what)
      for (const path of placesIn(JSON.parse(text))) {
        for (const value of strange) {
          seen[await outcomeOf(altered(lines, at, line => put(line, path, value)))]++
        }
      }
    }
  }
  expect(seen.unread).toBeGreaterThan(300)
  expect(seen.replayed).toBeGreaterThan(5)
})

test('a block that nobody declared is told with the line that names it', async () => {
  const listed = manifest().find(({ file }) => file === 'inpkg/q5-stuck-behind-pending.jsonl.gz')
  if (listed === undefined) throw new Error('gone')
  const lines = textOf(listed).trimEnd().split('\n').slice(0, -1)
  const at = lines.findIndex(
    text => text.startsWith('{"k":"reset"') || text.includes('"k":"reset"'),
  )
  const trace = parseTrace(
    altered(lines, at, line => put(line, ['new'], 'nowhere')),
    sha256,
  )
  if (!trace.ok) throw new Error(trace.why)
  const txs = await prepareTrace(trace.value, tools)
  expect(() => replayPrepared(trace.value, txs, tools, { compat: 'geth' })).toThrow(
    `line ${at}: no block "nowhere" was declared`,
  )
})
