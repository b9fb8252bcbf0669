import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { filesOf, type NetworkFile } from '../devnet/files.ts'

export interface BenchDevnet {
  readonly network: NetworkFile
  /** Interrupts it as a terminal does and waits; throws unless it ended cleanly and left no process. */
  stop(): Promise<void>
}

/** A devnet as `npm start` makes it. */
export async function startDevnet(
  name: string,
  args: readonly string[] = [],
): Promise<BenchDevnet> {
  const start = ['scripts/run.mjs', 'start', '--name', name, ...args]
  const launched = await launch(process.execPath, start)
  const files = filesOf(name)
  const network = JSON.parse(readFileSync(files.network, 'utf8')) as NetworkFile
  return {
    network,
    stop: async () => {
      await launched.interrupt(network)
      rmSync(files.folder, { recursive: true, force: true })
    },
  }
}

export interface Launched {
  /** From spawn to the last line of the banner. */
  readonly readyMs: number
  /** Ctrl-C. Throws unless all nodes said goodbye and none is left. */
  interrupt(network: NetworkFile): Promise<void>
}

const readyDeadlineMs = 180_000

/** Runs a devnet launcher, or `npm start`, in a process group of its own, and waits for the end of the banner. */
export function launch(command: string, args: readonly string[], cwd?: string): Promise<Launched> {
  const since = performance.now()
  const launcher = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    cwd: cwd ?? process.cwd(),
  })
  let said = ''
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      signalGroup(launcher, 'SIGTERM')
      reject(new Error(`no banner within ${readyDeadlineMs / 1_000} s: ${said}`))
    }, readyDeadlineMs)
    launcher.once('exit', code => {
      clearTimeout(late)
      reject(new Error(`the launcher ended with code ${code}: ${said}`))
    })
    launcher.stdout.on('data', chunk => {
      const wasReady = said.includes('Stop with Ctrl-C')
      said += chunk
      if (wasReady || !said.includes('Stop with Ctrl-C')) return
      clearTimeout(late)
      const interrupted = (network: NetworkFile) => interrupt(launcher, network, () => said)
      resolve({ readyMs: performance.now() - since, interrupt: interrupted })
    })
  })
}

/** npm ends by the signal itself once its script has ended, so its code tells nothing. */
async function interrupt(
  launcher: ChildProcess,
  { nodes }: NetworkFile,
  said: () => string,
): Promise<void> {
  const ended = new Promise<void>(resolve => launcher.once('close', () => resolve()))
  signalGroup(launcher, 'SIGINT')
  await ended
  const left = nodes.filter(({ pid }) => isAlive(pid)).map(({ name }) => name)
  if (!said().includes('all nodes stopped') || left.length > 0)
    throw new Error(`not a clean stop, still running: ${left.join(', ') || 'none'}\n${said()}`)
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
