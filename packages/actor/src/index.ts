export type {
  ActorRef,
  AskError,
  Behavior,
  BusLimits,
  BusOptions,
  Context,
  Directive,
  Log,
  LogFields,
  LogLevel,
  LogPlace,
  LogSink,
  Mailbox,
  Outcome,
  Reply,
  SpawnOptions,
  Supervision,
  Typed,
} from './api.ts'
export { DEFAULT_LIMITS } from './api.ts'
export { AssertionError, assert, unreachable } from './assert.ts'
export { Bus } from './bus.ts'
export { type Clock, RealClock, TIMER_SWEEP, VirtualClock } from './clock.ts'
export {
  type DeadCount,
  type DeadLetter,
  type DeadLetters,
  type DeadReason,
  LETTERS_KEPT,
} from './dead-letters.ts'
export type { DrainPhase, DrainResult } from './drain.ts'
export { type Edge, edgeKinds, type PipeOutcomes, type PortEdges } from './edges.ts'
export type { Timer } from './heap.ts'
export { CAPACITY, URGENT_CAPACITY } from './mailbox.ts'
export { type ActorReading, type BusReading, kindOf, SLOW_HANDLER_MS } from './meter.ts'
export { PIPE_MS } from './pipe.ts'
export { Probe } from './probe.ts'
export { Recorder, type RecorderOptions } from './recorder.ts'
export { Diverged, Replay, type ReplayOptions, type ReplayResult } from './replay.ts'
export { mix, mixText, Rng } from './rng.ts'
export { backoffMs } from './supervision.ts'
export { createTestBus, type TestBus } from './test-bus.ts'
export { WALL_LOOK_MS } from './timers.ts'
export { chainText, type TraceRow, toChromeTrace, toMermaid } from './trace.ts'
export { foreign, type Tripwire, type TripwireOptions, tripwire } from './tripwire.ts'
export type { Wiring } from './wiring.ts'
export {
  createWorkerRef,
  type Port,
  serveWorker,
  WORKER_BATCH,
  WORKER_WINDOW,
  type WorkerRef,
} from './worker.ts'
