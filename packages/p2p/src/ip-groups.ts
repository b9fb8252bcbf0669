import { firstOf, ipText, parseIp, parseIpRange } from '@rockpool/protocol'

/** Bits of an IPv6 address that are one customer's. */
const customerBits = 56
const loopback = ['127.0.0.0/8', '::1/128']
/** Behind one such address there may be many machines. */
const shared = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10'],
]

/** The group of an address as the address it begins with: itself for IPv4, its /56 for IPv6. Undefined where there is no address. */
export function groupOfIp(text: string): string | undefined {
  const ip = parseIp(text)
  return ip && ipText(ip.bits === 32 ? ip : firstOf(ip, customerBits))
}

/** Whether an address stands for more than one customer: loopback always, private networks where `sparesPrivate`. */
export function createSpared(sparesPrivate: boolean): (text: string) => boolean {
  const ranges = (sparesPrivate ? [...loopback, ...shared] : loopback).flatMap(
    range => parseIpRange(range) ?? [],
  )
  return text => {
    const ip = parseIp(text)
    return (
      ip !== undefined &&
      ranges.some(
        ({ ip: first, length }) =>
          first.bits === ip.bits && firstOf(ip, length).value === first.value,
      )
    )
  }
}
