import { concatBytes, fromHex, type Hash } from '../values/bytes.ts'

/** A gossip topic: `/rockpool/<chainId>/<forkDigest>/<kind>/1`. */
export type Topic = string & { readonly __topic?: never }
export type TopicKind = 'tx' | 'appointment' | 'service' | 'block'

/** The network a topic or protocol belongs to. */
export interface Network {
  readonly chainId: number
  /** Eight lower-case hex digits, without `0x`. */
  readonly forkDigest: string
}

type Sha256 = (bytes: Uint8Array) => Uint8Array

const form = /^\/rockpool\/([1-9]\d{0,15})\/([0-9a-f]{8})\/(tx|appointment|service|block)\/1$/

export function topicName(chainId: number, forkDigest: string, kind: TopicKind): Topic {
  return `/rockpool/${chainId}/${forkDigest}/${kind}/1`
}

/** What a topic name says; undefined for one that is not ours. */
export function parseTopic(topic: string): (Network & { readonly kind: TopicKind }) | undefined {
  const [, chainId, digest, kind] = form.exec(topic) ?? []
  if (chainId === undefined || digest === undefined || kind === undefined) return undefined
  if (!Number.isSafeInteger(Number(chainId))) return undefined
  return { chainId: Number(chainId), forkDigest: digest, kind: kind as TopicKind }
}

/** A request protocol of one network, for example `blocks` or `pool-sync`. */
export function protocolName(chainId: number, forkDigest: string, name: string): string {
  return `/rockpool/${chainId}/${forkDigest}/${name}/1`
}

/** Told before a connection is closed; the same on every network. */
export const goodbyeProtocol = '/rockpool/goodbye/1'

/**
 * Names a network together with the forks it has passed, so that nodes with different rules do not meet: 4 bytes of SHA-256 as hex.
 * `activations` are the block numbers or times of the forks active at the head, in order.
 */
export function forkDigest(
  sha256: Sha256,
  genesisHash: Hash,
  activations: readonly number[],
): string {
  const parts = [Buffer.from('rockpool/fork/1'), fromHex(genesisHash)]
  for (const activation of activations) {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(activation))
    parts.push(bytes)
  }
  return Buffer.from(sha256(concatBytes(...parts)).subarray(0, 4)).toString('hex')
}

/** The router's id of a message: 20 bytes of SHA-256 over topic and content. The same bytes from two origins are one message. */
export function messageId(sha256: Sha256, topic: Topic, payload: Uint8Array): Uint8Array {
  const name = Buffer.from(topic)
  const length = Uint8Array.of(name.length >> 8, name.length & 0xff)
  const digest = sha256(concatBytes(Buffer.from('rockpool/gossip/1'), length, name, payload))
  return digest.slice(0, 20)
}
