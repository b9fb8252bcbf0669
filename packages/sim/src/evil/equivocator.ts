import { buildBlock, decodeHeader, envOn, State, sealDigest, turnOf } from '@rockpool/chain'
import {
  concatBytes,
  decodeBlockTopicFrame,
  encodeBlockFrame,
  type Header,
  type Signature,
} from '@rockpool/protocol'
import type { WorldView } from '../api.ts'
import type { Voice } from './voice.ts'

/** A producer's key in evil hands. */
export interface SimSealer {
  readonly address: Header['producer']
  seal(digest: Uint8Array): Signature
}

/**
 * Makes two blocks on every parent it hears of, as early as its rank allows, and tells one half of its neighbours one, the other half the
 * other. Empty blocks, so that it need not know the state. Only where it is a producer; returns what ends it.
 */
export function equivocate(world: WorldView, voice: Voice, sealer: SimSealer): () => void {
  const { genesis, names, crypto } = world
  const keccak256 = (bytes: Uint8Array) => crypto.keccak256(bytes)
  let best: Header | undefined
  let ended = false

  function build(parent: Header, timeMs: number): Uint8Array {
    const env = envOn(parent, genesis, { producer: sealer.address, timeMs }, keccak256)
    // Without reward and transactions no account changes, so an empty state does.
    const { header, encodedHeader } = buildBlock(parent, new State([], keccak256), env, [])
    const { r, s, yParity } = sealer.seal(sealDigest(header.hash, keccak256))
    return encodeBlockFrame({
      header: encodedHeader,
      txs: [],
      seal: concatBytes(r, s, Uint8Array.of(yParity)),
    })
  }

  function tell(parent: Header): void {
    if (ended || best !== parent) return
    const turn = turnOf(genesis, sealer.address, parent.number + 1)
    if (turn === null) return
    const earliest = parent.timeMs + turn.gapMs
    const blocks = [build(parent, earliest), build(parent, earliest + 1)]
    let index = 0
    for (const peer of voice.peers) {
      const block = blocks[index % blocks.length]
      if (block !== undefined) voice.wire.push(peer, names.block, block)
      index += 1
    }
    world.sometimes('evil/equivocated')
  }

  const stop = voice.onHeard(({ topic, bytes }) => {
    if (topic !== names.block || genesis.reward !== 0n) return
    const decoded = decodeBlockTopicFrame(bytes)
    if (!decoded.ok) return
    const { value } = decoded
    const encoded = value.kind === 'block' ? value.frame.header : value.announce.header
    const header = decodeHeader(encoded, keccak256)
    if (!header.ok || header.value.number <= (best?.number ?? 0)) return
    const parent = header.value
    best = parent
    const turn = turnOf(genesis, sealer.address, parent.number + 1)
    if (turn === null) return
    const waitMs = Math.max(1, parent.timeMs + turn.gapMs - world.wallMs)
    world.at(world.nowMs + waitMs, 'equivocate', () => tell(parent))
  })
  return () => {
    ended = true
    stop()
  }
}
