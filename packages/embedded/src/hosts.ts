/**
 * The canonical form for comparing hosts: lower case, an IPv6 address without its zone and in eight groups, and an IPv4
 * address instead of the IPv6 address that contains it.
 */
export function plainHost(host: string): string {
  const lower = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  const groups = groupsOf(lower.replace(/%.*$/, ''))
  if (groups === undefined) return lower
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  }
  return groups.map((group) => group.toString(16)).join(':')
}

/** Whether the host is the peer's own machine. */
export function isLoopback(host: string): boolean {
  const plain = plainHost(host)
  return plain === 'localhost' || plain === '0:0:0:0:0:0:0:1' || ip4(plain)?.[0] === 127
}

/**
 * Whether the host is the peer's own machine or in its local network: loopback, private (RFC 1918, RFC 4193),
 * link-local and shared (RFC 6598) addresses, and multicast DNS names.
 */
export function isPrivate(host: string): boolean {
  if (isLoopback(host)) return true
  const plain = plainHost(host)
  const bytes = ip4(plain)
  if (bytes === undefined)
    return /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(?::[0-9a-f]+){7}$/.test(plain) || /[^.]\.local\.?$/.test(plain)
  const [a = 0, b = 0] = bytes
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  )
}

/** Accepts only the plain decimal form, because a name resolver may interpret any other form. */
function ip4(host: string): number[] | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(host)) return undefined
  const bytes = host.split('.').map(Number)
  return bytes.every((byte) => byte < 256) ? bytes : undefined
}

/** The eight groups of an IPv6 address. */
function groupsOf(host: string): number[] | undefined {
  if (!host.includes(':')) return undefined
  const [before = '', after, more] = host.split('::')
  if (more !== undefined) return undefined
  const [head, tail] = [partsOf(before), after === undefined ? [] : partsOf(after)]
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

function partsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const bytes = i === parts.length - 1 ? ip4(part) : undefined
    if (bytes !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}
