import { networkInterfaces } from 'node:os'
import { isPrivate } from '@p2pl/embedded'
import type { Address } from '../tools/address.ts'

/** Listens on every interface. */
export const anyHost = '0.0.0.0'

/** Where others reach this peer: where the user says so, else where it listens. */
export function ownAddresses(announce: readonly Address[], host: string, port: number): Address[] {
  if (announce.length > 0) return [...announce]
  if (host !== anyHost) return [{ host, port }]
  const own = ipv4Interfaces()
  // Loopback last: it leads others to themselves.
  own.sort((a, b) => Number(a.internal) - Number(b.internal))
  return own.map(({ address }) => ({ host: address, port }))
}

/** The own addresses of the networks that multicast goes to: that of `host`, or every private one. */
export function localInterfaces(host: string): string[] {
  if (host !== anyHost) return [host]
  return ipv4Interfaces()
    .filter(({ internal, address }) => !internal && isPrivate(address))
    .map(({ address }) => address)
}

function ipv4Interfaces(): { address: string; internal: boolean }[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family }) => family === 'IPv4')
}
