import { hash } from 'node:crypto'
import type { Message } from '@chainsafe/libp2p-gossipsub'
import { messageId } from '@rockpool/protocol'

export type MessageIds = ReturnType<typeof createMessageIds>

/**
 * Ids of gossip messages by content. The router hands the object it was named with to the validator later on, so an id is remembered with
 * its object and never computed twice.
 */
export function createMessageIds() {
  const known = new WeakMap<Message, Uint8Array>()

  function idOf(message: Message): Uint8Array {
    const remembered = known.get(message)
    if (remembered !== undefined) return remembered
    const id = messageId(sha256, message.topic, message.data)
    known.set(message, id)
    return id
  }

  return { idOf }
}

/** Bytes as the router's map key: one character a byte. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}

export function idText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
