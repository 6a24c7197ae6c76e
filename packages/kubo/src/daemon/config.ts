import type { DaemonOptions } from './options.ts'

export type Json = Record<string, unknown>

export interface ConfigInput {
  readonly options: DaemonOptions
  readonly pubsub: boolean
  /** Multiaddr of the API. */
  readonly api: string
  /** Bearer secret of the API, if others could reach the API. */
  readonly secret: string | undefined
  /** The port to listen on if `listen` is absent. */
  readonly port: number
}

// With these settings the daemon contacts only peers that are configured, found on the LAN or connected to.
const nothingPublic: Json = {
  AutoConf: { Enabled: false },
  AutoTLS: { Enabled: false },
  AutoNAT: { ServiceMode: 'disabled' },
  DNS: { Resolvers: {} },
  Ipns: { DelegatedPublishers: [] },
  HTTPRetrieval: { Enabled: false },
  Routing: { Type: 'dht', DelegatedRouters: [], LoopbackAddressesOnLanDHT: true },
  Swarm: {
    DisableNatPortMap: true,
    EnableHolePunching: false,
    RelayClient: { Enabled: false },
    RelayService: { Enabled: false },
    Transports: { Network: { QUIC: false, WebTransport: false, WebRTCDirect: false, Websocket: false, Relay: false } }
  },
  Version: { SwarmCheckEnabled: false }
}

const lowResource: Json = {
  Swarm: {
    ConnMgr: { Type: 'basic', LowWater: 20, HighWater: 40, GracePeriod: '20s' },
    RelayService: { Enabled: false },
    ResourceMgr: { MaxMemory: '256MB' }
  },
  AutoNAT: { ServiceMode: 'disabled' },
  Internal: {
    Bitswap: { TaskWorkerCount: 2, EngineTaskWorkerCount: 2, EngineBlockstoreWorkerCount: 16 }
  }
}

/** The configuration file of the daemon: the output of `init` with the options merged over it. `base` is not changed. */
export function daemonConfig(base: Json, input: ConfigInput): Json {
  const { options } = input
  const profile = options.profile ?? 'closed'
  const config = structuredClone(base)
  if (profile !== 'public') mergeJson(config, nothingPublic)
  if (options.lowResource === true) {
    mergeJson(config, lowResource)
    if (profile === 'public') mergeJson(config, { Routing: { Type: 'autoclient' } })
  }
  mergeJson(config, {
    Addresses: { API: [input.api], Gateway: [], Swarm: options.listen ?? listenAddresses(profile, input.port) },
    API: {
      Authorizations:
        input.secret === undefined
          ? null
          : { p2pl: { AuthSecret: `bearer:${input.secret}`, AllowedPaths: ['/api/v0'] } }
    },
    Discovery: { MDNS: { Enabled: profile === 'lan' } },
    Pubsub: { Enabled: input.pubsub },
    // The daemon provides nothing by itself. The caller decides what to provide, and for how long.
    Provide: { Enabled: true, Strategy: 'mfs' },
    Internal: { ShutdownTimeout: '5s' },
    Plugins: { Plugins: { telemetry: { Disabled: true } } }
  })
  if (options.bootstrap !== undefined || profile !== 'public') config['Bootstrap'] = [...(options.bootstrap ?? [])]
  // A private network has no delegated routers. The daemon refuses to start with them.
  if (options.swarmKey !== undefined && profile === 'public')
    mergeJson(config, {
      Routing: { Type: 'dht', DelegatedRouters: [] },
      AutoConf: { Enabled: false },
      Bootstrap: [...(options.bootstrap ?? [])]
    })
  if (options.connections !== undefined) {
    const { low, high } = options.connections
    mergeJson(config, { Swarm: { ConnMgr: { Type: 'basic', LowWater: low, HighWater: high } } })
  }
  if (options.storageMax !== undefined) mergeJson(config, { Datastore: { StorageMax: options.storageMax } })
  if (options.gcPeriod !== undefined) mergeJson(config, { Datastore: { GCPeriod: options.gcPeriod } })
  mergeJson(config, options.config ?? {})
  syncToDisk((config['Datastore'] as Json | undefined)?.['Spec'])
  return config
}

function listenAddresses(profile: string, port: number): string[] {
  if (profile === 'closed') return [`/ip4/127.0.0.1/tcp/${port}`]
  const tcp = [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`]
  if (profile === 'lan') return tcp
  return [
    ...tcp,
    `/ip4/0.0.0.0/udp/${port}/quic-v1`,
    `/ip4/0.0.0.0/udp/${port}/quic-v1/webtransport`,
    `/ip6/::/udp/${port}/quic-v1`,
    `/ip6/::/udp/${port}/quic-v1/webtransport`
  ]
}

/**
 * Syncs every part of the store, even of a store that was created without syncing, so acknowledged data survives a
 * power failure.
 */
function syncToDisk(spec: unknown): void {
  if (Array.isArray(spec)) for (const part of spec) syncToDisk(part)
  else if (isObject(spec)) {
    if (spec['sync'] === false) spec['sync'] = true
    syncToDisk(spec['child'])
    syncToDisk(spec['mounts'])
  }
}

function mergeJson(target: Json, patch: Json): void {
  for (const [key, value] of Object.entries(patch)) {
    const old = target[key]
    if (isObject(old) && isObject(value)) mergeJson(old, value)
    else target[key] = structuredClone(value)
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
