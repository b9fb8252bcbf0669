import { assign, setup } from 'xstate'

export type LifecycleEvent =
  | { type: 'advance'; to: 'opening' | 'recovering' | 'starting' | 'syncing' | 'failed' }
  /** Whether the node is in step with its chain, and whether any reason stands against it. */
  | { type: 'look'; synced: boolean; reasons: number }
  | { type: 'drain' }
  | { type: 'stopped' }

/**
 * The life of a node, from nothing to nothing. Readiness comes from here: `ready`, or `degraded` while its services still serve. Every
 * state can fail or drain; nothing leads back from `draining`.
 */
export const lifecycle = setup({
  types: {
    events: {} as LifecycleEvent,
    context: {} as { synced: boolean; reasons: number },
  },
  actions: {
    look: assign(({ event }) =>
      event.type === 'look' ? { synced: event.synced, reasons: event.reasons } : {},
    ),
  },
  guards: {
    to: ({ event }, params: { to: string }) => event.type === 'advance' && event.to === params.to,
    well: ({ context }) => context.synced && context.reasons === 0,
    ailing: ({ context }) => context.synced && context.reasons > 0,
    behind: ({ context }) => !context.synced,
  },
}).createMachine({
  id: 'node',
  initial: 'booting',
  context: { synced: false, reasons: 0 },
  on: {
    look: { actions: 'look' },
    drain: '.draining',
    advance: { guard: { type: 'to', params: { to: 'failed' } }, target: '.failed' },
  },
  states: {
    booting: {
      on: { advance: [{ guard: { type: 'to', params: { to: 'opening' } }, target: 'opening' }] },
    },
    opening: {
      on: {
        advance: [{ guard: { type: 'to', params: { to: 'recovering' } }, target: 'recovering' }],
      },
    },
    recovering: {
      on: { advance: [{ guard: { type: 'to', params: { to: 'starting' } }, target: 'starting' }] },
    },
    starting: {
      on: { advance: [{ guard: { type: 'to', params: { to: 'syncing' } }, target: 'syncing' }] },
    },
    syncing: {
      always: [
        { guard: 'well', target: 'ready' },
        { guard: 'ailing', target: 'degraded' },
      ],
    },
    ready: {
      always: [
        { guard: 'behind', target: 'syncing' },
        { guard: 'ailing', target: 'degraded' },
      ],
    },
    degraded: {
      always: [
        { guard: 'behind', target: 'syncing' },
        { guard: 'well', target: 'ready' },
      ],
    },
    draining: { on: { drain: {}, advance: {}, stopped: 'stopped' } },
    stopped: { type: 'final' },
    failed: { on: { drain: 'draining' } },
  },
})
