import { createTestBus, Probe } from '@rockpool/actor'
import {
  type Answer,
  type Ban,
  CodedError,
  type Goodbye,
  type MonitorMessage,
  type NodeClear,
  type NodeRaise,
  type PeerId,
  type PeerList,
  type PeerWhy,
  parseSubject,
  type Reply,
  type Store,
  type Subject,
  type Write,
} from '@rockpool/protocol'
import { createLoopHub, MemoryStore } from '@rockpool/protocol/conformance'
import type { MonitorFact } from '../monitor.actor.ts'
import { defaultPolicy, openPeers } from '../peers.ts'
import type { MonitorPolicy } from '../policy.ts'
import { loopClock } from './world.ts'

export type MonitorWorld = Awaited<ReturnType<typeof createMonitorWorld>>

/** A disk whose writes wait until they are let go, or fail. */
export class SlowStore extends MemoryStore {
  mode: 'fast' | 'held' | 'broken' = 'fast'
  private readonly held: (() => void)[] = []

  override async batch(writes: readonly Write[], options?: { sync?: boolean }): Promise<void> {
    if (this.mode === 'broken') throw new CodedError('store/io')
    if (this.mode === 'held') await new Promise<void>(resolve => this.held.push(resolve))
    return super.batch(writes, options)
  }

  letGo(): void {
    this.mode = 'fast'
    for (const go of this.held.splice(0)) go()
  }
}

export interface MonitorWorldOptions {
  readonly store?: Store | null
  readonly statics?: readonly string[]
  readonly policy?: Partial<MonitorPolicy>
  /** Router scores by peer. */
  readonly gossip?: ReadonlyMap<PeerId, number>
  readonly atMs?: number
  /** Time a connection needs to close; 0 without it. */
  readonly closeMs?: number
}

/** The monitor of `me` in a network without delay, in virtual time; what it tells is heard by probes. */
export async function createMonitorWorld(options: MonitorWorldOptions = {}) {
  const time = createTestBus({
    wiring: {
      'peer.banned': ['facts'],
      'peer.lifted': ['facts'],
      'peer.quarantined': ['facts'],
      'peer.released': ['facts'],
      'node.suspect': ['self'],
      'node.trusted': ['self'],
    },
  })
  const { bus, clock } = time
  if (options.atMs !== undefined) clock.set(options.atMs)
  const loop = loopClock(clock)
  const hub = createLoopHub(loop)
  const network = hub.join('me')
  const store = options.store === undefined ? new SlowStore() : (options.store ?? undefined)
  const forgiven: PeerId[] = []
  /** To whom the monitor said goodbye, in this order. */
  const goodbyes: PeerId[] = []
  const peers = await openPeers({
    network: {
      ...network,
      gossipScore: id => options.gossip?.get(id) ?? network.gossipScore(id),
      forgive: id => void forgiven.push(id),
      async disconnect(id, bye) {
        goodbyes.push(id)
        const { closeMs } = options
        if (closeMs !== undefined) await new Promise<void>(resolve => loop.after(closeMs, resolve))
        return network.disconnect(id, bye)
      },
    },
    ...(store && { store }),
    wall: () => clock.wall(),
    // As many bans as anybody deserves, unless the test is about how many.
    policy: { ...defaultPolicy, budget: 1, minPeers: 0, ...options.policy },
    statics: (options.statics ?? []).map(id => `/loop/${id}/p2p/${id}`),
    bootnodes: [],
  })
  const facts = new Probe<MonitorFact>(bus, 'facts')
  const self = new Probe<MonitorFact>(bus, 'self')
  const node = new Probe<NodeRaise | NodeClear>(bus, 'node')
  const ref = bus.spawn<MonitorMessage>('monitor', peers.actor(node.ref) as never)
  const start = clock.wall()

  network.listen({
    opened: peer => ref.tell({ type: 'peer.opened', peer }),
    closed: (peer, heldMs) => ref.tell({ type: 'peer.closed', peer, heldMs }),
    deliver: async () => 'ignore',
    wireFault() {},
  })
  await network.start()

  /** Somebody who dials `me`; `byes` are the goodbyes heard. */
  async function stranger(id: PeerId, ip?: string) {
    const port = hub.join(id, ip)
    const byes: Goodbye[] = []
    port.listen({
      opened() {},
      closed: (_, __, bye) => void (bye && byes.push(bye)),
      deliver: async () => 'ignore',
      wireFault() {},
    })
    await port.start()
    const dial = async (): Promise<string> =>
      port.dial('/loop/me/p2p/me', 1_000).catch((error: CodedError) => error.code)
    const outcome = await dial()
    time.run()
    return { id, port, byes, dial, outcome }
  }

  /** Somebody whom `me` dials. */
  async function host(id: PeerId) {
    const port = hub.join(id)
    await port.start()
    await network.dial(`/loop/${id}/p2p/${id}`, 1_000)
    time.run()
    return { id, port }
  }

  let offences = 0
  /** One invalid transaction. */
  function offend(peer: PeerId, reason = 'gossip/invalid-tx'): void {
    const evidence = `m${offences++}`
    ref.tell({ type: 'monitor.report', peer, reason, detail: 'pool/invalid-sender', evidence })
    time.run()
  }

  function tell(message: MonitorMessage): void {
    ref.tell(message)
  }

  /** Asks; the answer comes later, or never. */
  function asked<R>(make: (reply: Reply<R>) => MonitorMessage) {
    const box: { answer?: R } = {}
    tell(make({ tell: answer => void Object.assign(box, { answer }) }))
    return box
  }

  async function ask<R>(make: (reply: Reply<R>) => MonitorMessage): Promise<R> {
    const box = asked<R>(make)
    await time.settle()
    if (box.answer === undefined) throw new Error('no answer')
    return box.answer
  }

  const subjectOf = (text: string): Subject => {
    const subject = parseSubject(text)
    return subject.ok ? subject.value : { kind: 'peer', value: text }
  }

  return {
    ...time,
    ...{ network, ref, store, facts, self, node, peers, forgiven, goodbyes, start },
    ...{ stranger, host, offend, tell, asked, ask },
    why: (peer: PeerId, sinceMs = 0) =>
      ask<PeerWhy>(reply => ({ type: 'monitor.why', peer, sinceMs, reply })),
    list: () => ask<PeerList>(reply => ({ type: 'monitor.list', reply })),
    ban: (text: string, untilMs: number | null) =>
      asked<Answer<Ban>>(reply => ({
        type: 'monitor.ban',
        ...{ subject: subjectOf(text), untilMs, note: 'noise', reply },
      })),
    unban: (text: string, forget = false) =>
      ask<Answer<void> | { ok: true; value: undefined }>(reply => ({
        type: 'monitor.unban',
        ...{ subject: subjectOf(text), forget, reply },
      })),
    protect: (peer: PeerId, on = true) =>
      ask<Answer<void>>(reply => ({ type: 'monitor.protect', peer, on, reply })),
  }
}
