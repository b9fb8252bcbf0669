import type { ActorRef } from '@rockpool/actor'
import type {
  Address,
  Answer,
  Block,
  BuiltBlock,
  ChainMessage,
  GossipBlock,
  Signature,
} from '@rockpool/protocol'
import { concatBytes, encodeBlockFrame, failed } from '@rockpool/protocol'
import { sealDigest } from './header.ts'
import type { Job } from './job.ts'
import { asked, piped } from './job.ts'
import type { Keccak } from './keccak.ts'

/** A key whose blocks the genesis knows. */
export interface BlockSigner {
  readonly address: Address
  /** Signs a digest; low s. */
  readonly seal: (digest: Uint8Array) => Promise<Signature>
}

export interface OwnBlockParts {
  readonly chain: ActorRef<ChainMessage>
  readonly gossip: Pick<ActorRef<GossipBlock>, 'tell'>
  readonly keccak256: Keccak
}

const askMs = 30_000

/** Seals a built block, has the chain write and connect it, and only then gives it to gossip. */
export function* publish(
  { chain, gossip, keccak256 }: OwnBlockParts,
  { seal }: BlockSigner,
  built: BuiltBlock,
  forced = false,
): Job<Answer<Block>> {
  const signed = yield* piped(() => seal(sealDigest(built.hash, keccak256)))
  if (!signed.ok) return failed('load/internal', 'the block could not be sealed')
  const { r, s, yParity } = signed.value
  const sealBytes = concatBytes(r, s, Uint8Array.of(yParity))
  const connected = yield* asked<ChainMessage, Answer<Block>>(
    chain,
    reply => ({ type: 'chain.connect', built, seal: sealBytes, forced, reply }),
    askMs,
  )
  if (!connected.ok) return failed('load/internal')
  if (!connected.value.ok) return connected.value
  const made = connected.value.value
  const txs = made.txs.map(({ raw }) => raw)
  const frame = encodeBlockFrame({ header: built.header, txs, seal: sealBytes })
  gossip.tell({ type: 'gossip.block', block: made, frame })
  return connected.value
}
