import { limits, type PeerId } from '@rockpool/protocol'

/** Instants are epoch ms; the number tells charges of one instant apart. */
export interface ChargeKey {
  readonly atMs: number
  readonly number: number
}

/** One line of what was held against anybody, with the score it was judged by. */
export interface LoggedCharge extends ChargeKey {
  readonly peer: PeerId
  /** As in a history. */
  readonly reason: string
  readonly detail: string
  readonly evidence: string
  readonly delta: number
  /** Debit and credit after it. */
  readonly own: number
  /** The router's part of the score at that moment. */
  readonly gossip: number
  readonly suspended?: true
}

export type ChargeLog = ReturnType<typeof createChargeLog>

/** What changed since it was written: lines to write, and those to delete. */
export interface LogChange {
  readonly made: readonly LoggedCharge[]
  readonly gone: readonly ChargeKey[]
}

/** The last charges of all peers, oldest first: what another policy would have made of them can be looked up. Bounded in number and age. */
export function createChargeLog(loaded: readonly LoggedCharge[] = []) {
  const lines = [...loaded]
  let made: LoggedCharge[] = []
  let gone: ChargeKey[] = []
  let number = lines.at(-1)?.number ?? 0

  function add(charge: Omit<LoggedCharge, 'number'>): void {
    number = (number + 1) >>> 0
    const line = { ...charge, number }
    lines.push(line)
    made.push(line)
    if (lines.length >= limits.chargeLogMax + limits.reputationEvictedMax) {
      drop(lines.length - limits.chargeLogMax)
    }
  }

  function drop(count: number): void {
    if (count > 0) gone.push(...lines.splice(0, count))
  }

  /** Nothing is known of this peer any more. */
  function forget(peer: PeerId): void {
    const kept = lines.filter(line => line.peer !== peer)
    if (kept.length === lines.length) return
    gone.push(...lines.filter(line => line.peer === peer))
    made = made.filter(line => line.peer !== peer)
    lines.length = 0
    for (const line of kept) lines.push(line)
  }

  /** Drops what is older than a history. */
  function prune(nowMs: number): void {
    const fresh = lines.findIndex(({ atMs }) => nowMs - atMs < limits.reputationHistoryMs)
    drop(fresh === -1 ? lines.length : fresh)
  }

  return {
    add,
    prune,
    forget,
    lines: lines as readonly LoggedCharge[],
    get dirty() {
      return made.length + gone.length
    },
    takeChange(): LogChange {
      const change = { made, gone }
      made = []
      gone = []
      return change
    },
    /** The write of this failed. */
    putBack(change: LogChange): void {
      made = [...change.made, ...made].slice(-limits.chargeLogMax)
      gone = [...change.gone, ...gone].slice(-limits.chargeLogMax)
    },
  }
}
