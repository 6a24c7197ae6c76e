import { defaultListen, refusal, servesRecords } from '#runtime/rules'
import type { Multiaddr } from '@multiformats/multiaddr'
import { checkKeys, checkWord } from '@p2pl/core/backend'
import { profiles, type Profile } from '@p2pl/embedded'
import { addresses, boolean, dhtMode, folder, group, iceServers, integer, relaySettings, serviceTag } from './checks.ts'
import { invalid } from './invalid.ts'
import { preSharedKey } from './swarm-key.ts'
import type { GossipOptions, HeliaOptions, IceServer, Passthrough, RelayOptions } from './types.ts'

export type RelaySettings = Readonly<Required<{ [K in keyof RelayOptions]: number }>>

/** The validated options, with all defaults filled in. */
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

const optionKeys: readonly (keyof HeliaOptions)[] = [
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
]

/** Checks the options and fills in the defaults. Throws an `INVALID_ARGUMENT` that names the option. */
export function resolveOptions(options: HeliaOptions = {}): Settings {
  checkKeys('helia', options, optionKeys)
  const refused = refusal(options)
  if (refused !== undefined) throw invalid(refused.key, refused.message)
  const profile = checkWord('helia', 'profile', options.profile, profiles, 'closed')
  const lowResource = boolean('lowResource', options.lowResource)
  const dir = folder(options.dir)
  const durability = checkWord('helia', 'durability', options.durability, ['process', 'power'], 'process')
  if (durability === 'power' && dir === undefined)
    throw invalid('durability', '"power" needs dir: a store in memory survives nothing')
  const gossip = group('gossip', options.gossip, ['degree', 'heartbeatInterval', 'seenTtl', 'pacing'])
  const connections = group('connections', options.connections, ['low', 'high'])
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
    psk: options.psk === undefined ? undefined : preSharedKey(options.psk),
    mdns: serviceTag(options.mdns),
    dht: dhtMode(options.dht, profile === 'public' || lowResource || !servesRecords ? 'client' : 'server'),
    relay: relaySettings(options.relay),
    iceServers: iceServers(options.iceServers),
    signing: checkWord('helia', 'signing', options.signing, ['strict', 'none'], 'strict'),
    gossip: {
      degree: integer('gossip.degree', gossip.degree, 2, 64, profile === 'public' ? 6 : 3),
      heartbeatInterval: integer('gossip.heartbeatInterval', gossip.heartbeatInterval, 100, 10_000, 1_000),
      seenTtl: integer('gossip.seenTtl', gossip.seenTtl, 1_000, 3_600_000, 120_000),
      pacing: integer('gossip.pacing', gossip.pacing, 0, 1_000, profile === 'closed' ? 0 : 20)
    },
    connections: { low, high },
    passthrough: group('passthrough', options.passthrough, ['connectionManager', 'gossipsub', 'dht', 'yamux'])
  }
}
