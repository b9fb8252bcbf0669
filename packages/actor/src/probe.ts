import type { ActorRef, Behavior, Context, Mailbox, Typed } from './api.ts'
import type { Bus } from './bus.ts'

/** A root actor for tests that keeps what it hears, in order. */
export class Probe<M extends Typed> {
  readonly ref: ActorRef<M>
  readonly heard: M[] = []

  /** `answer` may do more than listen: reply, stop, throw. */
  constructor(
    bus: Bus,
    name: string,
    answer: (msg: M, ctx: Context<M>) => void = () => {},
    mailbox?: Mailbox<M>,
  ) {
    const listen: Behavior<M> = ctx => msg => {
      this.heard.push(msg)
      answer(msg, ctx)
    }
    this.ref = bus.spawn<M>(name, listen, mailbox === undefined ? {} : { mailbox })
  }

  /** What was heard since the last call. */
  take(): M[] {
    return this.heard.splice(0)
  }

  types(): string[] {
    return this.heard.map(msg => msg.type)
  }
}
