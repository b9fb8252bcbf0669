/**
 * A world of N nodes under one seed: network, disk, chain, faults, workloads and the books of what must hold. Not here: real time, real I/O
 * and whatever starts a run (`apps/sim`).
 */
export type * from './api.ts'
export { createBooks } from './books/books.ts'
export { Disk, type Mount } from './disk.ts'
export {
  claimOf,
  type Failure,
  failureName,
  failureText,
  logText,
  parseStored,
  type Stored,
  testText,
} from './failure.ts'
export {
  calmOptions,
  drawOptions,
  healMsOf,
  type Parsed,
  parseOptions,
  type Wishes,
} from './options.ts'
export {
  ACCOUNTS,
  type Attack,
  drawPlan,
  type Plan,
  type PlanArgs,
  type PlanEvent,
  type PlanKind,
  parsePlan,
  type TxKind,
} from './plan.ts'
export { planDriver, type WorkDeeds } from './plan-driver.ts'
export { type Planted, plantedBugs } from './planted/index.ts'
export { dialsOf, drive, type EvilVoice, type Stage } from './scenario/drive.ts'
export { callNode, commandChain, insideOf, poolPatch } from './scenario/inside.ts'
export { Judge } from './scenario/judge.ts'
export {
  evilNames,
  type Gear,
  groupsOf,
  honestNames,
  metricOf,
  PlanError,
  planFaults,
  readPlan,
  type ScenarioPlan,
  type Step,
} from './scenario/plan.ts'
export { shrinkScenario } from './scenario/shrink.ts'
export type { NodeLook, Wants } from './scenario/sights.ts'
export { type ScenarioResult, simulate } from './scenario/sim-gear.ts'
export {
  type Budget,
  type Fails,
  SHRINK_RUNS_MAX,
  shrinkOptions,
  shrinkPlan,
  smallerOptions,
} from './shrink.ts'
export { mustBeSeen } from './sometimes.ts'
export { workDeeds } from './work.ts'
export { runWorld } from './world.ts'
export { worldChain } from './world-chain.ts'
