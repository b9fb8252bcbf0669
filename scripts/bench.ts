/**
 * Runs benchmark rows and prints ours, the reference measured beside it in the same run, the ratio and the target. `npm run bench` runs all;
 * words after `--` choose files whose path contains one of them; `--record` writes the result into docs/benchmarks.md.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BenchRow } from '@rockpool/protocol/conformance'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/benchmarks.md')
/** A ratio that falls by more than this against the recorded one fails the job. */
const regressionShare = 0.3

function benchFiles(words: readonly string[]): string[] {
  const folders = ['packages', 'apps', 'scripts'].map(name => join(root, name))
  const files = folders.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(
        name =>
          name.endsWith('.bench.ts') && !name.includes('node_modules') && !name.includes('dist'),
      )
      .map(name => join(folder, name)),
  )
  const chosen =
    words.length === 0
      ? files
      : files.filter(file => words.some(word => relative(root, file).includes(word)))
  return chosen.sort()
}

const number = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))

function cells(row: BenchRow): string[] {
  return [
    row.row,
    `${number(row.ours)} ${row.unit}`,
    row.reference === undefined ? '-' : `${number(row.reference.value)} (${row.reference.name})`,
    row.ratio === undefined ? '-' : `${number(row.ratio)} ×`,
    row.target,
    row.met ? 'met' : 'NOT MET',
    row.note ?? '',
  ]
}

const head = ['row', 'ours', 'reference in the same run', 'ratio', 'target', '', 'note']
const tableRow = (columns: readonly string[]): string =>
  `| ${columns.map(text => text.replaceAll('|', '/')).join(' | ')} |`

function recordedRatios(): Map<string, number> {
  const ratios = new Map<string, number>()
  let text = ''
  try {
    text = readFileSync(page, 'utf8')
  } catch {
    return ratios
  }
  for (const line of text.split('\n')) {
    const [, row, , , ratio] = line.split('|').map(cell => cell.trim())
    const value = /^([\d.,]+) ×$/.exec(ratio ?? '')?.[1]
    if (row !== undefined && value !== undefined) ratios.set(row, Number(value.replaceAll(',', '')))
  }
  return ratios
}

function machine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).trim()
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${memory} GiB.`
}

/** Replaces the section of each measured file between its markers; sections of files that were not run stay. */
function record(results: ReadonlyMap<string, readonly BenchRow[]>): void {
  let text = readFileSync(page, 'utf8')
  for (const [file, rows] of results) {
    const [begin, end] = [`<!-- begin ${file} -->`, `<!-- end ${file} -->`]
    const table = [
      tableRow(head),
      tableRow(head.map(() => '---')),
      ...rows.map(row => tableRow(cells(row))),
    ].join('\n')
    const section = `${begin}\n### ${file}\n\n${machine()}\n\n${table}\n${end}`
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    text =
      from === -1
        ? `${text.trimEnd()}\n\n${section}\n`
        : text.slice(0, from) + section + text.slice(to + end.length)
  }
  writeFileSync(page, text)
}

const args = process.argv.slice(2)
const recorded = recordedRatios()
const results = new Map<string, readonly BenchRow[]>()
const fallen: string[] = []
console.log(machine())
for (const file of benchFiles(args.filter(arg => !arg.startsWith('--')))) {
  const name = relative(root, file)
  console.log(`\n${name}`)
  const { rows } = (await import(pathToFileURL(file).href)) as {
    rows: () => Promise<readonly BenchRow[]>
  }
  const measured = await rows()
  results.set(name, measured)
  for (const row of measured) {
    console.log(`  ${cells(row).filter(Boolean).join('  |  ')}`)
    const before = recorded.get(row.row)
    if (
      row.ratio !== undefined &&
      before !== undefined &&
      row.ratio < before * (1 - regressionShare)
    )
      fallen.push(`${row.row}: ratio ${number(row.ratio)}, recorded ${number(before)}`)
  }
}
if (args.includes('--record')) record(results)
for (const line of fallen) console.error(`fell by more than 30 %: ${line}`)
process.exitCode = fallen.length === 0 ? 0 : 1
