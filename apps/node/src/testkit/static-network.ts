import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyFromSeed, peerIdOf } from '@rockpool/adapters/libp2p/keys'
import type { Hex } from 'viem'
import { freePorts } from './free-ports.ts'
import { type NodeProcess, type Ports, quietFlags, type Scratch } from './scratch.ts'

export interface StaticNetwork {
  /** Fields of the genesis file. */
  readonly genesis: Readonly<Record<string, unknown>>
  /** One node for each. */
  readonly producerKeys: readonly Hex[]
  readonly flags: readonly string[]
}

export interface Member {
  readonly process: NodeProcess
  readonly ports: Ports
}

/** Nodes of one genesis file, each of which keeps all others as static peers. */
export async function startStaticNetwork(
  scratch: Scratch,
  { genesis, producerKeys, flags }: StaticNetwork,
): Promise<Member[]> {
  const file = join(scratch.folder('network'), 'genesis.json')
  writeFileSync(file, JSON.stringify(genesis))
  const ports = await freePorts(producerKeys.length)
  const members = await Promise.all(
    producerKeys.map(async (producerKey, index) => {
      const p2pKey = await keyFromSeed(Buffer.alloc(32, index + 1))
      const port = ports[index] ?? 0
      const address = `/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdOf(p2pKey)}`
      return { producerKey, p2pKey, port, address }
    }),
  )
  return Promise.all(
    members.map(async ({ producerKey, p2pKey, port, address }, index) => {
      const datadir = scratch.path(`n${index}`)
      const others = members.map(member => member.address).filter(other => other !== address)
      mkdirSync(join(datadir, 'keys'), { recursive: true, mode: 0o700 })
      writeKey(datadir, 'p2p.key', Buffer.from(p2pKey).toString('hex'))
      writeKey(datadir, 'producer.key', producerKey.slice(2))
      const process = scratch.run(datadir, [
        ...quietFlags,
        ...['--p2p.listen.tcp', `${port}`, '--p2p.static', others.join(',')],
        ...['--genesis', file, ...flags],
      ])
      return { process, ports: await process.ready() }
    }),
  )
}

function writeKey(datadir: string, name: string, hex: string): void {
  writeFileSync(join(datadir, 'keys', name), `${hex}\n`, { mode: 0o600 })
}
