import { failure } from './errors.ts'
import type { BittorrentOptions, Profile } from './options.ts'
import { isLoopback, isPrivate } from '@p2pl/embedded'
import { formatAddress, parseAddress, type Address } from './tools/address.ts'

/** Options after validation, every default filled in. */
export interface Settings {
  readonly dir: string | undefined
  readonly durability: 'process' | 'power'
  readonly profile: Profile
  readonly host: string
  readonly port: number
  readonly dhtPort: number
  readonly announce: readonly Address[]
  readonly dht: boolean
  readonly bootstrap: readonly Address[]
  readonly localDiscovery: boolean
  readonly trackers: readonly URL[]
  readonly peers: readonly Address[]
  readonly maxConnections: number
  readonly degree: number
}

const publicRouters = ['router.bittorrent.com:6881', 'dht.transmissionbt.com:6881', 'router.utorrent.com:6881']

const optionKeys = [
  'dir',
  'durability',
  'profile',
  'host',
  'port',
  'dhtPort',
  'announce',
  'dht',
  'bootstrap',
  'localDiscovery',
  'trackers',
  'peers',
  'maxConnections',
  'degree'
] as const satisfies readonly (keyof BittorrentOptions)[]

/** Checks the options and fills in the defaults. Throws `INVALID_ARGUMENT` naming the key. */
export function resolveOptions(options: BittorrentOptions = {}): Settings {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'must be an object')
  for (const key of Object.keys(options))
    if (!(optionKeys as readonly string[]).includes(key))
      throw invalid(key, `is unknown; known are ${optionKeys.join(', ')}`)
  const profile = oneOf('profile', options.profile, ['closed', 'lan', 'public'] as const, 'closed')
  const dir = text('dir', options.dir)
  const durability = oneOf('durability', options.durability, ['process', 'power'] as const, 'process')
  if (durability === 'power' && dir === undefined)
    throw invalid('durability', "'power' needs dir: a store in memory survives nothing")
  const dht = options.dht ?? true
  if (typeof dht !== 'boolean') throw invalid('dht', 'must be true or false')
  const localDiscovery = options.localDiscovery ?? profile === 'lan'
  if (typeof localDiscovery !== 'boolean') throw invalid('localDiscovery', 'must be true or false')
  if (localDiscovery && profile === 'closed')
    throw invalid('localDiscovery', "needs profile: 'lan' or 'public': a closed network tells nobody of itself")
  return {
    dir,
    durability,
    profile,
    host: bindHost(options.host, profile),
    port: integer('port', options.port, 0, 65_535, 0),
    dhtPort: integer('dhtPort', options.dhtPort, 0, 65_535, 0),
    announce: addresses('announce', options.announce),
    dht,
    bootstrap: dht ? bootstrapNodes(options.bootstrap, profile) : [],
    localDiscovery,
    trackers: trackerUrls(options.trackers, profile),
    peers: addresses('peers', options.peers),
    maxConnections: integer('maxConnections', options.maxConnections, 8, 10_000, 200),
    degree: integer('degree', options.degree, 2, 32, 6)
  }
}

function invalid(key: string, message: string): Error {
  return failure({ code: 'INVALID_ARGUMENT', operation: 'bittorrent', message: `option "${key}" ${message}` })
}

function oneOf<T extends string>(key: string, value: T | undefined, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback
  if (!allowed.includes(value)) throw invalid(key, `must be one of ${allowed.map((one) => `'${one}'`).join(', ')}`)
  return value
}

function text(key: string, value: string | undefined): string | undefined {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw invalid(key, 'must be a non-empty string')
  return value
}

function integer(key: string, value: number | undefined, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < min || value > max)
    throw invalid(key, `must be an integer from ${min} to ${max}`)
  return value
}

function bindHost(value: string | undefined, profile: Profile): string {
  const host = text('host', value) ?? (profile === 'closed' ? '127.0.0.1' : '0.0.0.0')
  if (parseAddress(`${host}:1`) === undefined || !/^[0-9.]+$/.test(host))
    throw invalid('host', 'must be an IPv4 address, such as 127.0.0.1')
  if (profile === 'closed' && !isLoopback(host))
    throw invalid('host', "must be a loopback address in the profile 'closed'; 'lan' listens beyond this machine")
  return host
}

function list(key: string, value: readonly unknown[] | undefined): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalid(key, 'must be an array')
  return value
}

function addresses(key: string, value: readonly string[] | undefined): Address[] {
  return list(key, value).map((entry, i) => {
    const address = parseAddress(entry)
    if (address === undefined)
      throw invalid(`${key}[${i}]`, `must look like 127.0.0.1:6881, not ${String(entry).slice(0, 80)}`)
    return address
  })
}

function bootstrapNodes(value: readonly string[] | undefined, profile: Profile): Address[] {
  const nodes = addresses('bootstrap', value ?? (profile === 'public' ? publicRouters : []))
  if (profile !== 'public')
    for (const node of nodes)
      if (!isPrivate(node.host))
        throw invalid('bootstrap', `${formatAddress(node)} is not in a private network: that needs profile: 'public'`)
  return nodes
}

function trackerUrls(value: readonly string[] | undefined, profile: Profile): URL[] {
  return list('trackers', value).map((entry, i) => {
    const url = typeof entry === 'string' && URL.canParse(entry) ? new URL(entry) : undefined
    if (
      url === undefined ||
      !['http:', 'https:', 'udp:'].includes(url.protocol) ||
      (url.protocol === 'udp:' && url.port === '')
    )
      throw invalid(
        `trackers[${i}]`,
        `must look like http://host:port/announce or udp://host:port, not ${String(entry).slice(0, 80)}`
      )
    if (profile !== 'public' && !isPrivate(url.hostname.replace(/^\[|\]$/g, '')))
      throw invalid(`trackers[${i}]`, `${url.host} is not in a private network: that needs profile: 'public'`)
    return url
  })
}
