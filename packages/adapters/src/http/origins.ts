import { isIP } from 'node:net'

/**
 * Is this `Host` one of ours? A page can point its own name at 127.0.0.1 and then counts as the same origin as the node; its requests still
 * carry that name. So names must be listed, while addresses cannot be forged that way and pass.
 */
export function isHostAllowed(host: string | undefined, vhosts: readonly string[]): boolean {
  if (host === undefined || vhosts.includes('*')) return true
  const name = hostName(host)
  return isIP(name) !== 0 || vhosts.some(allowed => allowed.toLowerCase() === name)
}

/** The check with a memory of the last host that passed: nearly all requests carry the same one. */
export function createHostCheck(vhosts: readonly string[]) {
  let passed: string | undefined
  return {
    allows(host: string | undefined): boolean {
      if (host !== undefined && host === passed) return true
      if (!isHostAllowed(host, vhosts)) return false
      passed = host
      return true
    },
  }
}

/** The host without port and brackets, lower case. */
export function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](:\d+)?$/.exec(host)
  if (bracketed?.[1] !== undefined) return bracketed[1].toLowerCase()
  return host.replace(/:\d+$/, '').toLowerCase()
}

/** Does an origin fit one of the patterns? `*` stands for any port or any run of characters without `/`; alone it fits everything. */
export function isOriginAllowed(origin: string, patterns: readonly string[]): boolean {
  return patterns.some(pattern => pattern === '*' || toRegExp(pattern).test(origin))
}

function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/@]*')
  return new RegExp(`^${source}$`, 'i')
}
