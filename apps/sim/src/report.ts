import { mustBeSeen, type RunResult, type ViolationKind } from '@rockpool/sim'
import type { PlantedRow } from './commands/planted.ts'
import type { SeedRun, SwarmSum } from './swarm.ts'

const kinds: readonly ViolationKind[] = ['crash', 'liveness', 'correctness']

/** Node-hours for a minute of one processor. */
export function hoursPerMinute({
  nodeHours,
  cpuMs,
}: Pick<RunResult, 'nodeHours' | 'cpuMs'>): number {
  return cpuMs === 0 ? 0 : nodeHours / (cpuMs / 60_000)
}

/** What a swarm found, for people. */
export function swarmText(sum: SwarmSum, wallMs: number): string {
  const { runs, nodeHours, cpuMs, events } = sum
  const failing = (kind: ViolationKind) =>
    runs.filter(({ result }) => result.violation?.kind === kind)
  const clean = runs.filter(({ result }) => result.violation === undefined).length
  const lines = [`clean        ${clean} of ${runs.length}`]
  for (const kind of kinds) {
    const found = failing(kind).map(({ seed, result }) => `${seed} (${result.violation?.id})`)
    if (found.length > 0) lines.push(`${kind.padEnd(12)} ${found.length}: ${found.join(', ')}`)
  }
  lines.push(
    `node-hours   ${nodeHours.toFixed(1)} in ${(cpuMs / 1000).toFixed(1)} CPU s (${(wallMs / 1000).toFixed(1)} s): ` +
      `${hoursPerMinute(sum).toFixed(0)} node-hours per CPU minute`,
    `events       ${grouped(events)}, ${grouped(Math.round(events / Math.max(0.001, cpuMs / 1000)))} per CPU s`,
    ...countLines(sum.counts),
    ...coverageLines(sum),
  )
  return lines.join('\n')
}

function countLines(counts: Readonly<Record<string, number>>): string[] {
  const words = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${grouped(count)}`)
  return words.length === 0 ? [] : [`counts       ${words.join(', ')}`]
}

/** Labels that a long swarm must reach and this one did not. */
export function unseen({ coverage }: Pick<SwarmSum, 'coverage'>): string[] {
  return mustBeSeen.filter(label => !coverage.has(label))
}

function coverageLines(sum: SwarmSum): string[] {
  const missing = unseen(sum)
  const seen = mustBeSeen.length - missing.length
  const rest = missing.length === 0 ? '' : `; not: ${missing.join(', ')}`
  return [`sometimes    ${seen} of ${mustBeSeen.length} seen${rest}`]
}

/** One line of what went wrong and one to see it again. */
export function failureLines({ seed, result, file }: SeedRun): string[] {
  const { violation } = result
  if (violation === undefined) return []
  return [
    `seed ${seed}: ${violationText(violation)}`,
    `  ${againLine({ seed, ...(file !== undefined && { file }) })}`,
  ]
}

/** What shows a failure again. */
export const againLine = ({ seed, file }: Pick<SeedRun, 'seed' | 'file'>): string =>
  `npm run sim -- ${file === undefined ? `one ${seed}` : `replay ${file}`}`

/** A violation in one line. */
export function violationText({
  id,
  kind,
  text,
  atMs,
  node,
  message,
}: NonNullable<RunResult['violation']>): string {
  const where = [node, message === undefined ? undefined : `message ${message}`]
    .filter(word => word !== undefined)
    .join(', ')
  const place = where === '' ? '' : ` (${where})`
  return `${id}, ${kind}, at ${(atMs / 1000).toFixed(3)} s${place}: ${text}`
}

/** What a search for planted bugs found: one row a bug, and below what must not be. */
export function plantedTable(rows: readonly PlantedRow[]): string {
  const head = ['bug', 'seeds', 'seed', 'invariant', 'events', 'plan', 'clean without']
  const cells = rows.map(({ bug, tried, seed, invariant, shrunk, clean }) => [
    ...[bug, String(tried), seed ?? 'none', invariant ?? 'not found'],
    ...[shrunk === undefined ? '-' : grouped(shrunk.events), String(shrunk?.plan ?? '-')],
    `${clean} of ${tried}`,
  ])
  const table = [head, ...cells]
  const widths = head.map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0)))
  const lines = table.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const wrong = rows.flatMap(({ bug, wrong }) =>
    wrong.map(text => `${bug}: not clean without, ${text}`),
  )
  return [...lines, ...wrong].join('\n')
}

/** A swarm as JSON for programs. */
export function swarmJson(sum: SwarmSum, wallMs: number) {
  const { runs, nodeHours, cpuMs, events, coverage, counts } = sum
  return {
    seeds: runs.length,
    failures: runs
      .filter(({ result }) => result.violation !== undefined)
      .map(({ seed, result, file }) => ({ seed, violation: result.violation, file })),
    ...{ nodeHours, cpuMs, wallMs, events, counts },
    nodeHoursPerCpuMinute: hoursPerMinute(sum),
    coverage: Object.fromEntries(coverage),
    unseen: unseen(sum),
  }
}

/** One run as JSON for programs. */
export function runJson({ coverage, ...result }: RunResult): unknown {
  return { ...result, coverage: Object.fromEntries(coverage) }
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return count.toLocaleString('en')
}
