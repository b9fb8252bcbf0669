/** `fixed`: geth's rules with its accidents repaired. `geth`: with its accidents. */
export type Compat = 'fixed' | 'geth'

/**
 * Where the two modes part, by row of the table in docs/pool.md. True: as geth does it. Each is one decision at one place of the core, so
 * that any of them can be looked at alone.
 */
export interface Quirks {
  /** Q1, Q2: room is made before a replacement is weighed, so a refused one costs a bystander its place and the replaced one may be the victim. */
  readonly evictsBeforeReplacing: boolean
  /** Q4: what a cap removes in the same run is announced all the same. */
  readonly announcesTheGone: boolean
  /** Q5: promotion starts at the noted pool nonce even where pending reaches further. */
  readonly startsAtNotedNonce: boolean
  /** Q6: what a reorg brings back comes newest block first. */
  readonly reinjectsNewestFirst: boolean
  /** Q7: what cannot come back after a reorg is not told. */
  readonly losesSilently: boolean
  /** Q8: without the new state the old one is used again, at the new base fee. */
  readonly actsWithoutState: boolean
  /** Q16: an account that does not exist counts as delegated. */
  readonly absentIsDelegated: boolean
  /** Q17: prices are removed late, so the share between their two orders depends on history. */
  readonly pricesLazily: boolean
  /** Q18: what comes back after a reorg is not held against size, gas cap and minimum tip. */
  readonly reinjectsUnchecked: boolean
  /** Q20: pending may have a hole. */
  readonly keepsHoles: boolean
}

const fixedQuirks: Quirks = {
  evictsBeforeReplacing: false,
  announcesTheGone: false,
  startsAtNotedNonce: false,
  reinjectsNewestFirst: false,
  losesSilently: false,
  actsWithoutState: false,
  absentIsDelegated: false,
  pricesLazily: false,
  reinjectsUnchecked: false,
  keepsHoles: false,
}

export const gethQuirks: Quirks = {
  evictsBeforeReplacing: true,
  announcesTheGone: true,
  startsAtNotedNonce: true,
  reinjectsNewestFirst: true,
  losesSilently: true,
  actsWithoutState: true,
  absentIsDelegated: true,
  pricesLazily: true,
  reinjectsUnchecked: true,
  keepsHoles: true,
}

/** Row of the table and the decision that makes it. */
export const quirkOfRow: Readonly<Record<string, keyof Quirks>> = {
  Q1: 'evictsBeforeReplacing',
  Q2: 'evictsBeforeReplacing',
  Q4: 'announcesTheGone',
  Q5: 'startsAtNotedNonce',
  Q6: 'reinjectsNewestFirst',
  Q7: 'losesSilently',
  Q8: 'actsWithoutState',
  Q16: 'absentIsDelegated',
  Q17: 'pricesLazily',
  Q18: 'reinjectsUnchecked',
  Q20: 'keepsHoles',
}

export function quirksOf(compat: Compat): Quirks {
  return compat === 'geth' ? gethQuirks : fixedQuirks
}

/** Whether accounts note their next nonce beside their pending transactions, as both rows need. */
export function notesNonces({ startsAtNotedNonce, keepsHoles }: Quirks): boolean {
  return startsAtNotedNonce || keepsHoles
}
