import type { VirtualClock } from '@rockpool/actor'
import type { NetworkSink } from '@rockpool/protocol'
import type { Wire, WorldParts, WorldView } from './api.ts'
import { NodeClock } from './clocks.ts'
import type { Host } from './host.ts'
import type { Network } from './network.ts'
import { peerIdOf } from './peer-ids.ts'
import type { WorldNode } from './sim-node.ts'

interface Parts {
  readonly network: Network
  readonly clock: VirtualClock
  readonly nodes: readonly WorldNode[]
  readonly sign: WorldParts['sign']
  keyOf(name: string): Uint8Array
}

/** What hears on a wire until a script puts its own ears there. */
export const politeSink: NetworkSink = {
  opened() {},
  closed() {},
  deliver: async () => 'accept',
  wireFault() {},
}

/** Voices of evil peers: those that the world has a place for, and those that come on the way. */
export function createWires({ network, clock, nodes, sign, keyOf }: Parts) {
  let strangers = 0

  function wireOf(host: Host, vanish: () => void): Wire {
    return {
      port: network.port(host),
      peer: host.id,
      ip: host.ip,
      addr: host.addr,
      vanish,
      push(to, topic, bytes) {
        const message = { topic, bytes: bytes.slice(), id: network.idOf(topic, bytes) }
        host.send(to, { kind: 'message', message }, bytes.length)
      },
    }
  }

  function wire(index: number): ReturnType<WorldView['wire']> {
    const node = nodes[index]
    if (node?.isEvil !== true) throw new RangeError(`node ${index} is not evil`)
    const { host } = node
    if (host === undefined) throw new RangeError(`node ${index} is down`)
    return {
      ...wireOf(host, () => node.kill()),
      seal: digest => sign(digest, node.sealKey),
    }
  }

  /** A machine that no list names: it is gone when its script says so. */
  function join(name: string, ip?: string): Wire {
    const number = strangers++
    const host = network.join({
      name: `${name}#${number}`,
      index: -1 - number,
      id: peerIdOf(keyOf(`stranger/${number}/${name}`)),
      ip: ip ?? `10.9.${number >> 8}.${(number & 255) + 1}`,
      clock: new NodeClock(clock, { rate: 1, wall: () => 0 }, 0),
      static: [],
    })
    host.sink = politeSink
    void host.start()
    network.settled()
    return wireOf(host, () => network.kill(host))
  }

  return { wire, join }
}
