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
  // Only digits and dots, but not an address: a name resolver would still accept it.
  if (parts?.[2] !== undefined && /^[0-9.]+$/.test(host) && isIP(host) !== 4) return undefined
  return { host, port }
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
