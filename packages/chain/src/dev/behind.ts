import type { ChainSyncing } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'

export interface SyncRange {
  readonly start: number
  readonly highest: number
}

/** Whether the chain is far behind what it has heard of: more than `limits.syncingGap` blocks. Tells only of changes. */
export class Behind {
  /** While behind: where that began, and how far it goes. */
  range: SyncRange | null = null

  /** Null while nothing has changed. */
  look(head: number, highest: number): ChainSyncing | null {
    const isBehind = highest - head > limits.syncingGap
    const was = this.range
    if (!isBehind && was === null) return null
    this.range = isBehind ? { start: was?.start ?? head, highest } : null
    if (isBehind && was !== null) return null
    const { start, highest: goal } = this.range ?? was ?? { start: head, highest }
    return { type: 'chain.syncing', on: isBehind, start, current: head, highest: goal }
  }
}
