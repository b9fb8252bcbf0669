import { overflowLost } from './bus.ts'
import { lighterWins, noSpacing, removedUntold, signsAgain, undoTip } from './chain.ts'
import {
  banEarly,
  banStatic,
  budgetEndless,
  guardBlind,
  livenessBans,
  monitorIndex,
} from './peers.ts'
import type { Planted } from './planted.ts'
import { freeReplacement, gapKept, reorgDrop } from './pool.ts'
import { receiptEarly, towerHeadOnly } from './tower.ts'

export type { Planted } from './planted.ts'

/** Every planted bug by its name. */
export const plantedBugs: ReadonlyMap<string, Planted> = new Map(
  [
    ...[reorgDrop, gapKept, freeReplacement, overflowLost],
    ...[banEarly, banStatic, monitorIndex, guardBlind, budgetEndless, livenessBans],
    ...[receiptEarly, towerHeadOnly],
    ...[undoTip, lighterWins, removedUntold, signsAgain, noSpacing],
  ].map(bug => [bug.name, bug]),
)
