import type { PeerPhase } from '@rockpool/protocol'
import { assign, setup } from 'xstate'

export type PeerLifeEvent =
  | { type: 'dial'; reason: string }
  | { type: 'failed'; reason: string }
  | { type: 'opened'; reason: string }
  | { type: 'closed'; reason: string }
  | { type: 'stands'; as: 'good' | 'suspect' | 'quarantined'; reason: string }
  | { type: 'banned'; reason: string }
  | { type: 'lifted'; reason: string }

/**
 * The life of a peer here. Whoever hosts it sends what happened, never per message; of static and protected peers it never says that they are
 * quarantined or banned. `reason` is that of the last transition.
 */
export const peerLife = setup({
  types: {
    events: {} as PeerLifeEvent,
    context: {} as { reason: string; isExempt: boolean },
    input: {} as { isExempt: boolean },
  },
  actions: {
    note: assign({ reason: ({ event }) => event.reason }),
  },
  guards: {
    isGood: ({ event }) => event.type === 'stands' && event.as === 'good',
    isSuspect: ({ event }) => event.type === 'stands' && event.as === 'suspect',
    isShut: ({ context, event }) =>
      event.type === 'stands' && event.as === 'quarantined' && !context.isExempt,
    mayBeBanned: ({ context }) => !context.isExempt,
  },
}).createMachine({
  id: 'peer',
  context: ({ input }) => ({ reason: 'seen', isExempt: input.isExempt }),
  initial: 'known',
  on: { banned: { guard: 'mayBeBanned', target: '.banned', actions: 'note' } },
  states: {
    known: {
      on: {
        dial: { target: 'dialling', actions: 'note' },
        opened: { target: 'connected', actions: 'note' },
      },
    },
    dialling: {
      on: {
        failed: { target: 'known', actions: 'note' },
        opened: { target: 'connected', actions: 'note' },
      },
    },
    connected: {
      initial: 'good',
      on: {
        closed: { target: 'known', actions: 'note' },
        stands: [
          { guard: 'isShut', target: '.quarantined', actions: 'note' },
          { guard: 'isSuspect', target: '.suspect', actions: 'note' },
          { guard: 'isGood', target: '.good', actions: 'note' },
        ],
      },
      states: { good: {}, suspect: {}, quarantined: {} },
    },
    banned: {
      on: { lifted: { target: 'known', actions: 'note' } },
    },
  },
})

/** The innermost state. */
export function phaseOf(value: unknown): PeerPhase {
  if (typeof value === 'string') return value as PeerPhase
  const [inner] = Object.values(value as Record<string, string>)
  return inner as PeerPhase
}
