/** What an operator may set of the watchtower. Heights and blocks are those of its chain. */
export interface TowerConfig {
  /** Who may have a subscription: everybody, those listed, or only who has one. */
  readonly registration: 'open' | 'allowlist' | 'closed'
  /** Public keys, 66 hex digits each. */
  readonly allowed: readonly string[]
  readonly maxUsers: number
  /** Rows of own users, whatever their phase. */
  readonly maxAppointments: number
  readonly maxAppointmentsPerUser: number
  /** Slots and blocks of one registration. */
  readonly subscriptionSlots: number
  readonly subscriptionDuration: number
  /** How far ahead a subscription may end. Blocks. */
  readonly maxSubscriptionBlocks: number
  /** Blocks between the end of a subscription and the deletion of what it held. */
  readonly expiryDelta: number
  /** Appointments with a smaller `to_self_delay` are refused; 0 asks nothing. */
  readonly minToSelfDelay: number
  /** New users of one address within 24 hours; 50 times that from this machine, where Tor users come from. */
  readonly registerPerAddress: number
  /** Additions of one user: a second, and at once. */
  readonly addsPerUser: Rate
  /** Other questions of one user. */
  readonly readsPerUser: Rate
  /** Blocks whose transactions are kept to be compared with new appointments. */
  readonly locatorCacheBlocks: number
  /** Blocks whose transaction ids are kept. */
  readonly txIndexBlocks: number
  /** Send a dispute again that a reorg has removed, so that the penalty stays valid. */
  readonly rebroadcastDispute: boolean
  /** Start from the tip of the chain where the blocks in between cannot be had; they are not looked at. */
  readonly forceUpdate: boolean
  /** Where the tower watches bitcoin instead of the chain of its node. */
  readonly bitcoin?: BitcoinConfig
}

export interface BitcoinConfig {
  /** How often the node is asked for its tip. */
  readonly pollingMs: number
  /** How long no block may come until somebody is told. */
  readonly staleTipMs: number
}

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export const defaultTowerConfig: TowerConfig = {
  registration: 'open',
  allowed: [],
  maxUsers: 10_000,
  maxAppointments: 1_000_000,
  maxAppointmentsPerUser: 100_000,
  subscriptionSlots: 10_000,
  subscriptionDuration: 4_320,
  maxSubscriptionBlocks: 105_120,
  expiryDelta: 6,
  minToSelfDelay: 0,
  registerPerAddress: 10,
  addsPerUser: { perSecond: 20, burst: 1_000 },
  readsPerUser: { perSecond: 5, burst: 50 },
  locatorCacheBlocks: 6,
  txIndexBlocks: 100,
  rebroadcastDispute: true,
  forceUpdate: false,
}
