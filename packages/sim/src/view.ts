import type { Rng, VirtualClock } from '@rockpool/actor'
import type { Genesis } from '@rockpool/chain'
import type { NetworkNames } from '@rockpool/node'
import {
  type Added,
  type Answer,
  failed,
  type PoolMessage,
  type Reply,
  type WatcherMessage,
} from '@rockpool/protocol'
import type {
  Appointed,
  Faults,
  SimOptions,
  Violation,
  Wire,
  WorldParts,
  WorldView,
} from './api.ts'
import type { History } from './history.ts'
import type { Loop } from './loop.ts'
import type { Network } from './network.ts'
import { healMsOf } from './options.ts'
import type { WorldNode } from './sim-node.ts'
import type { createWires } from './wires.ts'

const SUBMIT_MS = 10_000

export interface ViewParts {
  readonly crypto: WorldView['crypto']
  readonly options: SimOptions
  readonly parts: WorldParts
  readonly genesis: Genesis
  readonly names: NetworkNames
  readonly rng: Rng
  readonly clock: VirtualClock
  readonly endMs: number
  readonly history: History
  readonly loop: Loop
  readonly network: Network
}

/** The world as books, workloads, chaos and evil peers see it. */
export class View implements WorldView {
  readonly options: SimOptions
  readonly genesis: Genesis
  readonly names: NetworkNames
  readonly crypto: WorldView['crypto']
  readonly endMs: number
  readonly healMs: number
  readonly sign: WorldView['sign']
  readonly addressOf: WorldView['addressOf']
  readonly tower: WorldView['tower']
  /** Put in place when they are made: they need the view themselves. */
  nodes: readonly WorldNode[] = []
  faults: Faults = {} as Faults
  wires: ReturnType<typeof createWires> | undefined
  healedMs = 0
  private readonly inner: ViewParts

  constructor(inner: ViewParts) {
    this.inner = inner
    this.options = inner.options
    this.genesis = inner.genesis
    this.names = inner.names
    this.crypto = inner.crypto
    this.endMs = inner.endMs
    this.healMs = inner.parts.healMs ?? healMsOf(inner.options)
    this.sign = inner.parts.sign
    this.addressOf = inner.parts.addressOf
    this.tower = inner.options.appointments === undefined ? undefined : inner.parts.tower
  }

  get nowMs(): number {
    return this.inner.clock.now()
  }

  get wallMs(): number {
    return this.inner.clock.wall()
  }

  fork(name: string): Rng {
    return this.inner.rng.fork(name)
  }

  at(ms: number, what: string, act: () => void): void {
    const { clock, history } = this.inner
    clock.at(Math.max(ms, clock.now()), () => {
      history.say('world', what)
      act()
    })
  }

  violate(violation: Omit<Violation, 'atMs'>): void {
    const { stepping } = this.inner.loop
    const { node: name, message: told, ...rest } = violation
    const node = name === undefined ? stepping : this.nodes.find(each => each.name === name)
    const message = told ?? (node === stepping ? node?.bus?.id : undefined)
    this.inner.history.violate({ ...rest, ...(message !== undefined && { message }) }, node)
  }

  sometimes(label: string): void {
    this.inner.history.cover(label)
  }

  count(what: string, by = 1): void {
    this.inner.history.count(what, by)
  }

  async submit(index: number, raw: Uint8Array): Promise<Answer<Added>> {
    const { loop, history, network } = this.inner
    const node = this.nodes[index]
    loop.settle()
    history.count('submitted')
    network.edge?.({ type: 'submitted', node: index, raw })
    const running = node?.up === true ? node.running : undefined
    const outcome = await running?.bus.ask<PoolMessage, Answer<Added>>(
      running.refs.pool,
      reply => ({ type: 'pool.submit', raw, reply }),
      SUBMIT_MS,
    )
    const answer: Answer<Added> =
      outcome?.ok === true ? outcome.value : failed('load/not-ready', 'no answer')
    network.edge?.({ type: 'answered', node: index, raw, answer })
    return answer
  }

  async askTower<R>(
    index: number,
    make: (reply: Reply<R>) => WatcherMessage,
  ): Promise<R | undefined> {
    const node = this.nodes[index]
    this.inner.loop.settle()
    const running = node?.up === true ? node.running : undefined
    const watcher = running?.refs.tower?.watcher
    if (running === undefined || watcher === undefined) return undefined
    const outcome = await running.bus.ask<WatcherMessage, R>(watcher, make, SUBMIT_MS)
    return outcome.ok ? outcome.value : undefined
  }

  appointed(what: 'receipted' | 'missing', appointed: Appointed): void {
    this.inner.network.edge?.({ type: 'appointment', what, ...appointed })
  }

  wire(index: number): ReturnType<WorldView['wire']> {
    return this.voices().wire(index)
  }

  join(name: string, ip?: string): Wire {
    return this.voices().join(name, ip)
  }

  reaches(from: number, to: number): boolean {
    const [left, right] = [this.nodes[from], this.nodes[to]]
    if (left === undefined || right === undefined) return false
    return left.isOn && right.isOn && !this.inner.network.link(left.name, right.name).cut
  }

  private voices(): ReturnType<typeof createWires> {
    if (this.wires === undefined) throw new TypeError('the world has not begun')
    return this.wires
  }
}
