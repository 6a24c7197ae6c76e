import { isIP } from 'node:net'

/** Where something listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

const maxLength = 256

/** Reads `host:port` or `[v6]:port`; `undefined` for anything else. */
export function parseAddress(text: unknown): Address | undefined {
  if (typeof text !== 'string' || text.length > maxLength) return undefined
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)):([0-9]{1,5})$/i.exec(text)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  if (host === undefined || port < 1 || port > 65_535) return undefined
  if (parts?.[1] !== undefined && isIP(host) !== 6) return undefined
  // All digits and dots but no address: a name resolver would make something of it.
  if (parts?.[2] !== undefined && /^[0-9.]+$/.test(host) && isIP(host) !== 4) return undefined
  return { host, port }
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The plain form: an IPv4 address that a socket reports inside an IPv6 one. */
export function plainHost(host: string): string {
  return /^::ffff:([0-9.]+)$/i.exec(host)?.[1] ?? host
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Loopback, private (RFC 1918, RFC 4193), link-local and shared (RFC 6598) addresses. */
export function isPrivate(host: string): boolean {
  if (isLoopback(host)) return true
  if (isIP(host) === 6) return /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/i.test(host)
  if (isIP(host) !== 4) return false
  const [a = 0, b = 0] = host.split('.').map(Number)
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  )
}
