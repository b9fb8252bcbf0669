import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readStored, root } from '../files.ts'
import { UsageError } from '../usage.ts'

export interface BisectFlags {
  /** A commit without the failure. Absent: the first that has this program. */
  readonly good?: string
  readonly bad: string
  readonly json?: boolean
}

type Judged = 'good' | 'bad' | 'skip'

function git(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new UsageError(`git ${args[0]}: ${stderr.trim()}`)
  return stdout.trim()
}

/**
 * Which commit broke a stored failure: git's own bisection in a worktree of its own, each commit judged by its own nodes on the stored
 * history. Commits that cannot run it are skipped.
 */
export function bisectCommand(file: string, flags: BisectFlags): number {
  const { violation } = readStored(file)
  if (violation === undefined) throw new UsageError(`${file}: not a failure file (no violation)`)
  const bad = git(root, 'rev-parse', flags.bad)
  const good = flags.good === undefined ? firstRunnable(bad) : git(root, 'rev-parse', flags.good)
  const place = mkdtempSync(join(tmpdir(), 'rockpool-bisect-'))
  const tree = join(place, 'tree')
  const history = join(place, 'failure.json')
  copyFileSync(resolve(file), history)
  git(root, 'worktree', 'add', '--detach', '--quiet', tree, bad)
  try {
    const found = search(tree, { good, bad, judge: () => judge(tree, history, violation.id) })
    if (flags.json === true) console.log(JSON.stringify(found, null, 2))
    else if (found.first === undefined) console.log(found.why)
    else console.log(`first bad commit: ${git(root, 'log', '-1', '--format=%h %s', found.first)}`)
    return found.first === undefined ? 2 : 0
  } finally {
    spawnSync('git', ['bisect', 'reset'], { cwd: tree })
    git(root, 'worktree', 'remove', '--force', tree)
    rmSync(place, { recursive: true, force: true })
  }
}

/** The oldest commit on the way to `tip` with this program in it. */
function firstRunnable(tip: string): string {
  const added = git(root, 'log', '--reverse', '--format=%H', tip, '--', 'apps/sim/src/main.ts')
  const [first] = added.split('\n')
  if (first === undefined || first === '')
    throw new UsageError('no commit has apps/sim: give --good')
  return first
}

interface Search {
  readonly good: string
  readonly bad: string
  judge(): Judged
}

interface Found {
  readonly first?: string
  readonly why?: string
  readonly judged: Readonly<Record<string, Judged>>
}

function search(tree: string, { good, bad, judge: judgeHere }: Search): Found {
  const judged: Record<string, Judged> = {}
  const look = (commit: string): Judged => {
    git(tree, 'checkout', '--quiet', '--detach', commit)
    const verdict = judgeHere()
    judged[commit] = verdict
    return verdict
  }
  if (look(bad) !== 'bad') return { judged, why: `it does not fail at ${bad.slice(0, 12)}` }
  if (look(good) === 'bad') return { judged, why: `it fails already at ${good.slice(0, 12)}` }
  git(tree, 'bisect', 'start', bad, good)
  for (;;) {
    const here = git(tree, 'rev-parse', 'HEAD')
    const verdict = judgeHere()
    judged[here] = verdict
    const { stdout, status } = spawnSync('git', ['bisect', verdict], {
      cwd: tree,
      encoding: 'utf8',
    })
    const first = /^([0-9a-f]{40}) is the first bad commit/m.exec(stdout)?.[1]
    if (first !== undefined) return { judged, first }
    if (status !== 0) return { judged, why: `cannot be told: ${stdout.trim()}` }
    if (git(tree, 'rev-parse', 'HEAD') === here) return { judged, why: stdout.trim() }
  }
}

/** Runs the history by the nodes of the checkout. */
function judge(tree: string, history: string, id: string): Judged {
  linkModules(tree)
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...['--import', 'tsx', '--conditions=@rockpool/source'],
      ...['apps/sim/src/main.ts', 'one', history, '--json'],
    ],
    { cwd: tree, encoding: 'utf8', maxBuffer: 2 ** 28 },
  )
  if (status === 0) return 'good'
  try {
    const { violation } = JSON.parse(stdout) as { violation?: { id?: string } }
    return violation?.id === id ? 'bad' : 'skip'
  } catch {
    return 'skip'
  }
}

/** Dependencies of this checkout, but the rooms of the other: a link to the whole folder would lead back here. */
function linkModules(tree: string): void {
  const from = join(root, 'node_modules')
  const to = join(tree, 'node_modules')
  rmSync(to, { recursive: true, force: true })
  mkdirSync(join(to, '@rockpool'), { recursive: true })
  for (const name of readdirSync(from)) {
    if (name !== '@rockpool') symlinkSync(join(from, name), join(to, name))
  }
  for (const room of readdirSync(join(tree, 'packages'))) {
    symlinkSync(join(tree, 'packages', room), join(to, '@rockpool', room))
  }
}
