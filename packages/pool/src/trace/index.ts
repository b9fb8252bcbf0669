/** Recorded traces of a transaction pool: reading, replaying against the core, shrinking. The caller reads the files. */
export { quirkOfRow } from '../quirks.ts'
export {
  addCoverage,
  type Coverage,
  coverageGaps,
  coverageGate,
  coverageLeast,
} from './coverage.ts'
export { type OverlayLine, parseOverlay, parseTrace, type Trace, traceText } from './format.ts'
export { overlayOf } from './overlay.ts'
export { type PreparedTxs, prepareTrace, type TraceTools } from './prepare.ts'
export {
  type Difference,
  type Replayed,
  replayPrepared,
  replayTrace,
  TraceFault,
} from './replay.ts'
export { SenderBook } from './senders.ts'
export { type Shrunk, shrinkTrace } from './shrink.ts'
