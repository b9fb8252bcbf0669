import { maybeLabels } from './options.ts'
import { attacks } from './plan.ts'

/**
 * What must happen somewhere in a long swarm, or it did not test what it says. Marks that books and drivers set, and codes that nodes log.
 * Tower and proxy bring theirs with their actors.
 */
export const mustBeSeen: readonly string[] = [
  // Rare luck.
  ...maybeLabels,
  'chain/not-produced',
  'chain/reorg',
  'chain/reorg-1',
  'chain/reorg-few',
  'chain/reorg-many',
  'chain/stalled',
  'chain/store-failed',
  // Every attack, and what comes of one.
  ...attacks.map(attack => `evil/${attack}`),
  'evil/equivocated',
  'p2p/ban-while-partitioned',
  'p2p/banned',
  'p2p/denied',
  'p2p/denied-after-restart',
  'pool/demoted-gap',
  'pool/journal-failed',
  'pool/journal-loaded',
  'pool/reinjected',
  'pool/resubmitted',
  'tower/receipted',
  'tower/answered',
  'tower/answered-after-reorg',
  'sync/caught-up',
  'sync/exchange',
  'sync/fetched',
]
