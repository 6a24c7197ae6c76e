import { defaultListen, servesRecords, refusal } from '#runtime/limits'
import { isMultiaddr, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { failure } from './errors.ts'

/**
 * - `closed`: nothing leaves loopback, except to the peers given in `bootstrap` and by `connect`.
 * - `lan`: dials private networks and the given peers; listens on every IPv4 interface.
 * - `public`: takes part in the public IPFS network, once `bootstrap` names a way into it.
 */
export type Profile = 'closed' | 'lan' | 'public'

export interface GossipOptions {
  /** Neighbours to which a message is passed on (mesh degree D). 2 to 64. Default 4 in `closed` and `lan`, 6 in `public`. */
  degree?: number | undefined
  /** Milliseconds between two heartbeats of the mesh. 100 to 10,000. Default 1,000. */
  heartbeatInterval?: number | undefined
  /** Milliseconds for which a message id is remembered to drop duplicates. 1,000 to 3,600,000. Default 120,000. */
  seenTtl?: number | undefined
  /**
   * Milliseconds between two publishes on a topic; messages that queue up meanwhile share the next one. 0 to 1,000. Default 0 in
   * `closed`, 20 in `lan` and `public`: Kubo daemons that subscribe drop what comes faster, without a word. In a closed network
   * with such daemons, set it.
   */
  pacing?: number | undefined
}

/** How many connections the node strives for and bears. */
export interface ConnectionOptions {
  /** Discovered peers are dialled while there are fewer. 0 to 10,000. Default 20 (4 with `lowResource`). */
  low?: number | undefined
  /** With more, the least useful ones are closed: peers that you named never, idle strangers first. 1 to 10,000. Default 300 (40 with `lowResource`). */
  high?: number | undefined
}

/** What a relay gives away. */
export interface RelayOptions {
  /** Pages that can be reached through it at a time; each is a connection, too. 1 to 10,000. Default 128. */
  reservations?: number | undefined
  /** Bytes of one relayed connection, both ways together. 4,096 to 1,073,741,824. Default 131,072: an agreement takes about 7,000. */
  maxBytes?: number | undefined
  /** Milliseconds of one relayed connection. 1,000 to 3,600,000. Default 120,000. */
  maxDuration?: number | undefined
}

/** A server that tells a page its public address (STUN), or passes its packets on (TURN). As in WebRTC's `RTCIceServer`. */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port` or `turns:host:port`. */
  urls: string | readonly string[]
  username?: string | undefined
  credential?: string | undefined
}

/**
 * Settings of the engine that this package has no word for. They are merged over its own, one level deep, and are not
 * part of its stable API: a new major version of the engine may change them.
 */
export interface Passthrough {
  /** `connectionManager` of libp2p. */
  connectionManager?: Readonly<Record<string, unknown>> | undefined
  /** Options of gossipsub. */
  gossipsub?: Readonly<Record<string, unknown>> | undefined
  /** Options of kad-dht. */
  dht?: Readonly<Record<string, unknown>> | undefined
  /** Options of yamux. */
  yamux?: Readonly<Record<string, unknown>> | undefined
}

export interface HeliaOptions {
  /**
   * A folder for blocks, pins, provider records and the private key: content and peer id outlive the process. In a browser
   * the name of a database (IndexedDB) of the origin. One process or page at a time; a second one gets `LOCKED`. Default: everything in memory, a new peer id at each construction.
   */
  dir?: string | undefined
  /**
   * What a resolved `put` survives, with `dir`: `process` the end of the process, however sudden; `power` loss of power, too
   * (each group of writes waits for the disk). Default `process`.
   */
  durability?: 'process' | 'power' | undefined
  /** Default `closed`. */
  profile?: Profile | undefined
  /**
   * Multiaddrs to listen on; `[]` for none. TCP and WebSocket (`…/ws`). Default `/ip4/127.0.0.1/tcp/0`, in `lan` and `public`
   * `/ip4/0.0.0.0/tcp/0`. In a browser `/p2p-circuit` (a slot at each relay it is connected to, as many as are named) and
   * `/webrtc`, which are the default there.
   */
  listen?: readonly string[] | undefined
  /** Multiaddrs under which others reach this node, where they differ from what it listens on. */
  announce?: readonly string[] | undefined
  /** Multiaddrs, each with `/p2p/<peer id>`, of participants to stay connected to. Default none, in every profile. */
  bootstrap?: readonly string[] | undefined
  /**
   * Pre-shared key of a private network: 32 bytes, or the text of a `swarm.key` file
   * (`/key/swarm/psk/1.0.0/`, `/base16/`, 64 hexadecimal digits), or the path of one. Participants without it cannot connect.
   */
  psk?: string | Uint8Array | undefined
  /** Finds participants in the same network segment by multicast DNS. `true` or the service tag. Default `false`. */
  mdns?: boolean | string | undefined
  /** Takes part in the DHT: `server` answers others, `client` only asks, `false` does neither and makes `provide` unsupported. Default `server`; `client` in `public`. */
  dht?: 'server' | 'client' | false | undefined
  /**
   * Signatures of topic messages. `strict`: by each publisher's key, as every other libp2p node expects by default. `none`: no
   * signature, sender or sequence number; several times faster, but only for networks in which every participant does the
   * same, and equal messages within `gossip.seenTtl` are delivered once. Default `strict`.
   */
  signing?: 'strict' | 'none' | undefined
  /** Fewer connections, smaller caches, no DHT server. Default `false`. */
  lowResource?: boolean | undefined
  /**
   * Lets browsers be reached through this node (circuit relay v2), for long enough to agree on a WebRTC connection. Needs a
   * WebSocket address in `listen`. Not in browsers. Default `false`.
   */
  relay?: boolean | RelayOptions | undefined
  /**
   * Servers by which pages find a way to each other through routers. Only in browsers. Default none; in `public` those that
   * libp2p names.
   */
  iceServers?: readonly IceServer[] | undefined
  gossip?: GossipOptions | undefined
  connections?: ConnectionOptions | undefined
  passthrough?: Passthrough | undefined
}

export type RelaySettings = Readonly<Required<{ [K in keyof RelayOptions]: number }>>

/** Options after validation, every default filled in. */
export interface Settings {
  readonly dir: string | undefined
  readonly durability: 'process' | 'power'
  readonly profile: Profile
  readonly listen: readonly Multiaddr[]
  readonly announce: readonly Multiaddr[]
  readonly bootstrap: readonly Multiaddr[]
  /** A swarm.key, or the path of one. */
  readonly psk: Uint8Array | string | undefined
  readonly mdns: string | undefined
  readonly dht: 'server' | 'client' | false
  readonly signing: 'strict' | 'none'
  readonly lowResource: boolean
  readonly relay: RelaySettings | undefined
  readonly iceServers: readonly IceServer[] | undefined
  readonly gossip: Required<{ [K in keyof GossipOptions]: number }>
  readonly connections: { readonly low: number; readonly high: number }
  readonly passthrough: Passthrough
}

const defaultServiceTag = '_p2pl._udp.local'

/** Checks the options and fills in the defaults. Throws `INVALID_ARGUMENT` naming the key. */
export function resolveOptions(options: HeliaOptions = {}): Settings {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'must be an object')
  refuseUnknown('', options, optionKeys)
  const refused = refusal(options)
  if (refused !== undefined) throw invalid(refused.key, refused.message)
  const profile = oneOf('profile', options.profile, ['closed', 'lan', 'public'] as const, 'closed')
  const lowResource = boolean('lowResource', options.lowResource)
  const dir = nonEmpty('dir', options.dir)
  const durability = oneOf('durability', options.durability, ['process', 'power'] as const, 'process')
  if (durability === 'power' && dir === undefined)
    throw invalid('durability', "'power' needs dir: a store in memory survives nothing")
  const gossip = section('gossip', options.gossip, ['degree', 'heartbeatInterval', 'seenTtl', 'pacing'])
  const connections = section('connections', options.connections, ['low', 'high'])
  const high = integer('connections.high', connections.high, 1, 10_000, lowResource ? 40 : 300)
  const low = integer('connections.low', connections.low, 0, 10_000, Math.min(lowResource ? 4 : 20, high))
  if (low > high) throw invalid('connections.low', `must not be above connections.high (${high})`)
  return {
    dir,
    durability,
    profile,
    lowResource,
    listen: addresses('listen', options.listen ?? defaultListen(profile)),
    announce: addresses('announce', options.announce ?? []),
    bootstrap: addresses('bootstrap', options.bootstrap ?? [], true),
    psk: options.psk === undefined ? undefined : preSharedKeyFile(options.psk),
    mdns: serviceTag(options.mdns),
    dht: dhtMode(options.dht, profile === 'public' || lowResource || !servesRecords ? 'client' : 'server'),
    relay: relaySettings(options.relay),
    iceServers: iceServers(options.iceServers),
    signing: oneOf('signing', options.signing, ['strict', 'none'] as const, 'strict'),
    gossip: {
      degree: integer('gossip.degree', gossip.degree, 2, 64, profile === 'public' ? 6 : 4),
      heartbeatInterval: integer('gossip.heartbeatInterval', gossip.heartbeatInterval, 100, 10_000, 1_000),
      seenTtl: integer('gossip.seenTtl', gossip.seenTtl, 1_000, 3_600_000, 120_000),
      pacing: integer('gossip.pacing', gossip.pacing, 0, 1_000, profile === 'closed' ? 0 : 20)
    },
    connections: { low, high },
    passthrough: section('passthrough', options.passthrough, ['connectionManager', 'gossipsub', 'dht', 'yamux'])
  }
}

const optionKeys = [
  'dir',
  'durability',
  'profile',
  'listen',
  'announce',
  'bootstrap',
  'psk',
  'mdns',
  'dht',
  'signing',
  'lowResource',
  'relay',
  'iceServers',
  'gossip',
  'connections',
  'passthrough'
] as const

function invalid(key: string, message: string): Error {
  return failure({ code: 'INVALID_ARGUMENT', operation: 'helia', message: `option "${key}" ${message}` })
}

function refuseUnknown(prefix: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value))
    if (!known.includes(key)) throw invalid(prefix + key, `is unknown; known are ${known.join(', ')}`)
}

function section<T extends object>(key: string, value: T | undefined, known: readonly string[]): T {
  if (value === undefined) return {} as T
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(key, 'must be an object')
  refuseUnknown(`${key}.`, value, known)
  return value
}

function oneOf<T extends string>(key: string, value: T | undefined, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback
  if (!allowed.includes(value)) throw invalid(key, `must be one of ${allowed.map((one) => `'${one}'`).join(', ')}`)
  return value
}

function boolean(key: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(key, 'must be true or false')
  return value ?? false
}

function nonEmpty(key: string, value: string | undefined): string | undefined {
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

function addresses(key: string, value: readonly string[], withPeerId = false): Multiaddr[] {
  if (!Array.isArray(value)) throw invalid(key, 'must be an array of multiaddrs')
  return value.map((entry: unknown, i) => {
    const address = parseAddress(entry)
    if (address === undefined)
      throw invalid(`${key}[${i}]`, `is not a multiaddr such as /ip4/127.0.0.1/tcp/4001: ${String(entry).slice(0, 80)}`)
    if (withPeerId && !address.getComponents().some(({ name }) => name === 'p2p'))
      throw invalid(`${key}[${i}]`, 'must end in /p2p/<peer id>, so that nobody else can answer')
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

function serviceTag(value: boolean | string | undefined): string | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return defaultServiceTag
  if (typeof value !== 'string' || !/^_[a-z0-9-]{1,15}\._(udp|tcp)\.local$/.test(value))
    throw invalid('mdns', `must be true, false or a service tag such as '${defaultServiceTag}'`)
  return value
}

function dhtMode(
  value: 'server' | 'client' | false | undefined,
  fallback: 'server' | 'client'
): 'server' | 'client' | false {
  if (value === undefined) return fallback
  if (!['server', 'client', false].includes(value)) throw invalid('dht', "must be 'server', 'client' or false")
  return value
}

function relaySettings(value: boolean | RelayOptions | undefined): RelaySettings | undefined {
  if (value === undefined || value === false) return undefined
  const relay = section('relay', value === true ? {} : value, ['reservations', 'maxBytes', 'maxDuration'])
  return {
    reservations: integer('relay.reservations', relay.reservations, 1, 10_000, 128),
    maxBytes: integer('relay.maxBytes', relay.maxBytes, 4_096, 2 ** 30, 131_072),
    maxDuration: integer('relay.maxDuration', relay.maxDuration, 1_000, 3_600_000, 120_000)
  }
}

function iceServers(value: readonly IceServer[] | undefined): readonly IceServer[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw invalid('iceServers', 'must be an array')
  return value.map((server: IceServer | null, i) => {
    const urls: unknown[] = [server?.urls].flat()
    if (urls.length === 0 || !urls.every((url) => typeof url === 'string' && /^(?:stun|turn)s?:./.test(url)))
      throw invalid(`iceServers[${i}]`, "must be an object such as { urls: 'stun:stun.example.net:3478' }")
    return { ...server, urls: urls as string[] }
  })
}

/** The key in the format of a `swarm.key` file, which is what the engine reads; a text of one line is the path of such a file. */
function preSharedKeyFile(value: string | Uint8Array): Uint8Array | string {
  if (value instanceof Uint8Array) {
    if (value.byteLength !== 32) return swarmKey(new TextDecoder().decode(value))
    return swarmKeyOf(Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(''))
  }
  if (typeof value !== 'string' || value === '') throw invalid('psk', pskHelp)
  return value.includes('\n') ? swarmKey(value) : value
}

const pskHelp =
  'must be 32 bytes, a swarm.key (/key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits on three lines), or the path of one'

/** Checks the text of a `swarm.key` file. Its error does not repeat the text: that is a secret. */
export function swarmKey(content: string): Uint8Array {
  const hex = /^\/key\/swarm\/psk\/1\.0\.0\/\s+\/base16\/\s+([0-9a-f]{64})\s*$/i.exec(content)?.[1]
  if (hex === undefined) throw invalid('psk', pskHelp)
  return swarmKeyOf(hex.toLowerCase())
}

function swarmKeyOf(hex: string): Uint8Array {
  return new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${hex}`)
}
