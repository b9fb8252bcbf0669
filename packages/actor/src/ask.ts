import type { ActorRef, AskError, Context, Outcome, Typed } from './api.ts'
import { assert } from './assert.ts'
import type { Bus } from './bus.ts'
import type { Cell } from './cell.ts'
import type { DeadReason } from './dead-letters.ts'
import type { Timer } from './heap.ts'
import type { SystemItem } from './mailbox.ts'

/** Longest delay: beyond it milliseconds are no whole numbers any more. */
export const LONGEST_MS = 2 ** 53

/** Whoever has taken requests and not answered them yet: the head of a list through the replies themselves. */
export interface Hand {
  hand: Ask | undefined
}

const earlyMs = 20

/** How long an answer is waited for: in simulations, rarely, less than was asked. */
export function patience(chance: Pick<Context<Typed>, 'maybe' | 'int'>, ms: number): number {
  return chance.maybe('actor/ask-early') ? Math.min(ms, chance.int(earlyMs)) : ms
}

/**
 * One question under way: the reply ref that travels in the request, its deadline, and its outcome, which comes back
 * through the asker's system lane (or settles a promise, when the asker is outside).
 */
export class Ask implements ActorRef<unknown>, SystemItem {
  readonly type = '$ask'
  /** Monotonic ms. */
  readonly due: number
  outcome: Outcome<unknown> | undefined = undefined
  private readonly bus: Bus
  private readonly asker: Cell | undefined
  private readonly incarnation: number
  private readonly cause: number
  private readonly finish: (outcome: Outcome<never>) => unknown
  private readonly timer: Timer
  private holder: Hand | undefined = undefined
  private before: Ask | undefined = undefined
  private behind: Ask | undefined = undefined

  constructor(
    bus: Bus,
    asker: Cell | undefined,
    ms: number,
    finish: (outcome: Outcome<never>) => unknown,
  ) {
    assert(ms >= 0 && ms <= LONGEST_MS, `an ask waits 0 … 2^53 ms, not ${ms}`)
    this.bus = bus
    this.asker = asker
    this.incarnation = asker === undefined ? 0 : asker.incarnation
    this.cause = bus.id
    this.finish = finish
    this.due = bus.instant + ms
    this.timer = bus.clock.at(this.due, () => this.fail('timeout'))
    bus.asks++
    if (asker === undefined) bus.asksOutside++
    else asker.asks++
  }

  get path(): string {
    return `${this.asker?.path ?? ''}/$reply`
  }

  tell(value: unknown): void {
    if (this.outcome === undefined) this.settle({ ok: true, value })
    else this.bus.buryLateReply(this.path, value)
  }

  offer(value: unknown): boolean {
    this.tell(value)
    return true
  }

  /** Nothing after the first outcome. */
  fail(error: AskError): void {
    if (this.outcome === undefined) this.settle({ ok: false, error })
  }

  /** The request was handed to `holder`, who now owes the answer. False: nobody waits for it any more. */
  hold(holder: Hand): boolean {
    if (this.outcome !== undefined) return false
    this.release()
    this.holder = holder
    this.behind = holder.hand
    if (this.behind !== undefined) this.behind.before = this
    holder.hand = this
    return true
  }

  /** The request was passed on: whoever held it owes nothing any more. */
  release(): void {
    const { holder, before, behind } = this
    if (holder === undefined) return
    if (before === undefined) holder.hand = behind
    else before.behind = behind
    if (behind !== undefined) behind.before = before
    this.holder = undefined
    this.before = undefined
    this.behind = undefined
  }

  open(cell: Cell): Typed | undefined {
    if (cell.incarnation === this.incarnation) {
      return this.finish(this.outcome as Outcome<never>) as Typed
    }
    cell.countStale(this.type)
    return undefined
  }

  private settle(outcome: Outcome<unknown>): void {
    const { bus, asker } = this
    this.outcome = outcome
    bus.clock.clear(this.timer)
    this.release()
    bus.asks--
    if (asker === undefined) {
      bus.asksOutside--
      this.finish(outcome as Outcome<never>)
      return
    }
    asker.asks--
    if (asker.incarnation === this.incarnation) bus.notify(asker, this, bus.id || this.cause)
    else asker.countStale(this.type)
  }
}

/** The reply a request carries. */
export function replyOf(msg: unknown): Ask | undefined {
  const reply = (msg as { reply?: unknown } | undefined)?.reply
  return reply instanceof Ask ? reply : undefined
}

/** Everybody who still waits for `holder` learns that nothing will come. */
export function failHand(holder: Hand, error: AskError): void {
  while (holder.hand !== undefined) holder.hand.fail(error)
}

/** What an asker is told when its request became a dead letter. */
export function askErrorFor(reason: DeadReason): AskError {
  switch (reason) {
    case 'full':
    case 'oldest':
      return 'full'
    case 'crashed':
      return 'crashed'
    case 'expired':
      return 'timeout'
    default:
      return 'dead'
  }
}
