import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node } from '@rockpool/node'
import type { Paths } from './datadir.ts'

/** Leaves what a person needs to understand a crash: the error, mailbox depths, dead letters, and what was configured. */
export function writeCrash(
  paths: Paths,
  digest: string,
  error: unknown,
  node: Node | undefined,
): void {
  const folder = join(paths.root, 'crashes')
  const meters = node?.bus.meters()
  const report = {
    at: new Date().toISOString(),
    error: error instanceof Error ? error.stack : String(error),
    config: digest,
    bus: meters && {
      balanced: meters.balanced,
      queued: meters.queued,
      deadLetters: meters.deadLetters,
    },
    actors: meters?.actors.map(({ actor, depth, highWater, restarts }) => ({
      actor,
      depth,
      highWater,
      restarts,
    })),
  }
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, `${report.at.replaceAll(':', '-')}.json`),
      `${JSON.stringify(report, null, 2)}\n`,
      { mode: 0o600 },
    )
  } catch (failure) {
    console.error('the crash report could not be written:', failure)
  }
}
