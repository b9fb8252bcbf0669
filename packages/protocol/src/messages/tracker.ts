/** Looks for own transactions that the pool has lost, and has them added again. */
export type TrackerRecheck = { type: 'tracker.recheck' }
/** Looks for own transactions that stay pending, and has them published again. */
export type TrackerRepublish = { type: 'tracker.republish' }
/** Has the journal compared with what is followed. */
export type TrackerSweep = { type: 'tracker.sweep' }

/** From the pool: something followed is to be looked after, or nothing is any more. */
export type TrackerLook = { type: 'tracker.look'; wanted: boolean }

/** The others come from the tracker's own timers. */
export type TrackerMessage = TrackerRecheck | TrackerRepublish | TrackerSweep | TrackerLook
