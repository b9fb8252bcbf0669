import type { Context, Outcome } from '@rockpool/actor'
import { limits, type Store, type Write } from '@rockpool/protocol'

/** What a turn has to write before it may speak. */
export interface Record {
  readonly writes: readonly Write[]
  /** On disk when the turn speaks; otherwise the kernel has it, which survives the process and not a power cut. */
  readonly sync: boolean
}

/** Undefined: written, or there was nothing to write. */
export type WriteFailure = { readonly cause: string } | undefined

/** A turn that has been applied and not been spoken of. */
export interface Unspoken {
  result: { readonly failure: WriteFailure } | undefined
  readonly speak: (failure: WriteFailure) => void
}

export type StoredMessage = {
  type: 'pool.stored'
  turn: Unspoken
  outcome: Outcome<void, unknown>
}

export type Commits = ReturnType<typeof createCommits>

/**
 * Write, then speak: what a turn has to say waits for its record, and for the turns before it. Later turns are applied meanwhile and
 * their records join the same commit of the store, so a wait for the disk costs delay and no throughput.
 */
export function createCommits(ctx: Pick<Context<StoredMessage>, 'pipe'>, store: Store | undefined) {
  const unspoken: Unspoken[] = []
  let isSpeaking = false

  function push({ writes, sync }: Record, speak: Unspoken['speak']): void {
    const needsStore = store !== undefined && writes.length > 0
    const turn: Unspoken = { result: needsStore ? undefined : { failure: undefined }, speak }
    unspoken.push(turn)
    if (!needsStore) return speakAll()
    ctx.pipe(
      () => store.batch(writes, { sync }),
      outcome => ({ type: 'pool.stored', turn, outcome }),
      Number.POSITIVE_INFINITY,
    )
  }

  function onStored({ turn, outcome }: StoredMessage): void {
    turn.result = { failure: outcome.ok ? undefined : { cause: textOf(outcome.error) } }
    speakAll()
  }

  /** Speaking may bring the next turn, which then waits for its place. */
  function speakAll(): void {
    if (isSpeaking) return
    isSpeaking = true
    for (let turn = unspoken[0]; turn?.result !== undefined; turn = unspoken[0]) {
      unspoken.shift()
      turn.speak(turn.result.failure)
    }
    isSpeaking = false
  }

  return {
    push,
    onStored,
    /** Something to say that needs no record, in its turn. */
    say: (words: () => void) => push({ writes: [], sync: false }, words),
    /** The disk is far behind: no turn should be applied until it has caught up. */
    get isFull() {
      return unspoken.length >= limits.poolTurnsWritingMax
    },
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
