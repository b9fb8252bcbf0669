import { type ActorReading, type DeadLetter, LETTERS_KEPT, type TraceRow } from '@rockpool/actor'
import type { Node } from '@rockpool/node'
import { CodedError } from '@rockpool/protocol'
import { plainOf } from './plain.ts'

/** What `actors_list` answers. A row is of one kind: children of one name are summed. */
export interface ActorsReport {
  readonly turns: number
  readonly queued: number
  readonly deadLetters: number
  readonly loopLagMs: number
  readonly actors: readonly Pick<
    ActorReading,
    | 'actor'
    | 'count'
    | 'depth'
    | 'highWater'
    | 'oldestMs'
    | 'handled'
    | 'restarts'
    | 'asks'
    | 'pipes'
    | 'timers'
  >[]
}

/** What `actors_trace` answers: the message first, then what caused it, back to the outside. */
export interface TraceReport {
  readonly chain: readonly TraceRow[]
}

/** A message nobody handled. */
interface LetterReport {
  /** Counts from 1 since the node's start. */
  readonly number: number
  /** Epoch ms. */
  readonly at: number
  readonly reason: DeadLetter['reason']
  readonly to: string
  readonly type: string
  /** Id of the message, for `actors trace`; of the one in whose turn it was sent, 0 from outside. */
  readonly id: number
  readonly cause: number
  readonly origin?: string
}

/** What `deadletters_list` answers. */
export interface LettersReport {
  /** Letters so far; only the last ones are kept. */
  readonly total: number
  readonly counts: readonly {
    readonly reason: string
    readonly actor: string
    readonly type: string
    readonly count: number
  }[]
  /** Newest last. */
  readonly letters: readonly LetterReport[]
}

/** What `deadletters_show` answers. */
export interface LetterShown extends LetterReport {
  readonly message: unknown
  /** How it came about; empty when the turns that led to it are forgotten. */
  readonly chain: readonly TraceRow[]
}

/** Letters of one listing. */
const listed = 50

/** The bus' answers for an operator: who has how much to do, why a message was sent, and what nobody handled. */
export function actorsOf({ bus }: Pick<Node, 'bus'>, wall: () => number) {
  function list(): ActorsReport {
    const { turns, queued, dead, loopLagMs, actors } = bus.meters()
    return {
      ...{ turns, queued, deadLetters: dead, loopLagMs },
      actors: actors.map(
        ({ actor, count, depth, highWater, oldestMs, handled, restarts, asks, pipes, timers }) => ({
          ...{ actor, count, depth, highWater, oldestMs, handled },
          ...{ restarts, asks, pipes, timers },
        }),
      ),
    }
  }

  function trace(id: unknown): TraceReport {
    const chain = bus.trace(numberOf(id, 'message'))
    if (chain.length > 0) return { chain }
    const kept = bus.meters().traceBytes === 0 ? 'no turns' : 'the last 65,536 turns'
    throw new CodedError(
      'bus/unknown-message',
      `nothing known about message ${String(id)}: the node remembers ${kept}`,
    )
  }

  function letters(): LettersReport {
    return {
      total: bus.meters().dead,
      counts: bus.deadLetters.counts(),
      letters: bus.deadLetters.list().slice(-listed).map(reportOf),
    }
  }

  function letter(number: unknown): LetterShown {
    const wanted = numberOf(number, 'dead letter')
    const [found] = wanted === 0 ? [] : bus.deadLetters.list(wanted - 1, 1)
    if (found === undefined || found.sequence !== wanted)
      throw new CodedError(
        'bus/unknown-letter',
        `nothing known about dead letter ${wanted}: the node keeps the last ${LETTERS_KEPT.toLocaleString('en')}`,
      )
    // A message that had no turn is in no chain: what sent it is.
    const own = bus.trace(found.id)
    const chain = own.length > 0 || found.cause === 0 ? own : bus.trace(found.cause)
    return { ...reportOf(found), message: plainOf(found.msg), chain }
  }

  function reportOf({ sequence, at, reason, to, type, id, cause, origin }: DeadLetter) {
    const when = Math.round(wall() - (bus.clock.now() - at))
    const rest = { reason, to, type, id, cause }
    return { number: sequence, at: when, ...rest, ...(origin !== undefined && { origin }) }
  }

  return { list, trace, letters, letter }
}

function numberOf(value: unknown, what: string): number {
  const text = String(value)
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Error(`not the number of a ${what}: ${text.slice(0, 40)}`)
}
