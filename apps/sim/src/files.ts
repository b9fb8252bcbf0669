import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  drawOptions,
  type EventRow,
  type Failure,
  failureName,
  failureText,
  logText,
  parseStored,
  type RunResult,
  type Stored,
  testText,
  type Wishes,
} from '@rockpool/sim'
import type { History } from './run-history.ts'
import { UsageError } from './usage.ts'

/** Of the checkout this file belongs to. */
export const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Whether this program runs from source, as `npm run sim` has it, or compiled; a process it starts runs as it does. */
export const isSource = import.meta.url.endsWith('.ts')
/** Flags of Node for a program of the checkout in TypeScript. */
export const fromSource = ['--import', 'tsx', '--conditions=@rockpool/source'] as const
/** Past failures, which must pass; those with a planted bug are in a folder of their own. */
export const failuresFolder = join(root, 'packages/sim/failures')
export const plantedFolder = join(failuresFolder, 'planted')
const testsFolder = join(root, 'apps/sim/src/scenarios')
/** Newest events that a stored log keeps. */
export const logRowsMax = 200_000

/** The commit that is run; empty outside a repository. */
export function commitHash(): string {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return (stdout ?? '').trim()
}

/** What a file says, or a sentence why it is none. */
export function readStored(file: string): Stored {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new UsageError(`${file}: cannot be read (${code})`)
  }
  const parsed = parseStored(text)
  if (!parsed.ok) throw new UsageError(`${file}: ${parsed.why}`)
  return parsed.value
}

/** The history a seed or a file stands for. */
export function seedOrFile(word: string, wishes: Wishes = {}): Stored {
  const isFile = word.includes('/') || word.endsWith('.json')
  return isFile ? readStored(word) : { options: drawOptions(word, wishes) }
}

/** JSON files of a folder, in the order of their names; none when there is no folder. */
export function storedIn(folder: string): string[] {
  let names: string[] = []
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => join(folder, name))
}

/** A failing run as it is stored. */
export function failureOf(history: History, result: RunResult): Failure | undefined {
  const { violation, hash, events, chain } = result
  if (violation === undefined) return undefined
  return {
    violation,
    ...history,
    ...{ hash, events, commit: commitHash(), node: process.version },
    ...(chain && { chain }),
  }
}

/** Writes a failure and returns its path as a command takes it. */
export function storeFailure(failure: Failure, folder = failuresFolder): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${failureName(failure)}.json`)
  writeFileSync(file, failureText(failure))
  return relative(root, file)
}

/** Writes the events that led to a failure beside it. Not kept in the repository: a replay makes it again. */
export function storeLog(file: string, rows: readonly EventRow[]): string {
  const log = file.replace(/\.json$/, '.log')
  writeFileSync(resolve(root, log), logText(rows))
  return log
}

/** Writes the test of a failure, formatted as the project is. */
export function storeTest(failure: Failure): string {
  mkdirSync(testsFolder, { recursive: true })
  const file = join(testsFolder, `${failureName(failure)}.test.ts`)
  writeFileSync(file, testText(failure))
  spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', file], { cwd: root })
  return relative(root, file)
}
