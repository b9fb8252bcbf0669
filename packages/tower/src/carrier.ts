import { limits } from '@rockpool/protocol'
import { plainHex } from './signing.ts'

export interface Job {
  readonly penaltyTxid: Uint8Array
  /** One of the rows it answers: where its bytes are. */
  readonly uuid: Uint8Array
  /** The dispute goes out before it. */
  readonly withDispute: boolean
  /** Where the dispute was; the oldest goes first. */
  readonly height: number
}

/** Which penalty goes out next. One transaction is sent once a block, however many rows it answers. */
export class Carrier {
  private readonly waiting = new Map<string, Job>()
  private readonly flying = new Set<string>()
  private readonly sent = new Set<string>()

  get size(): number {
    return this.waiting.size + this.flying.size
  }

  /** A new block: what was sent may be sent again. */
  newBlock(): void {
    this.sent.clear()
  }

  push(job: Job): void {
    const name = plainHex(job.penaltyTxid)
    if (this.sent.has(name) || this.flying.has(name)) return
    const known = this.waiting.get(name)
    if (known === undefined || (job.withDispute && !known.withDispute)) this.waiting.set(name, job)
  }

  /** The next to be sent while there is room. */
  take(): Job | undefined {
    if (this.flying.size >= limits.towerSendsMax) return undefined
    let best: Job | undefined
    for (const job of this.waiting.values())
      if (best === undefined || job.height < best.height) best = job
    if (best === undefined) return undefined
    const name = plainHex(best.penaltyTxid)
    this.waiting.delete(name)
    this.flying.add(name)
    this.sent.add(name)
    return best
  }

  done({ penaltyTxid }: Job): void {
    this.flying.delete(plainHex(penaltyTxid))
  }
}
