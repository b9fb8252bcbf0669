/** What a user hands over: sealed with what opens it, to be answered when the transaction behind the locator is seen. */
export interface Appointment {
  /** First 16 bytes of the id of the transaction it waits for. */
  readonly locator: Uint8Array
  readonly blob: Uint8Array
  /** Blocks the cheater has to wait; the tower keeps it and draws no conclusion. */
  readonly delay: number
}

/** A subscription as a user is told of it, with the tower's signature over these very numbers. Heights. */
export interface Subscription {
  readonly user: Uint8Array
  readonly slots: number
  readonly start: number
  readonly expiry: number
  /** zbase32. */
  readonly signature: string
}

/** The receipt of an appointment: binds content, user and height. */
export interface AppointmentReceipt {
  readonly locator: Uint8Array
  readonly startBlock: number
  /** zbase32. */
  readonly signature: string
  readonly slots: number
  readonly expiry: number
}

/** `watched`: waits. `tracked`: what it waits for was seen. `closed`: can act no more, kept until the subscription ends. */
export type AppointmentPhase = 'watched' | 'tracked' | 'closed'

/** Why a closed appointment is closed. */
export type ClosedReason =
  | 'cannot-decrypt'
  | 'not-a-transaction'
  | 'does-not-spend'
  | 'cannot-apply'
  | 'invalid'
  | 'lost'

/** What an appointment is at the moment, as its owner may read it. */
export type AppointmentState =
  | { readonly state: 'watched'; readonly appointment: Appointment }
  | {
      readonly state: 'responded'
      /** As people read ids of this chain, without `0x`. */
      readonly disputeTxid: string
      readonly penaltyTxid: string
      readonly penalty: Uint8Array
    }

export type TrackerState =
  | 'seen'
  | 'broadcasting'
  | 'mempool'
  | 'confirmed'
  | 'deferred'
  | 'losing'
  | 'dormant'
