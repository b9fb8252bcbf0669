import type { Paths } from './datadir.ts'
import { readVersion } from './datadir.ts'
import { exit, Refusal } from './exit.ts'
import { askSocket } from './socket.ts'

/** Calls one method of the running node over its control socket. Refuses with exit 3 when none is running. */
export async function callNode(
  paths: Paths,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const answer = await askSocket(paths.socket, method, params).catch(
    (error: NodeJS.ErrnoException) => {
      throw notRunning(paths, error)
    },
  )
  if (answer.error) throw new Refusal(exit.no, answer.error.message)
  return answer.result
}

function notRunning(paths: Paths, error: NodeJS.ErrnoException): Refusal {
  const where = paths.root
  const unclean = error.code === 'ECONNREFUSED' || readVersion(paths)?.lastRun?.cleanStop === false
  const why = unclean ? '; the last run did not stop cleanly' : ''
  return new Refusal(
    exit.unreachable,
    `no node is running for ${where} (no control socket); start it with: rockpool run${why}`,
    { cause: error },
  )
}
