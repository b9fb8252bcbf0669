import { callNode } from './client.ts'
import { exit } from './exit.ts'
import type { RecordingStatus } from './recording.ts'
import { effectiveSettings } from './settings.ts'

/** What `node_status` answers. */
export interface NodeStatus {
  readonly version: string
  readonly pid: number
  readonly state: string
  readonly ready: boolean
  readonly why: string
  readonly reasons: readonly { readonly code: string; readonly text: string }[]
  readonly network: string
  readonly chainId: number
  readonly genesis: string
  readonly head: { readonly number: number; readonly hash: string; readonly ageMs: number }
  readonly peers: number
  readonly pool: { readonly pending: number; readonly queued: number }
  /** Null where nothing is recorded. */
  readonly recording: RecordingStatus | null
  readonly crypto: string
  readonly node: string
  readonly schema: number
  readonly config: string
  readonly datadir: string
  readonly uptimeMs: number
}

const withoutJson = (flags: readonly string[]) => flags.filter(flag => flag !== '--json')

/** One screen; the exit code is the health. */
export async function status(flags: readonly string[]): Promise<number> {
  const { paths } = effectiveSettings(withoutJson(flags))
  const answer = (await callNode(paths, 'node_status')) as NodeStatus
  if (flags.includes('--json')) console.log(JSON.stringify(answer, null, 2))
  else console.log(statusScreen(answer))
  return answer.ready ? exit.done : exit.no
}

function statusScreen(node: NodeStatus): string {
  const rows: [string, string][] = [
    ['state', `${node.state}: ${node.why}`],
    [
      'head',
      `${node.head.number}  ${node.head.hash}  (${(node.head.ageMs / 1_000).toFixed(1)} s old)`,
    ],
    ['peers', `${node.peers}`],
    ['pool', `${node.pool.pending} pending, ${node.pool.queued} queued`],
    ['chain', `${node.network} ${node.chainId}, genesis ${node.genesis}`],
    ['crypto', node.crypto],
    [
      'version',
      `${node.version}, node ${node.node}, store schema ${node.schema}, config ${node.config}`,
    ],
    ['process', `pid ${node.pid}, up ${Math.round(node.uptimeMs / 1_000)} s`],
    ['data', node.datadir],
    ['records', recordingText(node.recording)],
  ]
  return rows.map(([name, value]) => `${name.padEnd(8)} ${value}`).join('\n')
}

function recordingText(recording: RecordingStatus | null): string {
  if (recording === null) return 'nothing'
  const { path, bytes, turns, stopped } = recording
  const size = `${(bytes / 1_048_576).toFixed(1)} MiB, ${turns} turns`
  return `${path}, ${size}${stopped === undefined ? '' : `, stopped: ${stopped}`}`
}

/** The same answer as `/readyz`. */
export async function health(flags: readonly string[]): Promise<number> {
  const { paths } = effectiveSettings(withoutJson(flags))
  const answer = (await callNode(paths, 'node_health')) as { ready: boolean }
  console.log(JSON.stringify(answer))
  return answer.ready ? exit.done : exit.no
}

/** Asks for the drain and waits until the process has gone. */
export async function stop(flags: readonly string[]): Promise<number> {
  const { paths, read } = effectiveSettings(flags)
  const { pid } = (await callNode(paths, 'node_stop')) as { pid: number }
  const deadline = Date.now() + read.number('shutdown.deadline') + 10_000
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      console.error(`process ${pid} is still draining; see its log`)
      return exit.no
    }
    await new Promise(resolve => setTimeout(resolve, 30))
  }
  console.log('stopped')
  return exit.done
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
