/** Addresses counted as one: an IPv4 address, or a /56 of IPv6, which is what one customer gets. */
export function ipGroup(ip: string): string {
  const address = ip.toLowerCase()
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (v4 !== undefined) return v4
  const [head = '', tail] = address.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':'))
  const left = words(head)
  const right = tail === undefined ? [] : words(tail)
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const all = [...left, ...Array<string>(gap).fill('0'), ...right]
  const [first, second, third, fourth] = all.map(word => Number.parseInt(word, 16) || 0)
  const top = [first, second, third, (fourth ?? 0) >> 8]
  return top.map(word => (word ?? 0).toString(16)).join(':')
}
