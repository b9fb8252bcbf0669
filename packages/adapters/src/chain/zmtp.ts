import { limits } from '@rockpool/protocol'

/**
 * What both ends of ZMTP 3.0 say with the mechanism NULL: a greeting of 64 bytes, a command READY, then messages of frames. A frame is a byte
 * of flags, its length in one byte or eight, and its bytes.
 */
export const greeting: Uint8Array = Uint8Array.from({ length: 64 }, (_, at) => {
  if (at === 0) return 0xff
  if (at === 9) return 0x7f
  if (at === 10) return 3
  return at >= 12 && at < 16 ? 'NULL'.charCodeAt(at - 12) : 0
})

const more = 1
const long = 2
const command = 4

export function frame(bytes: Uint8Array, kind: { more?: boolean; command?: boolean } = {}): Buffer {
  const flags = (kind.more ? more : 0) | (kind.command ? command : 0)
  if (bytes.length < 256) return Buffer.concat([Uint8Array.of(flags, bytes.length), bytes])
  const head = Buffer.alloc(9)
  head[0] = flags | long
  head.writeBigUInt64BE(BigInt(bytes.length), 1)
  return Buffer.concat([head, bytes])
}

export function ready(socket: 'SUB' | 'PUB'): Buffer {
  const value = Buffer.from(socket)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(value.length)
  const parts = [Buffer.from('\u0005READY\u000bSocket-Type'), size, value]
  return frame(Buffer.concat(parts), { command: true })
}

export interface Frames {
  /** Takes what came; false once it is no ZMTP, and from then on. */
  push(chunk: Uint8Array): boolean
}

/** Reads the other end: calls with each whole message, commands left out. */
export function createFrames(onMessage: (parts: readonly Buffer[]) => void): Frames {
  let rest: Buffer = Buffer.alloc(0)
  let isGreeted = false
  let isBroken = false
  let parts: Buffer[] = []

  function step(): boolean {
    if (!isGreeted) {
      if (rest.length < greeting.length) return false
      isBroken = rest[0] !== 0xff || rest[9] !== 0x7f || (rest[10] ?? 0) < 3
      isGreeted = true
      rest = rest.subarray(greeting.length)
      return !isBroken
    }
    const flags = rest[0] ?? 0
    const head = flags & long ? 9 : 2
    if (rest.length < head) return false
    const size = flags & long ? Number(rest.readBigUInt64BE(1)) : (rest[1] ?? 0)
    if (size > limits.towerHintFrameBytesMax || parts.length > 16) {
      isBroken = true
      return false
    }
    if (rest.length < head + size) return false
    const body = rest.subarray(head, head + size)
    rest = rest.subarray(head + size)
    if (flags & command) return true
    parts.push(body)
    if (flags & more) return true
    const whole = parts
    parts = []
    onMessage(whole)
    return true
  }

  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk])
      while (!isBroken && step());
      return !isBroken
    },
  }
}
