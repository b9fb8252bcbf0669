import type { Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'

/** What makes a transport, as libp2p takes it. */
export type MakeTransport<Components> = (components: Components) => Transport

/** The same transport with a look at every raw connection, dialled or taken, before its first byte. */
export function withEachRaw<Components>(
  make: MakeTransport<Components>,
  take: (raw: MultiaddrConnection) => void,
): MakeTransport<Components> {
  return components => {
    const transport = make(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (addr, options) =>
      dial(addr, { ...options, upgrader: tapped(options.upgrader, take) })
    transport.createListener = options =>
      createListener({ ...options, upgrader: tapped(options.upgrader, take) })
    return transport
  }
}

function tapped(upgrader: Upgrader, take: (raw: MultiaddrConnection) => void): Upgrader {
  return new Proxy(upgrader, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (name === 'upgradeInbound' || name === 'upgradeOutbound')
          take(args[0] as MultiaddrConnection)
        return value.apply(target, args) as unknown
      }
    },
  })
}

/**
 * One system call for all that is written to a socket in one go. noise hands every frame over in two pieces, and a muxer often sends three
 * frames in a row: each piece was a packet of its own, and woke the reader.
 */
export function gatherWrites(raw: MultiaddrConnection): void {
  const { socket } = raw as MultiaddrConnection & { readonly socket?: Socket }
  if (socket === undefined) return
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  let isGathering = false
  const send = () => {
    isGathering = false
    socket.uncork()
  }
  socket.write = (...args: unknown[]) => {
    if (!isGathering) {
      isGathering = true
      socket.cork()
      process.nextTick(send)
    }
    return write(...args)
  }
}
