import type { Profile } from '@p2pl/embedded'

export interface GossipOptions {
  /** Peers to which a message is passed on (mesh degree D). 2 to 64. Default 3 in `closed` and `lan`, 6 in `public`. */
  degree?: number | undefined
  /** Milliseconds between two heartbeats of the mesh. 100 to 10,000. Default 1,000. */
  heartbeatInterval?: number | undefined
  /** Milliseconds for which a message id is remembered to drop duplicates. 1,000 to 3,600,000. Default 120,000. */
  seenTtl?: number | undefined
  /**
   * Milliseconds between two publishes, over all topics; messages that queue up meanwhile share the next one. 0 to 1,000. Default 0 in
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
  /** Multiaddrs, each with `/p2p/<peer id>`, of peers to stay connected to. Default none, in every profile. */
  bootstrap?: readonly string[] | undefined
  /**
   * Pre-shared key of a private network: 32 bytes, or the text of a `swarm.key` file
   * (`/key/swarm/psk/1.0.0/`, `/base16/`, 64 hexadecimal digits), or the path of one. Peers without it cannot connect.
   */
  psk?: string | Uint8Array | undefined
  /** Finds peers in the same network segment by multicast DNS. `true` or the service tag. Default `false`. */
  mdns?: boolean | string | undefined
  /** Takes part in the DHT: `server` answers others, `client` only asks, `false` does neither and makes `provide` unsupported. Default `server`; `client` in `public`. */
  dht?: 'server' | 'client' | false | undefined
  /**
   * Signatures of topic messages. `strict`: by each publisher's key, as every other libp2p node expects by default. `none`: no
   * signature, sender or sequence number; several times faster, but only for networks in which every peer does the
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
