import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { RunResult } from '@rockpool/sim'
import { fromSource, isSource, root } from './files.ts'
import type { History } from './run-history.ts'

/** Real time one run may take: many times what a whole day of a small world does. */
const runMsMax = 600_000

/**
 * Whole worlds die young: with a small nursery (MiB) the collector copies them again and again. With a process for each processor its helper
 * threads only wait for one another: without them a world takes 7 % less CPU, and more where much else runs.
 */
export const heapFlags = ['--max-semi-space-size=64', '--single-threaded-gc']

/** What a child process answers. */
export type JobAnswer =
  | { readonly ok: true; readonly result: RunResult }
  | { readonly ok: false; readonly error: string }

const worker = fileURLToPath(new URL(isSource ? './worker.ts' : './worker.js', import.meta.url))

/** Runs histories in child processes, `count` at a time. A history whose process dies is a crash of the harness. */
export function createJobs(count: number) {
  const idle: ChildProcess[] = []

  function start(): ChildProcess {
    return fork(worker, {
      cwd: root,
      serialization: 'advanced',
      execArgv: [...heapFlags, ...(isSource ? fromSource : [])],
    })
  }

  async function run(history: History): Promise<RunResult> {
    const child = idle.pop() ?? start()
    const answer = await ask(child, history)
    if (child.connected) idle.push(child)
    return answer.ok ? answer.result : harnessCrash(answer.error)
  }

  /** Does `work` for every item, `count` at a time, until there are none or it answers false. */
  async function each<T>(items: Iterable<T>, work: (item: T) => Promise<boolean>): Promise<void> {
    const left = items[Symbol.iterator]()
    let goesOn = true
    const lane = async () => {
      for (let next = left.next(); goesOn && next.done !== true; next = left.next()) {
        goesOn = (await work(next.value)) && goesOn
      }
    }
    await Promise.all(Array.from({ length: count }, lane))
  }

  function close(): void {
    for (const child of idle) child.disconnect()
    idle.length = 0
  }

  return { count, run, each, close }
}

export type Jobs = ReturnType<typeof createJobs>

function ask(child: ChildProcess, history: History): Promise<JobAnswer> {
  return new Promise(resolve => {
    // A run that hangs in one turn hears no message: only its process can be ended.
    const watchdog = setTimeout(() => child.kill('SIGKILL'), runMsMax)
    const onExit = (code: number | null, signal: string | null) => {
      clearTimeout(watchdog)
      child.off('message', onMessage)
      resolve({ ok: false, error: `the process of the run ended (${signal ?? code})` })
    }
    const onMessage = (answer: unknown) => {
      clearTimeout(watchdog)
      child.off('exit', onExit)
      resolve(answer as JobAnswer)
    }
    child.once('exit', onExit)
    child.once('message', onMessage)
    child.send(history)
  })
}

function harnessCrash(text: string): RunResult {
  return {
    violation: { id: 'harness', kind: 'crash', text, atMs: 0 },
    ...{ hash: '', events: 0, nodeHours: 0, cpuMs: 0, coverage: new Map(), counts: {} },
  }
}
