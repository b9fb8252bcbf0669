import { type Forks, type Head, rulesAt, type StaticContext } from '@rockpool/protocol'
import type { Situation } from './verdict.ts'

/** Blocks before and after a fork within which honest nodes may apply different rules. */
const forkMarginBlocks = 2
/** Block times without a new head after which a head counts as stale. */
const staleBlocks = 3

/** Where the head stands, as far as verdicts ask. `blockTimeMs` 0: blocks come when there is something to put in, no head is stale. */
export function situationOf(options: {
  readonly head: Head
  readonly forks: Forks
  readonly blockTimeMs: number
  readonly wallMs: number
}): Situation {
  const { head, forks, blockTimeMs, wallMs } = options
  return {
    fork: isNearFork(head, forks, blockTimeMs),
    stale: blockTimeMs > 0 && wallMs - head.timeMs > staleBlocks * blockTimeMs,
  }
}

/** What the static checks of a transaction ask of the head. */
export function contextAt(
  { number, timeMs, gasLimit }: Head,
  chain: { readonly forks: Forks; readonly chainId: bigint; readonly minTip: bigint },
): StaticContext {
  const { forks, chainId, minTip } = chain
  const timeSeconds = Math.floor(timeMs / 1_000)
  const rules = rulesAt(forks, { number, timeSeconds, merged: true })
  return { rules, chainId, gasLimit, minTip }
}

/** Forks of genesis are none: nobody ever lived before them. */
function isNearFork({ number, timeMs }: Head, forks: Forks, blockTimeMs: number): boolean {
  const { homesteadBlock, eip155Block, istanbulBlock, berlinBlock, londonBlock } = forks
  const { shanghaiTime, cancunTime, pragueTime, osakaTime, amsterdamTime } = forks
  const blocks = [homesteadBlock, eip155Block, istanbulBlock, berlinBlock, londonBlock]
  const times = [shanghaiTime, cancunTime, pragueTime, osakaTime, amsterdamTime]
  const margin = forkMarginBlocks * blockTimeMs
  return (
    blocks.some(block => block && Math.abs(number - block) <= forkMarginBlocks) ||
    times.some(seconds => seconds && Math.abs(timeMs - seconds * 1_000) <= margin)
  )
}
