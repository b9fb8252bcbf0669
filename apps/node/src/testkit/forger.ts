/*
 * A program of its own: forges a block and sends it to every node over libp2p, as a fresh identity after every second one, so that earlier
 * offences do not speak against it. Loads nothing of this project but its neighbours here. Spoken to by messages of its parent process.
 */
import { type Flaw, forge, type Ground } from './forgeries.ts'
import { createPlainPeer, type PlainPeer } from './plain-peer.ts'

export interface ForgerSetup {
  readonly topic: string
  readonly addresses: readonly string[]
  readonly ground: Ground
}

export type ToForger = { readonly setup: ForgerSetup } | { readonly send: Flaw }

export interface FromForger {
  readonly flaw: Flaw
  readonly hash: string
  /** Nodes it was sent to. */
  readonly recipients: number
}

const blocksEach = 2

let setup: ForgerSetup | undefined
let current: { readonly peer: PlainPeer; left: number } | undefined
/** Connects while the blocks of the one before are being judged. */
let next: Promise<PlainPeer> | undefined

async function meet({ topic, addresses }: ForgerSetup): Promise<PlainPeer> {
  const peer = await createPlainPeer()
  await peer.meet(topic, addresses)
  return peer
}

/** An identity that has sent fewer than two blocks. What the one before sent has been judged by now. */
async function sender(from: ForgerSetup): Promise<PlainPeer> {
  if (current === undefined || current.left === 0) {
    const fresh = await (next ?? meet(from))
    await current?.peer.stop()
    current = { peer: fresh, left: blocksEach }
    next = meet(from)
  }
  current.left -= 1
  return current.peer
}

async function send(flaw: Flaw): Promise<FromForger> {
  if (setup === undefined) throw new Error('no setup')
  const peer = await sender(setup)
  const { hash, frame } = await forge(setup.ground, flaw)
  return { flaw, hash, recipients: await peer.publish(setup.topic, frame) }
}

process.on('message', (wish: ToForger) => {
  if ('setup' in wish) {
    setup = wish.setup
    next = meet(setup)
  } else void send(wish.send).then(answer => process.send?.(answer))
})
