import { createHash } from 'node:crypto'
import { drawOptions, type RunResult, type ViolationKind, type Wishes } from '@rockpool/sim'
import { failureOf, storeFailure } from './files.ts'
import type { Jobs } from './jobs.ts'
import type { History } from './run-history.ts'

/** Failures of one invariant that one swarm stores. */
const storedPerInvariant = 4

export interface SwarmWish {
  readonly seeds: readonly string[]
  readonly wishes: Wishes
  readonly planted?: string
  /** No seed begins later than this after the first. */
  readonly timeLimitMs: number
  /** Every seed twice, hashes compared. */
  readonly checkDeterminism: boolean
  /** Whether failing histories are written to the folder of failures. */
  readonly stores: boolean
  /** Called after each seed. */
  heard?(run: SeedRun): void
}

export interface SeedRun {
  readonly seed: string
  readonly history: History
  readonly result: RunResult
  /** Where its failure is stored. */
  readonly file?: string
}

export interface SwarmSum {
  readonly runs: readonly SeedRun[]
  readonly nodeHours: number
  readonly cpuMs: number
  readonly events: number
  readonly coverage: ReadonlyMap<string, number>
  readonly counts: Readonly<Record<string, number>>
}

/** `count` seeds that follow from a commit. */
export function seedsOfCommit(commit: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    createHash('sha256').update(`${commit}/${index}`).digest('hex').slice(0, 12),
  )
}

/** Runs every seed; results come in the order in which they end. */
export async function swarm(jobs: Jobs, wish: SwarmWish): Promise<SwarmSum> {
  const { seeds, wishes, planted, timeLimitMs, checkDeterminism, stores, heard } = wish
  const runs: SeedRun[] = []
  const stored = new Map<string, number>()
  const startedMs = Date.now()

  function store(history: History, result: RunResult): string | undefined {
    const failure = failureOf(history, result)
    if (failure === undefined || !stores) return undefined
    const { id } = failure.violation
    const before = stored.get(id) ?? 0
    if (before >= storedPerInvariant) return undefined
    stored.set(id, before + 1)
    return storeFailure(failure)
  }

  await jobs.each(seeds, async seed => {
    if (Date.now() - startedMs > timeLimitMs) return false
    const options = drawOptions(seed, wishes)
    const history: History = { options, ...(planted !== undefined && { planted }) }
    const result = await runOnceOrTwice(jobs, history, checkDeterminism)
    const file = store(history, result)
    const run = { seed, history, result, ...(file !== undefined && { file }) }
    runs.push(run)
    heard?.(run)
    return true
  })
  return sumOf(runs)
}

async function runOnceOrTwice(jobs: Jobs, history: History, twice: boolean): Promise<RunResult> {
  const result = await jobs.run(history)
  if (!twice || result.violation !== undefined) return result
  const again = await jobs.run(history)
  if (again.hash === result.hash) return result
  const text = `hash ${result.hash}, then ${again.hash}`
  return { ...result, violation: { id: 'nondeterminism', kind: 'crash', text, atMs: 0 } }
}

function sumOf(runs: readonly SeedRun[]): SwarmSum {
  const sum = { nodeHours: 0, cpuMs: 0, events: 0 }
  const coverage = new Map<string, number>()
  const counts: Record<string, number> = {}
  for (const { result } of runs) {
    sum.nodeHours += result.nodeHours
    sum.cpuMs += result.cpuMs
    sum.events += result.events
    for (const [label, count] of result.coverage) {
      coverage.set(label, (coverage.get(label) ?? 0) + count)
    }
    for (const [name, count] of Object.entries(result.counts)) {
      counts[name] = (counts[name] ?? 0) + count
    }
  }
  return { runs, ...sum, coverage, counts }
}

const exitCodes: Readonly<Record<ViolationKind, number>> = {
  crash: 127,
  liveness: 128,
  correctness: 129,
}
const kinds: readonly ViolationKind[] = ['crash', 'correctness', 'liveness']

/** 0 when clean; otherwise that of the worst: crash 127, then correctness 129, then liveness 128. */
export function exitCodeOf(results: Iterable<Pick<RunResult, 'violation'>>): number {
  const seen = new Set([...results].map(({ violation }) => violation?.kind))
  const worst = kinds.find(kind => seen.has(kind))
  return worst === undefined ? 0 : exitCodes[worst]
}
