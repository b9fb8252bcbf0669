import {
  type Addr,
  firstOf,
  type Ip,
  type IpRange,
  parseIp,
  parseIpRange,
} from '@rockpool/protocol'

const ranges: readonly (readonly [string, IpRange])[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].flatMap(text => {
  const range = parseIpRange(text)
  return range === undefined ? [] : [[text, range]]
})

/** Where a connection that does not leave the process comes from. */
const inside = 'process'

/** The range in which an address means something to neighbours only; undefined for one that means the same to all. */
export function privateRange(ip: string): string | undefined {
  const parsed = parseIp(ip)
  if (parsed === undefined) return inside
  return ranges.find(([, range]) => holds(range, parsed))?.[0]
}

function holds({ ip, length }: IpRange, { bits, value }: Ip): boolean {
  return ip.bits === bits && firstOf({ bits, value }, length).value === ip.value
}

/** The literal IP of an address; '' for a name and inside a process. */
export function ipOf(addr: Addr): string {
  const [, kind, ip = ''] = addr.split('/')
  return kind === 'ip4' || kind === 'ip6' ? ip : ''
}
