/** A gossip topic: `/rockpool/<chainId>/<forkDigest>/<kind>/1`. */
export type Topic = string & { readonly __topic?: never }
export type TopicKind = 'tx' | 'appointment' | 'service' | 'block'
