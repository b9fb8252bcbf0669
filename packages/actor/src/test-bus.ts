import type { BusOptions } from './api.ts'
import { assert } from './assert.ts'
import { Bus } from './bus.ts'
import { RealClock, VirtualClock } from './clock.ts'
import type { DeadLetter } from './dead-letters.ts'

export interface TestBus {
  readonly bus: Bus
  readonly clock: VirtualClock
  /** Every dead letter so far. */
  readonly letters: DeadLetter[]
  /** Errors nobody handled. */
  readonly fatals: unknown[]
  /** Handles messages until nobody has any. */
  run(): void
  /** Lets `ms` pass, timer by timer, and handles everything that comes of it. Ends exactly `ms` later. */
  advance(ms: number): void
  /** Like `run`, and lets promises settle until nothing moves any more. */
  settle(): Promise<void>
  /** Like `advance`, and lets promises settle at every instant. */
  pass(ms: number): Promise<void>
}

/** A bus in virtual time, stepped by hand: for tests. */
export function createTestBus(options: Partial<Omit<BusOptions, 'clock'>> = {}): TestBus {
  const clock = new VirtualClock()
  const eventLoop = new RealClock()
  const fatals: unknown[] = []
  const bus = new Bus({ onFatal: error => fatals.push(error), ...options, clock })
  const letters: DeadLetter[] = []
  bus.deadLetters.subscribe(letter => letters.push(letter))

  function run(): void {
    bus.runUntilIdle()
    assert(bus.idle, 'a million turns at one instant: somebody never stops talking')
  }

  function advance(ms: number): void {
    const end = clock.now() + ms
    do run()
    while (clock.fireNext(end))
    clock.set(end)
  }

  async function settle(): Promise<void> {
    do {
      run()
      await new Promise<void>(resolve => eventLoop.soon(resolve))
    } while (!bus.idle)
  }

  async function pass(ms: number): Promise<void> {
    const end = clock.now() + ms
    do await settle()
    while (clock.fireNext(end))
    clock.set(end)
  }

  return { bus, clock, letters, fatals, run, advance, settle, pass }
}
