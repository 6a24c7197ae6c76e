import { checkKeys, checkNumber, checkWord, describe, invalidArgument } from '@p2pl/core/backend'
import { isLoopback, isPrivate, profiles, type Profile } from '@p2pl/embedded'
import type { BittorrentOptions } from './options.ts'
import { formatAddress, parseAddress, type Address } from './tools/address.ts'

/** The validated options, with all defaults filled in. */
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

const operation = 'bittorrent'
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

/** Checks the options and fills in the defaults. Throws an `INVALID_ARGUMENT` that names the option. */
export function resolveOptions(options: BittorrentOptions = {}): Settings {
  checkKeys(operation, options, optionKeys)
  const profile = checkWord(operation, 'profile', options.profile, profiles, 'closed')
  const { dir } = options
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw invalid('dir', 'must be a non-empty string')
  const durability = checkWord(operation, 'durability', options.durability, ['process', 'power'], 'process')
  if (durability === 'power' && dir === undefined)
    throw invalid('durability', "'power' needs dir: a store in memory survives nothing")
  const dht = flag('dht', options.dht, true)
  const localDiscovery = flag('localDiscovery', options.localDiscovery, profile === 'lan')
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

function invalid(option: string, message: string): Error {
  return invalidArgument(operation, `${operation}: ${option} ${message}`)
}

function integer(option: string, value: unknown, min: number, max: number, otherwise: number): number {
  return checkNumber(operation, option, value, { min, max, integer: true }, otherwise)
}

function flag(option: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? otherwise
  throw invalid(option, `must be true or false, not ${describe(value)}`)
}

function bindHost(value: unknown, profile: Profile): string {
  const host = value ?? (profile === 'closed' ? '127.0.0.1' : '0.0.0.0')
  if (typeof host !== 'string' || parseAddress(`${host}:1`) === undefined || !/^[0-9.]+$/.test(host))
    throw invalid('host', `must be an IPv4 address, such as 127.0.0.1, not ${describe(value)}`)
  if (profile === 'closed' && !isLoopback(host))
    throw invalid('host', "must be a loopback address in the profile 'closed'; 'lan' listens beyond this machine")
  return host
}

function list(option: string, value: readonly unknown[] | undefined): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalid(option, 'must be an array')
  return value
}

function addresses(option: string, value: readonly string[] | undefined): Address[] {
  return list(option, value).map((entry, i) => {
    const address = parseAddress(entry)
    if (address === undefined) throw invalid(`${option}[${i}]`, `must look like 127.0.0.1:6881, not ${describe(entry)}`)
    return address
  })
}

function bootstrapNodes(value: readonly string[] | undefined, profile: Profile): Address[] {
  const nodes = addresses('bootstrap', value ?? (profile === 'public' ? publicRouters : []))
  for (const node of nodes)
    if (profile !== 'public' && !isPrivate(node.host))
      throw invalid(
        'bootstrap',
        `names ${formatAddress(node)}, which is not in a private network: that needs profile: 'public'`
      )
  return nodes
}

function trackerUrls(value: readonly string[] | undefined, profile: Profile): URL[] {
  return list('trackers', value).map((entry, i) => {
    const url = typeof entry === 'string' && URL.canParse(entry) ? new URL(entry) : undefined
    const known = url !== undefined && ['http:', 'https:', 'udp:'].includes(url.protocol)
    if (!known || (url.protocol === 'udp:' && url.port === ''))
      // Its text may contain a passkey.
      throw invalid(`trackers[${i}]`, 'must look like http://host:port/announce or udp://host:port')
    if (profile !== 'public' && !isPrivate(url.hostname))
      throw invalid(
        `trackers[${i}]`,
        `is at ${url.host}, which is not in a private network: that needs profile: 'public'`
      )
    return url
  })
}
