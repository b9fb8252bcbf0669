/** Looks for own transactions that the pool has lost, and has them added again. */
export type TrackerRecheck = { type: 'tracker.recheck' }
/** Looks for own transactions that stay pending, and has them published again. */
export type TrackerRepublish = { type: 'tracker.republish' }
/** Has the journal compared with what is followed. */
export type TrackerSweep = { type: 'tracker.sweep' }

/** All of it comes from the tracker's own timers. */
export type TrackerMessage = TrackerRecheck | TrackerRepublish | TrackerSweep
