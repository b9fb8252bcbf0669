import type { Code, Verdict } from '@rockpool/protocol'
import type { ChargeReason } from './reasons.ts'

/** Codes that can come of a delivery. */
export type JudgedCode = Exclude<
  Extract<
    Code,
    | `pool/${string}`
    | `chain/${string}`
    | `gossip/${string}`
    | `load/${string}`
    | 'actor/busy'
    | 'peer/banned'
    | 'peer/quarantined'
  >,
  ChargeReason
>

/** What a peer is charged with for a REJECT. */
type Charge = Extract<
  ChargeReason,
  'gossip/bad-frame' | 'gossip/invalid-tx' | 'gossip/invalid-block'
>

export interface Row {
  readonly verdict: Verdict
  readonly charge?: Charge
  /** Nobody's fault once, a flood in numbers: counted while the head is fresh. */
  readonly soft?: true
  /** Depends on the rules in force: near a fork two honest nodes may differ, so it is IGNORE there. */
  readonly fork?: true
  /** Stopped before everything that is wrong for everyone was excluded: such an entry must not travel in an accepted batch. */
  readonly unchecked?: true
}

const accept: Row = { verdict: 'accept' }
const ignore: Row = { verdict: 'ignore' }
const soft: Row = { verdict: 'ignore', soft: true }
const unchecked: Row = { verdict: 'ignore', unchecked: true }
const badFrame: Row = { verdict: 'reject', charge: 'gossip/bad-frame' }
const badTx: Row = { verdict: 'reject', charge: 'gossip/invalid-tx' }
const badTxByFork: Row = { ...badTx, fork: true }
const badBlock: Row = { verdict: 'reject', charge: 'gossip/invalid-block' }

/**
 * What the router does with a message, by the code of its outcome. REJECT only what is wrong for everyone; never what depends on this
 * node's state, head, clock, quota or load: honest relays would be punished for our own condition.
 */
export const table: Readonly<Record<JudgedCode, Row>> = {
  'gossip/too-big': badFrame,
  'gossip/undecodable': badFrame,
  'gossip/bad-shape': badFrame,
  'gossip/bad-version': badFrame,
  'gossip/not-canonical': badFrame,
  'gossip/duplicate-entry': badFrame,
  'gossip/announce-mismatch': badTx,
  // The rest of what was announced with it was not seen either.
  'gossip/not-served': unchecked,
  // A newer node is not evil.
  'gossip/unknown-kind': ignore,

  // Whatever it is, it was not looked at.
  'peer/banned': unchecked,
  'peer/quarantined': unchecked,

  // Overload is forwarded to nobody and punishes nobody.
  'load/rate': unchecked,
  'load/queue-full': unchecked,
  'load/mailbox-full': unchecked,
  'load/deadline': unchecked,
  'load/draining': unchecked,
  'load/not-ready': unchecked,
  'load/internal': unchecked,
  'actor/busy': ignore,

  'pool/pending': accept,
  'pool/replaced': accept,
  // Relaying what nobody can execute yet is free amplification.
  'pool/queued': ignore,
  'pool/known': ignore,
  'pool/undecodable': badTx,
  'pool/oversized': badTx,
  'pool/type-unsupported': unchecked,
  'pool/type-not-enabled': unchecked,
  'pool/initcode-too-big': badTxByFork,
  'pool/gas-cap': badTxByFork,
  'pool/negative-value': badTx,
  'pool/gas-over-block': ignore,
  'pool/fee-cap-too-wide': badTx,
  'pool/tip-too-wide': badTx,
  'pool/tip-above-fee-cap': badTx,
  'pool/invalid-sender': badTx,
  'pool/wrong-chain': badTx,
  'pool/nonce-max': badTx,
  'pool/value-too-wide': badTx,
  'pool/intrinsic-gas': badTxByFork,
  'pool/floor-gas': badTxByFork,
  'pool/empty-authorizations': badTx,
  'pool/tip-below-minimum': ignore,
  'pool/journal-failed': ignore,
  'pool/nonce-too-low': soft,
  'pool/insufficient-funds': soft,
  'pool/delegated-gap': ignore,
  'pool/delegated-in-flight': ignore,
  'pool/authority-reserved': ignore,
  'pool/address-reserved': ignore,
  'pool/underpriced': ignore,
  'pool/full': ignore,
  'pool/future-replaces-pending': ignore,
  'pool/replacement-underpriced': ignore,
  'pool/closed': ignore,
  'pool/state-missing': ignore,

  'chain/imported': accept,
  'chain/side-branch': accept,
  'chain/known': ignore,
  'chain/block-undecodable': badBlock,
  'chain/unknown-producer': badBlock,
  'chain/bad-signature': badBlock,
  'chain/invalid-header': badBlock,
  'chain/too-early': badBlock,
  'chain/bad-body-root': badBlock,
  // A relay for whom it is a side branch has not executed it.
  'chain/invalid-body': ignore,
  'chain/unknown-parent': ignore,
  'chain/in-future': ignore,
  'chain/too-old': ignore,
  'chain/too-many-at-height': ignore,
  // Of this node's own store, producer and limits; no peer can cause them.
  'chain/state-missing': ignore,
  'chain/state-full': ignore,
  'chain/unknown-block': ignore,
  'chain/not-here': ignore,
  'chain/other-genesis': ignore,
  'chain/double-sign': ignore,
}

export interface Situation {
  /** The head is within two blocks of a fork. */
  readonly fork: boolean
  /** The head is old: what a peer knows better counts for nothing. */
  readonly stale: boolean
}

export interface Judgement {
  readonly verdict: Verdict
  /** The code that decided. */
  readonly code: JudgedCode
  readonly charge?: Charge
  readonly soft: boolean
}

export function verdictOf(code: JudgedCode, { fork, stale }: Situation): Judgement {
  const row = table[code]
  if (row.fork && fork) return { verdict: 'ignore', code, soft: false }
  const { verdict, charge } = row
  const counted = row.soft === true && !stale
  return charge ? { verdict, code, charge, soft: counted } : { verdict, code, soft: counted }
}

/**
 * One verdict for a batch. Any REJECT rejects it, with the first such code. Else an entry that was not checked to the end holds it back:
 * it might be bad, and accepting it would let a stranger's bad transaction travel under our name. Else any ACCEPT relays it.
 */
export function batchVerdict(codes: readonly JudgedCode[], situation: Situation): Judgement {
  let held: Judgement | undefined
  let accepted: Judgement | undefined
  let ignored: Judgement | undefined
  for (const code of codes) {
    const judgement = verdictOf(code, situation)
    if (judgement.verdict === 'reject') return judgement
    const row = table[code]
    if (row.unchecked || (row.fork && situation.fork)) held ??= judgement
    else if (judgement.verdict === 'accept') accepted ??= judgement
    else ignored ??= judgement
  }
  const judgement = held ?? accepted ?? ignored
  return judgement ?? verdictOf('gossip/bad-shape', situation)
}

/** True for a code that is wrong for everyone and for ever, so that the hash of what caused it may be remembered. */
export function isProvable(code: JudgedCode): boolean {
  const { verdict, fork } = table[code]
  return verdict === 'reject' && !fork
}
