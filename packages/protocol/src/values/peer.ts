/** A libp2p peer id in its text form, for example `12D3Koo…`. */
export type PeerId = string
/** A libp2p multiaddr as text. */
export type Addr = string

export type Direction = 'in' | 'out'

/** What is known of one connected peer: one entry per peer id, however many connections it has. */
export interface PeerView {
  readonly id: PeerId
  readonly direction: Direction
  readonly ip: string
  /** When it was identified, on the node's monotonic clock. */
  readonly sinceMs: number
  readonly rttMs?: number
  readonly agent?: string
  readonly protocols: readonly string[]
}

/** Why a connection is closed, told to the other side before closing. Codes as in the goodbye protocol. */
export interface Goodbye {
  readonly code: number
  readonly retryAfterSeconds: number
  readonly text: string
}

/** What a router does with a message: relay it, drop it in silence, or drop it and hold it against the sender. */
export type Verdict = 'accept' | 'ignore' | 'reject'
