/** How many peers a node wants and takes, and from where. */
export interface ConnectionPolicy {
  /** Fewer: others are looked for and dialled. */
  readonly lo: number
  /** More: some are sent away. */
  readonly hi: number
  /** As many: nobody else is let in. */
  readonly max: number
  /** How long there may be too many. Milliseconds. */
  readonly graceMs: number
  /** Connections this node has dialled itself: who dials in cannot be all it hears. */
  readonly outbound: number
  /** Peers of one IP group; 0: any number. */
  readonly perGroup: number
  /** Neighbours of a private network are not counted as one address. */
  readonly privateExempt: boolean
  /** Others begin here: takes callers up to `max`, tells them whom else to ask, and then sends them away. */
  readonly isBootnode: boolean
}

export interface ConnectionWish {
  readonly profile: 'devnet' | 'small' | 'public'
  readonly lo: number
  readonly hi: number
  readonly max: number
  readonly graceMs: number
  readonly isBootnode: boolean
}

const byProfile = {
  devnet: { outbound: 0, perGroup: 0, privateExempt: true },
  small: { outbound: 8, perGroup: 8, privateExempt: true },
  public: { outbound: 8, perGroup: 4, privateExempt: false },
} as const

/** Wanted peers for which the outbound numbers above hold; for fewer it is as much less. */
const fullLo = 20

/** The policy of a network's size. */
export function connectionPolicy({ profile, ...wish }: ConnectionWish): ConnectionPolicy {
  const { outbound, ...caps } = byProfile[profile]
  return { ...wish, ...caps, outbound: Math.ceil((outbound * Math.min(wish.lo, fullLo)) / fullLo) }
}

/** Inbound peers taken at most: the rest is for those this node chooses itself. */
export function inboundMax({ hi, max, outbound, isBootnode }: ConnectionPolicy): number {
  return isBootnode ? max : hi - outbound
}
