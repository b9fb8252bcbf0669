import { type Hash, limits } from '@rockpool/protocol'
import type { Backend } from '../parts.ts'
import { busy, RpcError, rpcCode } from '../rpc-error.ts'
import { askMined } from './blocks.ts'
import { receiptJson } from './encode.ts'

const standardMs = 20_000
const maxMs = 60_000

/** Waiting for a transaction to be mined, for a bounded number of callers at a time. */
export function createMinedWait(backend: Backend) {
  const { observe, syncWaitMs: times = { standard: standardMs, max: maxMs } } = backend.parts
  let waiting = 0

  async function wait(hash: Hash, wantedMs = 0) {
    const ms = wantedMs === 0 ? times.standard : Math.min(wantedMs, times.max)
    const seen = sightOf(hash, ms)
    // It may have been mined between the pool's answer and now.
    const early = await askMined(backend, hash)
    if (early === null && !(await seen.mined))
      throw new RpcError(
        rpcCode.notMined,
        `The transaction was added to the transaction pool but wasn't processed in ${goDuration(ms)}`,
        hash,
      )
    seen.stop()
    const mined = early ?? (await askMined(backend, hash))
    // Gone again with its block: the pool has it back, and the caller may ask for the receipt.
    if (mined === null)
      throw new RpcError(
        rpcCode.notMined,
        'The block of the transaction was reorganised away',
        hash,
      )
    return receiptJson(mined.tx, mined.receipt, mined.block.header, mined.index)
  }

  function sightOf(hash: Hash, ms: number) {
    let stop = () => {}
    const mined = new Promise<boolean>(resolve => {
      const timer = setTimeout(() => end(false), ms)
      const forget = observe(fact => {
        if (fact.type !== 'chain.head') return
        if (fact.added.some(({ txs }) => txs.some(tx => tx.hash === hash))) end(true)
      })
      const end = (isMined: boolean) => {
        clearTimeout(timer)
        forget()
        resolve(isMined)
      }
      stop = () => end(false)
    })
    return { mined, stop }
  }

  return {
    /** A place among those who wait; refused before anything is submitted. */
    reserve() {
      if (waiting >= limits.rpcMinedWaitsMax)
        throw busy('too many callers wait for their transactions to be mined')
      waiting++
      return { wait, release: () => void waiting-- }
    },
  }
}

/** As Go writes a duration: `20s`, `1m0s`, `1.5s`, `500ms`. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  const seconds = (ms % 60_000) / 1_000
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
