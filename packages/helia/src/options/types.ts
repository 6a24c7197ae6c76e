import type { Profile } from '@p2pl/embedded'

export interface GossipOptions {
  /**
   * The number of peers that each message is forwarded to (mesh degree D). 2 to 64. Default 3 in `closed` and `lan`, 6
   * in `public`.
   */
  degree?: number | undefined
  /** Milliseconds between two heartbeats of the mesh. 100 to 10,000. Default 1,000. */
  heartbeatInterval?: number | undefined
  /** For how many milliseconds a message id is remembered to drop duplicates. 1,000 to 3,600,000. Default 120,000. */
  seenTtl?: number | undefined
  /**
   * Milliseconds between two publishes, over all topics. Messages that queue up meanwhile share the next publish. 0 to
   * 1,000. Default 0 in `closed`, 20 in `lan` and `public`: subscribed Kubo daemons silently drop messages that come
   * faster. Set it in a closed network with such daemons.
   */
  pacing?: number | undefined
}

/** How many connections the node aims for and allows. */
export interface ConnectionOptions {
  /**
   * Discovered peers are dialled while there are fewer connections than this. 0 to 10,000. Default 20 (4 with
   * `lowResource`).
   */
  low?: number | undefined
  /**
   * With more connections than this, the least useful ones are closed: idle strangers first, peers that you named
   * never. 1 to 10,000. Default 300 (40 with `lowResource`).
   */
  high?: number | undefined
}

/** Limits of a relay. */
export interface RelayOptions {
  /** How many pages can be reached through it at a time. Each of them also takes a connection. 1 to 10,000. Default 128. */
  reservations?: number | undefined
  /**
   * The most bytes of one relayed connection, both directions together. 4,096 to 1,073,741,824. Default 131,072;
   * signalling takes about 7,000.
   */
  maxBytes?: number | undefined
  /** The longest duration of one relayed connection in milliseconds. 1,000 to 3,600,000. Default 120,000. */
  maxDuration?: number | undefined
}

/** A server that tells a page its public address (STUN) or forwards its packets (TURN). As in WebRTC's `RTCIceServer`. */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port` or `turns:host:port`. */
  urls: string | readonly string[]
  username?: string | undefined
  credential?: string | undefined
}

/**
 * Settings of the engine that have no option in this package. They are merged over its own settings, one level deep,
 * and are not part of its stable API: a new major version of the engine may change them.
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
   * A folder for blocks, pins, provider records and the private key: content and peer id outlive the process. In a
   * browser, the name of a database (IndexedDB) of the origin. One process or page at a time can use it; a second one
   * gets `LOCKED`. Default: everything in memory, with a new peer id for each backend.
   */
  dir?: string | undefined
  /**
   * What a resolved `put` survives, with `dir`. `process`: any end of the process, even a sudden one. `power`: a power
   * failure too (each group of writes waits for the disk). Default `process`.
   */
  durability?: 'process' | 'power' | undefined
  /** Default `closed`. */
  profile?: Profile | undefined
  /**
   * Multiaddrs to listen on, TCP and WebSocket (`…/ws`); `[]` for none. Default `/ip4/127.0.0.1/tcp/0`; in `lan` and
   * `public` `/ip4/0.0.0.0/tcp/0`. In a browser, `/p2p-circuit` and `/webrtc`, which are the default there; each
   * `/p2p-circuit` reserves a slot at one connected relay.
   */
  listen?: readonly string[] | undefined
  /** Multiaddrs under which others reach this node, if they differ from `listen`. */
  announce?: readonly string[] | undefined
  /** Multiaddrs of peers to stay connected to, each with `/p2p/<peer id>`. Default none, in every profile. */
  bootstrap?: readonly string[] | undefined
  /**
   * Pre-shared key of a private network: 32 bytes, the text of a `swarm.key` file (`/key/swarm/psk/1.0.0/`, `/base16/`,
   * 64 hexadecimal digits), or the path of such a file. Peers without the key cannot connect.
   */
  psk?: string | Uint8Array | undefined
  /** Finds peers in the same network segment by multicast DNS. `true` or the service tag. Default `false`. */
  mdns?: boolean | string | undefined
  /**
   * How to take part in the DHT: `server` answers others, `client` only asks, `false` does neither and makes `provide`
   * unsupported. Default `server`; `client` in `public`.
   */
  dht?: 'server' | 'client' | false | undefined
  /**
   * Signatures of topic messages. `strict`: each publisher signs with its key, as every other libp2p node expects by
   * default. `none`: no signature, sender or sequence number. That is several times faster, but only for networks in
   * which every peer does the same, and equal messages within `gossip.seenTtl` are delivered once. Default `strict`.
   */
  signing?: 'strict' | 'none' | undefined
  /** Fewer connections, smaller caches, no DHT server. Default `false`. */
  lowResource?: boolean | undefined
  /**
   * Lets others reach browsers through this node (circuit relay v2), for long enough to signal a WebRTC connection.
   * Needs a WebSocket address in `listen`. Not in browsers. Default `false`.
   */
  relay?: boolean | RelayOptions | undefined
  /**
   * Servers through which pages behind routers find a way to each other. Only in browsers. Default none; in `public`
   * those that libp2p names.
   */
  iceServers?: readonly IceServer[] | undefined
  gossip?: GossipOptions | undefined
  connections?: ConnectionOptions | undefined
  passthrough?: Passthrough | undefined
}
