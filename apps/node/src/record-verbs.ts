import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { chainText, Diverged, edgeKinds, type TraceRow } from '@rockpool/actor'
import { createCrypto } from '@rockpool/adapters/crypto'
import { readRecording, redact } from '@rockpool/adapters/recording'
import { type NodeReplay, replayNode } from '@rockpool/node'
import { CodedError } from '@rockpool/protocol'
import { callNode } from './client.ts'
import type { Paths } from './datadir.ts'
import { exit, Refusal } from './exit.ts'
import { effectiveSettings } from './settings.ts'

const recordUsage =
  'rockpool record start | stop | mark <text> | ls | export [file] [--redact] [--out file]'
const replayUsage =
  'rockpool replay <file> [--until <turn|time>] [--break <path>:<type>] [--trace <id>] [--json]'

/** `rockpool record …`: the recording of the running node, and those on disk. */
export async function recordVerb(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  switch (verb) {
    case 'start':
      return print(await callNode(pathsOf(rest), 'record_start'))
    case 'stop':
      return print(await callNode(pathsOf(rest), 'record_stop'))
    case 'mark': {
      const [text, ...flags] = rest
      if (text === undefined) throw new Refusal(exit.usage, 'record mark wants a text')
      return print(await callNode(pathsOf(flags), 'record_mark', [text]))
    }
    case 'ls':
      return list(pathsOf(rest))
    case 'export':
      return exportRecording(rest)
    default:
      throw new Refusal(exit.usage, `usage: ${recordUsage}`)
  }
}

function pathsOf(flags: readonly string[]): Paths {
  return effectiveSettings(flags).paths
}

function print(answer: unknown): number {
  console.log(typeof answer === 'string' ? answer : JSON.stringify(answer))
  return exit.done
}

function recordingsOf(paths: Paths): string[] {
  try {
    return readdirSync(paths.recordings)
      .filter(name => name.endsWith('.rprec'))
      .sort()
      .map(name => join(paths.recordings, name))
  } catch {
    return []
  }
}

function list(paths: Paths): number {
  const files = recordingsOf(paths)
  for (const file of files) console.log(`${String(statSync(file).size).padStart(12)}  ${file}`)
  if (files.length === 0) console.log(`no recordings in ${paths.recordings}`)
  return exit.done
}

/** A recording as a file of its own; without what is personal when asked. */
function exportRecording(args: readonly string[]): number {
  const isRedacted = args.includes('--redact')
  const { value: out, rest } = option(
    args.filter(arg => arg !== '--redact'),
    '--out',
  )
  if (rest.includes('--last'))
    throw new Refusal(
      exit.no,
      'a window of a recording cannot be replayed by itself: recording began at boot; export the whole',
    )
  const [first] = rest
  const isFile = first !== undefined && !first.startsWith('-')
  const file = isFile ? first : recordingsOf(pathsOf(rest)).at(-1)
  if (file === undefined) throw new Refusal(exit.no, 'there is no recording to export')
  const target =
    out ?? basename(file).replace(/\.rprec$/, isRedacted ? '.redacted.rprec' : '.copy.rprec')
  const recording = opened(file)
  redact(recording, target, isRedacted)
  console.log(target)
  return exit.done
}

