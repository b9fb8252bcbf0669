/**
 * What must happen somewhere in a long swarm, or it did not test what it says. Marks that books and drivers set, and codes that nodes log.
 * Tower and proxy bring theirs with their actors.
 */
export const mustBeSeen: readonly string[] = [
  'chain/reorg',
  'chain/stalled',
  'chain/not-produced',
  'chain/store-failed',
  'evil/equivocated',
  'pool/journal-failed',
  'pool/journal-loaded',
  'pool/reinjected',
  'pool/resubmitted',
  'sync/caught-up',
  'sync/exchange',
  'sync/fetched',
]
