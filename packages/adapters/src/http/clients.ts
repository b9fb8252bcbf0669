import { BlockList, isIPv6 } from 'node:net'
import { limits } from '@rockpool/protocol'

/** Tokens of one client address. */
export interface Bucket {
  /** True when the tokens were there and are spent. */
  take(cost: number): boolean
}

export interface Client {
  /** Absent for loopback, which pays nothing. */
  readonly bucket: Bucket | undefined
}

export interface ClientLimits {
  readonly ratePerSecond: number
  readonly rateBurst: number
  readonly clientsMax: number
  readonly connectionsPerClient: number
  /** Count loopback like everybody else: for a listener behind a proxy on the same machine. */
  readonly loopbackToo: boolean
}

const clientLimits: ClientLimits = {
  ratePerSecond: limits.rpcRatePerSecond,
  rateBurst: limits.rpcRateBurst,
  clientsMax: limits.rpcClientsMax,
  connectionsPerClient: limits.rpcConnectionsPerClient,
  loopbackToo: false,
}

interface Entry extends Client {
  connections: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Who is connected, by client address. An address is a whole IPv6 /64: one household or one server, whose owner could otherwise make
 * 2^64 of them. Memory is bounded: beyond the limit the address unused longest is forgotten, those with connections never.
 */
export function createClients(options: Partial<ClientLimits> = {}, now = () => performance.now()) {
  const bounds = { ...clientLimits, ...options }
  const entries = new Map<string, Entry>()

  /** Undefined: the address has as many connections as it may. Each client opened is closed once. */
  function open(address: string): Client | undefined {
    const key = clientKey(address)
    const known = entries.get(key)
    const free = isLoopback(address) && !bounds.loopbackToo
    const entry = known ?? { connections: 0, bucket: free ? undefined : createBucket(bounds, now) }
    if (!free && entry.connections >= bounds.connectionsPerClient) return undefined
    entry.connections++
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size > bounds.clientsMax) forgetIdle()
    return entry
  }

  function close(address: string): void {
    const entry = entries.get(clientKey(address))
    if (entry !== undefined && entry.connections > 0) entry.connections--
  }

  function forgetIdle(): void {
    for (const [key, entry] of entries) {
      if (entry.connections > 0) continue
      entries.delete(key)
      return
    }
  }

  return {
    open,
    close,
    get size() {
      return entries.size
    },
  }
}

function createBucket({ ratePerSecond, rateBurst }: ClientLimits, now: () => number): Bucket {
  let tokens = rateBurst
  let at = now()
  return {
    take(cost) {
      const instant = now()
      tokens = Math.min(rateBurst, tokens + ((instant - at) / 1_000) * ratePerSecond)
      at = instant
      if (tokens < cost) return false
      tokens -= cost
      return true
    },
  }
}

/** The address that pays: an IPv4 address (mapped ones too), or the /64 of an IPv6 one. */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address
  const plain = address.split('%')[0] ?? address
  if (plain.startsWith('::ffff:') && plain.includes('.')) return plain.slice(7)
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}

/** Whether the other end is on this machine. */
export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return loopback.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}
