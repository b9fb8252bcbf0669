import { askSocket, socketPath } from './socket.ts'

const answerMs = 5_000

/**
 * The other nodes of a devnet, by their data directories: what an operator of one asks for the whole network is asked of each over its control
 * socket. One that does not run is passed over; what one refuses is thrown.
 */
export function siblingsOf(folders: readonly string[]) {
  return async (method: string, params: readonly unknown[]): Promise<void> => {
    const answers = await Promise.all(
      folders.map(folder =>
        askSocket(socketPath(folder, 'rockpool'), method, params, answerMs).catch(() => undefined),
      ),
    )
    for (const answer of answers) if (answer?.error) throw new Error(answer.error.message)
  }
}
