import type { ChainSource, HeadEvent } from '@rockpool/protocol'

/** Chains behind nodes, which may be out of reach: questions are refused, and news wait until it is there again. */
export class Backends {
  private readonly lost = new Map<number, (() => void)[]>()

  down(node: number): void {
    if (!this.lost.has(node)) this.lost.set(node, [])
  }

  up(node: number): void {
    const waiting = this.lost.get(node) ?? []
    this.lost.delete(node)
    for (const tell of waiting) tell()
  }

  behind(node: number, source: ChainSource): ChainSource {
    const { lost } = this
    const reached = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (lost.has(node)) throw new Error('the backend does not answer')
      return ask()
    }
    return {
      head: () => reached(() => source.head()),
      block: hash => reached(() => source.block(hash)),
      hashAt: number => reached(() => source.hashAt(number)),
      accounts: (addresses, at) => reached(() => source.accounts(addresses, at)),
      onHead(listener) {
        let isHeard = true
        const end = source.onHead((event: HeadEvent) => {
          const tell = () => {
            if (isHeard) listener(event)
          }
          const waiting = lost.get(node)
          if (waiting === undefined) tell()
          else waiting.push(tell)
        })
        return () => {
          isHeard = false
          end()
        }
      },
      status: () =>
        lost.has(node)
          ? { state: 'unreachable', reason: 'the backend does not answer' }
          : source.status(),
    }
  }
}
