import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Recorder } from '@rockpool/actor'
import { openRecording } from '@rockpool/adapters/recording'
import type { Series } from '@rockpool/protocol'
import { exit, Refusal } from './exit.ts'
import type { Log } from './log.ts'
import type { Effective } from './settings.ts'

/** How far a recording has come. */
export interface RecordingStatus {
  readonly path: string
  readonly bytes: number
  /** That the file covers. */
  readonly turns: number
  /** Why nothing more is written. */
  readonly stopped?: string
}

/** A recording under way. */
export interface NodeRecording {
  readonly recorder: Recorder
  readonly path: string
  /** What an operator saw, at this moment of the recording. */
  mark(text: string): { readonly marked: string }
  /** No more is recorded; what there is can be replayed. */
  stop(): RecordingStatus
  status(): RecordingStatus
  close(): Promise<void>
}

/** The version of what actors say to each other and of their ports; a recording of another cannot be replayed. */
const protocolVersion = 1
const quantum = 64
const sliceMs = 5

/** Begins before anything runs: a recording that begins later cannot be replayed. Undefined where none is wanted. */
export async function beginRecording(
  { read, paths, digest }: Effective,
  seed: string,
  chainId: number,
  log: Log,
): Promise<NodeRecording | undefined> {
  if (!read.flag('record.enabled')) return undefined
  const wallMs = Date.now()
  const name = new Date(wallMs).toISOString().replaceAll(':', '-')
  const recorder: Recorder = new Recorder({ pipes: 'made', sink: edge => file.add(edge) })
  const file = await openRecording({
    path: join(paths.recordings, `${name}.rprec`),
    header: {
      ...{ wallMs, nodeVersion: process.version, commit: commitOf(), seed, quantum, sliceMs },
      ...{ configDigest: digest, protocolVersion, chainId },
    },
    maxBytes: read.number('record.max-bytes'),
    flush: () => recorder.flush(),
    stopped: (reason, error) => {
      recorder.abandon()
      log.line('warn', reason, {
        path: file.path,
        bytes: file.bytes,
        ...(error !== undefined && { error }),
      })
    },
  })
  log.line('info', 'record/began', { path: file.path })

  function stop() {
    recorder.flush()
    recorder.abandon()
    return status()
  }

  function status(): RecordingStatus {
    return {
      ...{ path: file.path, bytes: file.bytes, turns: recorder.turns },
      ...(!recorder.recording && { stopped: file.reason ?? 'asked to' }),
    }
  }

  return {
    recorder,
    path: file.path,
    mark(text) {
      if (!recorder.recording)
        throw new Refusal(exit.no, `the recording has stopped (${file.reason ?? 'asked to'})`)
      recorder.mark(text)
      return { marked: text }
    },
    stop,
    status,
    close: () => file.close(),
  }
}

/** Series of the recorder, also where nothing is recorded: a dashboard then says so. */
export function recordSeries(recording: NodeRecording | undefined): Series[] {
  const now = recording?.status()
  const stopped = now?.stopped?.replace('record/', '').replace(' ', '-')
  const state = now === undefined ? 'off' : (stopped ?? 'recording')
  const name = (suffix: string) => `rockpool_record_${suffix}`
  const series = (kind: 'counter' | 'gauge', suffix: string, help: string, value: number) =>
    ({ name: name(suffix), help, kind, samples: [{ value }] }) satisfies Series
  return [
    {
      name: name('state'),
      help: 'Whether a recording is under way: off, recording, or why it stopped.',
      kind: 'gauge',
      samples: [{ labels: { state }, value: 1 }],
    },
    series('gauge', 'bytes', 'Size of the recording.', now?.bytes ?? 0),
    series('counter', 'turns_total', 'Turns the recording covers.', now?.turns ?? 0),
    series(
      'counter',
      'overruns_total',
      'Recordings that stopped because the disk could not follow.',
      state === 'overrun' ? 1 : 0,
    ),
  ]
}

/** What this build was made from, where that can be told. */
function commitOf(): string {
  try {
    const args = ['rev-parse', '--short', 'HEAD']
    const options = { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' } as const
    return execFileSync('git', args, options).trim()
  } catch {
    return ''
  }
}
