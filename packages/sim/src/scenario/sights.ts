import type { Hash } from '@rockpool/protocol'
import type { ViolationKind } from '../api.ts'

/** What a runner tells at the moment it learns of it. Nodes and peers go by their names in the scenario. */
export type Sight =
  | {
      readonly type: 'banned'
      readonly node: string
      readonly who: string
      readonly by: string
      readonly reason: string
    }
  | { readonly type: 'lifted'; readonly node: string; readonly who: string }
  /** The n-th invalid message of an evil peer went out. */
  | { readonly type: 'offence'; readonly who: string; readonly count: number }
  | { readonly type: 'step'; readonly index: number }
  | { readonly type: 'log'; readonly node: string; readonly code: string }
  /** A node took a transaction of the load. */
  | { readonly type: 'took'; readonly hash: Hash; readonly half: 'pending' | 'queued' }
  | {
      readonly type: 'dropped'
      readonly node: string
      readonly hash: Hash
      readonly reason: string
    }
  | { readonly type: 'dead'; readonly node: string; readonly text: string }
  | { readonly type: 'broken'; readonly id: string; readonly text: string }

/** One node as it is seen from outside. */
export interface NodeLook {
  readonly name: string
  readonly up: boolean
  readonly ready: boolean
  readonly head: string | undefined
  readonly height: number
  readonly peers: readonly string[]
  /** Hashes in its pool; absent when nobody wants them. */
  readonly pool?: ReadonlySet<Hash>
  /** Of the asked transactions, those on its branch. */
  readonly mined?: ReadonlySet<Hash>
  /** Every reason in what the node says of a transaction when it is asked why. */
  readonly whys?: ReadonlyMap<Hash, readonly string[]>
  /** Of the asked peers those that, as it says, it has banned. */
  readonly bans?: ReadonlySet<string>
  /** What its pool says when asked why it has one of the asked transactions no more. */
  readonly told?: ReadonlyMap<Hash, string>
  /** Sum over the labels of each asked metric. */
  readonly metrics?: Readonly<Record<string, number>>
}

/** What the next look should show. */
export interface Wants {
  readonly pools: boolean
  /** Transactions whose place is asked for. */
  readonly txs: readonly Hash[]
  readonly metrics: readonly string[]
  /** By the name of the node: transactions of which it is asked why. */
  readonly whys: ReadonlyMap<string, readonly Hash[]>
  /** Names of peers of which nodes are asked whether they have banned them. */
  readonly standing: readonly string[]
}

export interface Verdict {
  readonly claim: string
  readonly held: boolean
  /** What its failure is: something that had to come and did not, or something that must not be. */
  readonly kind: ViolationKind
  /** Scenario ms at which it was decided. */
  readonly atMs: number
  /** What was seen instead. */
  readonly text: string
}
