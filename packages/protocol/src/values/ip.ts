/** An address as a number; an IPv4 address inside IPv6 counts as the IPv4 address. */
export interface Ip {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** A range of addresses: those whose first `length` bits are those of `ip`. */
export interface IpRange {
  readonly ip: Ip
  readonly length: number
}

const mappedPrefix = 0xffffn << 32n

/** An address in its usual text form, with or without a zone; undefined for other text. */
export function parseIp(text: string): Ip | undefined {
  const [address = ''] = text.split('%')
  return address.includes(':') ? parseIp6(address) : parseIp4(address)
}

function parseIp4(text: string): Ip | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  if (bytes.some(byte => byte > 255)) return undefined
  return { bits: 32, value: BigInt(bytes.reduce((sum, byte) => sum * 256 + byte, 0)) }
}

function parseIp6(text: string): Ip | undefined {
  const last = text.slice(text.lastIndexOf(':') + 1)
  const inner = last.includes('.') ? parseIp4(last) : undefined
  if (last.includes('.') && inner === undefined) return undefined
  const low = (inner?.value ?? 0n).toString(16).padStart(8, '0')
  const words = inner ? `${text.slice(0, -last.length)}${low.slice(0, 4)}:${low.slice(4)}` : text
  const halves = words.split('::')
  if (halves.length > 2) return undefined
  const [left = [], right = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const gap = 8 - left.length - right.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined
  const all = [...left, ...Array<string>(gap).fill('0'), ...right]
  if (!all.every(word => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined
  const value = all.reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n)
  if (value >> 32n === 0xffffn) return { bits: 32, value: value - mappedPrefix }
  return { bits: 128, value }
}

/** `10.0.0.0/8`; undefined for other text. Bits behind the length are dropped. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', bits = '', ...rest] = text.split('/')
  const ip = parseIp(address)
  if (ip === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined
  // A range of addresses inside IPv6 is counted in IPv6's bits.
  const length = ip.bits === 32 && address.includes(':') ? Number(bits) - 96 : Number(bits)
  if (length < 0 || length > ip.bits) return undefined
  return { ip: firstOf(ip, length), length }
}

/** The first address of the range of `length` bits that holds `ip`. */
export function firstOf({ bits, value }: Ip, length: number): Ip {
  const shift = BigInt(bits - length)
  return { bits, value: (value >> shift) << shift }
}

/** The one text of an address: IPv4 dotted, IPv6 in eight groups without leading zeros. */
export function ipText({ bits, value }: Ip): string {
  const width = bits === 32 ? 8n : 16n
  const parts = bits === 32 ? 4 : 8
  const radix = bits === 32 ? 10 : 16
  const mask = (1n << width) - 1n
  return Array.from({ length: parts }, (_, index) =>
    ((value >> (width * BigInt(parts - 1 - index))) & mask).toString(radix),
  ).join(bits === 32 ? '.' : ':')
}