/** `rockpool replay <file>`: the run again, turn by turn; exit 127 where it goes another way. */
export async function replayVerb(args: readonly string[]): Promise<number> {
  const asJson = args.includes('--json')
  const until = option(
    args.filter(arg => arg !== '--json'),
    '--until',
  )
  const stop = option(until.rest, '--break')
  const trace = option(stop.rest, '--trace')
  const [file, ...strange] = trace.rest
  if (file === undefined || strange.length > 0)
    throw new Refusal(exit.usage, `usage: ${replayUsage}`)
  const recording = opened(file)
  const { header } = recording
  if (recording.tornBytes > 0)
    console.error(`the file is torn: its last ${recording.tornBytes} bytes are left out`)
  if (header.nodeVersion.split('.')[0] !== process.version.split('.')[0])
    console.error(
      `recorded with Node ${header.nodeVersion}, replayed with ${process.version}: numbers may differ`,
    )
  const crypto = await createCrypto({ workers: 0 })
  const edges = new Map<string, number>()
  const began = performance.now()
  try {
    const replayed = await replayNode({
      edges: () => recording.edges(),
      seed: header.seed,
      crypto,
      options: {
        ...untilOf(until.value),
        ...breakOf(stop.value, trace.value),
        onEdge: ([kind]) => count(edges, kindNames.get(kind) ?? `kind ${kind}`),
      },
    })
    const { result, bus } = replayed
    const seconds = (performance.now() - began) / 1_000
    const hash = result.hash.toString(16).padStart(8, '0')
    if (asJson) return print(replayReport(replayed, hash, seconds, edges))
    console.log(
      `${result.turns} turns in ${seconds.toFixed(1)} s, trace ${hash}, ${endings[result.stoppedAt]}`,
    )
    if (result.found !== undefined) console.log(chainText(bus.trace(result.found.id)))
    return exit.done
  } catch (error) {
    if (!(error instanceof Diverged)) throw error
    console.error(error.message)
    return exit.diverged
  } finally {
    await crypto.close()
  }
}

const kindNames = new Map<number, string>(
  Object.entries(edgeKinds).map(([name, kind]) => [kind, name]),
)

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** All a replay can say of a run, for programs. */
function replayReport(
  { result, bus, counters }: NodeReplay,
  trace: string,
  seconds: number,
  edges: ReadonlyMap<string, number>,
) {
  const { turns, stoppedAt, found } = result
  return {
    ...{ turns, trace, stoppedAt, seconds: Math.round(seconds * 10) / 10 },
    edges: Object.fromEntries(edges),
    counters,
    deadLetters: bus.deadLetters.counts(),
    ...(found !== undefined && { chain: bus.trace(found.id) }),
  }
}

const endings = {
  ended: 'as recorded',
  cut: 'up to where the file ends',
  until: 'stopped there',
  break: 'found',
} as const

function opened(file: string) {
  try {
    return readRecording(file)
  } catch (error) {
    if (!(error instanceof CodedError))
      throw new Refusal(exit.no, `${file} cannot be read: ${String(error)}`)
    throw new Refusal(exit.usage, `${file}: ${error.message}`)
  }
}

function option(args: readonly string[], name: string) {
  const at = args.indexOf(name)
  if (at === -1) return { value: undefined, rest: [...args] }
  const value = args[at + 1]
  if (value === undefined) throw new Refusal(exit.usage, `${name} wants a value`)
  return { value, rest: args.filter((_, index) => index !== at && index !== at + 1) }
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function untilOf(text: string | undefined): { untilTurn?: number; untilMs?: number } {
  if (text === undefined) return {}
  const match = /^([\d.]+)(ms|s|m|h)?$/.exec(text)
  if (match === null)
    throw new Refusal(exit.usage, `--until ${text}: write a turn (1200) or a time (12.3s)`)
  const value = Number(match[1])
  return match[2] === undefined ? { untilTurn: value } : { untilMs: value * (units[match[2]] ?? 1) }
}

function breakOf(
  stop: string | undefined,
  id: string | undefined,
): { breakAt?: (row: TraceRow) => boolean } {
  if (id !== undefined) return { breakAt: row => row.id === Number(id) }
  if (stop === undefined) return {}
  if (!stop.includes(':')) throw new Refusal(exit.usage, `--break ${stop}: write <path>:<type>`)
  // Paths of children hold a colon too: the type is what follows the last one.
  const cut = stop.lastIndexOf(':')
  return { breakAt: row => row.actor === stop.slice(0, cut) && row.type === stop.slice(cut + 1) }
}
