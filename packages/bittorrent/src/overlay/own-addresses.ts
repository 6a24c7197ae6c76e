import { networkInterfaces } from 'node:os'
import { isPrivate } from '@p2pl/embedded'
import type { Address } from '../tools/address.ts'

/** Listens on all interfaces. */
export const anyHost = '0.0.0.0'

/** The addresses under which others reach this peer: those that the user gives, otherwise those that it listens on. */
export function ownAddresses(announce: readonly Address[], host: string, port: number): Address[] {
  if (announce.length > 0) return [...announce]
  if (host !== anyHost) return [{ host, port }]
  const own = ipv4Interfaces()
  // Loopback last: for other peers it means themselves.
  own.sort((a, b) => Number(a.internal) - Number(b.internal))
  return own.map(({ address }) => ({ host: address, port }))
}

/** This peer's addresses in the networks that multicast goes to: that of `host`, or all private ones. */
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
