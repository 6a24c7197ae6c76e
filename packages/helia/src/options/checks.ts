import { isMultiaddr, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { checkKeys, checkNumber } from '@p2pl/core/backend'
import { invalid } from './invalid.ts'
import type { RelaySettings } from './settings.ts'
import type { IceServer, RelayOptions } from './types.ts'

const defaultServiceTag = '_p2pl._udp.local'

/** Checks a group of options that may have only the known keys. */
export function group<T extends object>(name: string, value: T | undefined, known: readonly string[]): T {
  if (value === undefined) return {} as T
  if (Array.isArray(value)) throw invalid(name, 'must be an object')
  checkKeys(`helia.${name}`, value, known)
  return value
}

export function integer(name: string, value: unknown, min: number, max: number, otherwise: number): number {
  return checkNumber('helia', name, value, { min, max, integer: true }, otherwise)
}

export function boolean(name: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(name, 'must be true or false')
  return value ?? false
}

export function folder(value: string | undefined): string | undefined {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw invalid('dir', 'must be a non-empty string')
  return value
}

export function addresses(name: string, value: readonly string[], withPeerId = false): Multiaddr[] {
  if (!Array.isArray(value)) throw invalid(name, 'must be an array of multiaddrs')
  return value.map((entry: unknown, i) => {
    const address = parseAddress(entry)
    if (address === undefined)
      throw invalid(
        `${name}[${i}]`,
        `must be a multiaddr such as /ip4/127.0.0.1/tcp/4001, not ${String(entry).slice(0, 80)}`
      )
    if (withPeerId && !address.getComponents().some(({ name: part }) => part === 'p2p'))
      throw invalid(`${name}[${i}]`, 'must end in /p2p/<peer id>, so that nobody else can answer')
    return address
  })
}

function parseAddress(entry: unknown): Multiaddr | undefined {
  if (isMultiaddr(entry)) return entry
  if (typeof entry !== 'string') return undefined
  try {
    return multiaddr(entry)
  } catch {
    return undefined
  }
}

export function serviceTag(value: boolean | string | undefined): string | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return defaultServiceTag
  if (typeof value !== 'string' || !/^_[a-z0-9-]{1,15}\._(udp|tcp)\.local$/.test(value))
    throw invalid('mdns', `must be true, false or a service tag such as '${defaultServiceTag}'`)
  return value
}

export function dhtMode(
  value: 'server' | 'client' | false | undefined,
  otherwise: 'server' | 'client'
): 'server' | 'client' | false {
  if (value === undefined) return otherwise
  if (!['server', 'client', false].includes(value)) throw invalid('dht', "must be 'server', 'client' or false")
  return value
}

export function relaySettings(value: boolean | RelayOptions | undefined): RelaySettings | undefined {
  if (value === undefined || value === false) return undefined
  const relay = group('relay', value === true ? {} : value, ['reservations', 'maxBytes', 'maxDuration'])
  return {
    reservations: integer('relay.reservations', relay.reservations, 1, 10_000, 128),
    maxBytes: integer('relay.maxBytes', relay.maxBytes, 4_096, 2 ** 30, 131_072),
    maxDuration: integer('relay.maxDuration', relay.maxDuration, 1_000, 3_600_000, 120_000)
  }
}

export function iceServers(value: readonly IceServer[] | undefined): readonly IceServer[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw invalid('iceServers', 'must be an array')
  return value.map((server: IceServer | null, i) => {
    const urls: unknown[] = [server?.urls].flat()
    if (urls.length === 0 || !urls.every((url) => typeof url === 'string' && /^(?:stun|turn)s?:./.test(url)))
      throw invalid(`iceServers[${i}]`, "must be an object such as { urls: 'stun:stun.example.net:3478' }")
    return { ...server, urls: urls as string[] }
  })
}
