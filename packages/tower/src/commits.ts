import type { Context, Outcome } from '@rockpool/actor'
import type { Store, Write } from '@rockpool/protocol'

interface Waiting {
  readonly writes: readonly Write[]
  readonly then: (stored: boolean) => void
}

export type CommitMessage<T extends string> = {
  type: T
  group: readonly Waiting[]
  outcome: Outcome<void, unknown>
}

/**
 * Write, then speak. While one group is on its way to the disk the next gathers, so that a hundred requests share one sync; groups end in the
 * order they began. Whoever waits hears whether his writes are on disk.
 */
export function createCommits<T extends string>(
  ctx: Pick<Context<CommitMessage<T>>, 'pipe'>,
  store: Store,
  type: T,
) {
  let waiting: Waiting[] = []
  let isWriting = false

  /** With no writes `then` is called when all before is on disk. */
  function push(writes: readonly Write[], then: (stored: boolean) => void): void {
    waiting.push({ writes, then })
  }

  /** At the end of a turn: what has gathered goes to the disk, if nothing is on its way. */
  function flush(): void {
    while (!isWriting && waiting.length > 0) {
      const group = waiting
      waiting = []
      const writes = group.flatMap(each => each.writes)
      if (writes.length === 0) {
        for (const { then } of group) then(true)
        continue
      }
      isWriting = true
      ctx.pipe(
        () => store.batch(writes, { sync: true }),
        outcome => ({ type, group, outcome }),
        Number.POSITIVE_INFINITY,
      )
    }
  }

  /** The store's answer. Whoever waits behind a failed group fails with it: what they build on is not there. */
  function onStored({ group, outcome }: CommitMessage<T>): boolean {
    isWriting = false
    const failed = outcome.ok ? [] : waiting
    if (!outcome.ok) waiting = []
    for (const { then } of [...group, ...failed]) then(outcome.ok)
    return outcome.ok
  }

  return {
    push,
    flush,
    onStored,
    get size() {
      return waiting.length
    },
    get isIdle() {
      return !isWriting && waiting.length === 0
    },
  }
}

export type Commits = Pick<ReturnType<typeof createCommits>, 'push' | 'size'>
