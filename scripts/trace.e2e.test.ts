import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const vectors = join(root, 'vectors/pool')
const folder = mkdtempSync(join(tmpdir(), 'rockpool-trace-'))
/** Joined once, with the packages as they are compiled: from source most of the time of a run is loading. */
const program = join(root, `node_modules/.cache/trace-${process.pid}.mjs`)
beforeAll(() => {
  buildSync({
    ...{ entryPoints: [join(root, 'scripts/trace.ts')], outfile: program, bundle: true },
    ...{ packages: 'external', platform: 'node', format: 'esm', target: 'node20.19' },
  })
})
afterAll(() => {
  for (const path of [folder, program]) rmSync(path, { recursive: true, force: true })
})

function trace(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { code: status, out: stdout, lines: stdout.trim().split('\n'), err: stderr }
}

/** A recorded trace as text. */
const textOf = (name: string) =>
  gunzipSync(readFileSync(join(vectors, `${name}.jsonl.gz`))).toString('utf8')

/** A folder of its own with one file in it. */
function folderWith(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, `${name}.jsonl`), text)
  return path
}

describe('npm run trace', () => {
  test('a folder without a manifest is replayed; all equal is exit code 0 and one line of sums', () => {
    const path = folderWith('plain', textOf('roomy/q3-batch'))
    copyFileSync(join(vectors, 'roomy/q9-tip-no-promotion.jsonl.gz'), join(path, 'q9.jsonl.gz'))
    const { code, lines } = trace('replay', path)
    expect(code).toBe(0)
    expect(lines.at(-1)).toBe('2 traces, 19 operations, 2 equal, 0 different, 0 skipped')
  })

  test('in mode fixed a difference is told with its line and is exit code 1; with its overlay there is none', () => {
    const path = folderWith('modes', textOf('price/q1-evict-before-replace'))
    const { code, out, lines } = trace('replay', path, '--compat', 'fixed')
    expect(code).toBe(1)
    expect(out).toContain('modes.jsonl: line 6 (add)')
    expect(out).toContain('stats: recorded [4,0], got [5,0]')
    expect(lines.at(-1)).toMatch(/0 equal, 1 different, 0 skipped$/)

    const file = join(vectors, 'price/q1-evict-before-replace.jsonl.gz')
    expect(trace('replay', file, '--compat', 'fixed').code).toBe(0)
  })

  test('one altered hash in a file is found, though the file itself is whole', () => {
    const text = textOf('roomy/q3-batch')
    const other = text.replace(
      /"digest":"(.)/,
      (_, first: string) => `"digest":"${first === '0' ? '1' : '0'}`,
    )
    const told = trace('replay', folderWith('altered', other))
    expect(told.code).toBe(2)
    expect(told.err).toContain('the lines above are not those the end line was made for')
  })

  test('a manifest is held to: an altered and a missing file are named, the rest is replayed', () => {
    const path = folderWith('listed', textOf('roomy/q3-batch'))
    const files = ['listed.jsonl', 'gone.jsonl'].map(file => ({ file, sha256: 'ab'.repeat(32) }))
    writeFileSync(join(path, 'MANIFEST.json'), JSON.stringify({ files }))
    const { code, err } = trace('replay', path, join(vectors, 'roomy/q3-onebyone.jsonl.gz'))
    expect(code).toBe(2)
    expect(err).toContain('listed.jsonl: is not the file the manifest lists')
    expect(err).toContain('gone.jsonl: cannot be read (ENOENT)')
  })

  test('what a trace needs and this runtime lacks is skipped with the reason', () => {
    const text = textOf('roomy/q3-batch').replace('"needs":[]', '"needs":["blobs"]')
    const body = text.slice(0, text.lastIndexOf('{"k":"end"'))
    const end = textOf('roomy/q3-batch').trim().split('\n').length - 1
    const sha256 = createHash('sha256').update(body).digest('hex')
    const whole = `${body}${JSON.stringify({ k: 'end', i: end, sha256 })}\n`
    const { code, out, lines } = trace('replay', folderWith('needs', whole))
    expect(code).toBe(0)
    expect(out).toContain('skipped, needs blobs')
    expect(lines.at(-1)).toMatch(/0 equal, 0 different, 1 skipped$/)
  })

  test('an unknown kind and a block nobody declared are told with file, line and code, and the rest is replayed', () => {
    const path = folderWith('broken', textOf('roomy/q3-batch').replace('"k":"add"', '"k":"mix"'))
    const undeclared = textOf('roomy/osaka-crossing').replace(/"old":"[^"]*"/, '"old":"nowhere"')
    const body = undeclared.slice(0, undeclared.lastIndexOf('{"k":"end"'))
    const i = body.trimEnd().split('\n').length
    const sha256 = createHash('sha256').update(body).digest('hex')
    writeFileSync(join(path, 'a.jsonl'), `${body}${JSON.stringify({ k: 'end', i, sha256 })}\n`)
    const { code, err, lines } = trace('replay', path, join(vectors, 'roomy/q3-batch.jsonl.gz'))
    expect(code).toBe(2)
    expect(err).toMatch(/broken\.jsonl: line \d+: unknown kind mix \(trace\/malformed\)/)
    expect(err).toMatch(/a\.jsonl: line \d+: no block "nowhere" was declared \(trace\/malformed\)/)
    expect(lines.at(-1)).toMatch(/^3 traces, \d+ operations, 1 equal, 2 different, 0 skipped$/)
  })

  test('a folder of folders is replayed, each with its own manifest or none', () => {
    const path = join(folder, 'nested')
    for (const [name, file] of [
      ['one', 'roomy/q3-batch'],
      ['two', 'price/q1-evict-before-replace'],
    ] as const) {
      mkdirSync(join(path, name), { recursive: true })
      writeFileSync(join(path, name, 'some.jsonl'), textOf(file))
    }
    const listing = { files: [{ file: 'some.jsonl', quirks: ['Q1'] }] }
    writeFileSync(join(path, 'two/MANIFEST.json'), JSON.stringify(listing))
    expect(trace('replay', path).lines.at(-1)).toMatch(/^2 traces, \d+ operations, 2 equal, 0 diff/)
    const { code, out } = trace('replay', path, '--compat', 'fixed')
    expect(code).toBe(1)
    expect(out).toContain('some.jsonl: line 6 (add), explained by Q1, as its manifest says')
  })

  test('for programs there is one JSON object', () => {
    const { out } = trace('replay', join(vectors, 'roomy/q3-batch.jsonl.gz'), '--json')
    expect(JSON.parse(out)).toMatchObject({ traces: 1, equal: 1, different: 0, compat: 'geth' })
  })

  test('shrink writes a trace that is read again and still differs', () => {
    const path = folderWith('long', textOf('price/q1-evict-before-replace'))
    const out = join(folder, 'short.jsonl')
    const { code, lines } = trace(
      'shrink',
      join(path, 'long.jsonl'),
      '--compat',
      'fixed',
      '--out',
      out,
    )
    expect(code).toBe(0)
    expect(lines.at(-1)).toMatch(/short\.jsonl: \d+ of \d+ lines left, the last one differs$/)
    expect(trace('replay', out, '--compat', 'fixed').code).toBe(1)
  })

  test.each([
    [['replay'], /name a file or a folder/],
    [['replay', 'no/such/thing'], /no such file or folder/],
    [['replay', 'vectors/pool', '--compat', 'parity'], /--compat parity: geth or fixed/],
    [['explain', 'vectors/pool/roomy/q3-batch.jsonl.gz'], /unknown verb explain/],
    [['replay', 'docs'], /no traces/],
  ])('%j is wrong usage: exit code 2 and a sentence', (args, sentence) => {
    const { code, err } = trace(...args)
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
  })
})
