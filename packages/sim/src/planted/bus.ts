import { Bus } from '@rockpool/actor'
import { type Planted, smallWorld } from './planted.ts'

/** Mailboxes forget from here on: simulated nodes are never far behind. */
const waitingMax = 2

/** A bus that counts a message as sent and has no room for it. */
class ForgetfulBus extends Bus {
  override enqueue(...[cell, ...rest]: Parameters<Bus['enqueue']>): boolean {
    if (cell.user.size < waitingMax) return super.enqueue(cell, ...rest)
    this.sent++
    return true
  }
}

export const overflowLost: Planted = {
  name: 'overflow-lost',
  about: 'a message to a full mailbox is neither handled nor a dead letter',
  fires: ['message-lost'],
  seeds: 100,
  wishes: smallWorld,
  decorate: build => ({
    ...build,
    parts: { ...build.parts, bus: options => new ForgetfulBus(options) },
  }),
}
