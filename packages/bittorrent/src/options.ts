import type { Profile } from '@p2pl/embedded'

export type { Profile } from '@p2pl/embedded'

export interface BittorrentOptions {
  /**
   * A folder for blocks, pins, provider records, torrents and the key that determines the peer id. They outlive the
   * process. One process at a time can use it; a second one gets `LOCKED`. Default: everything in memory, with a new id
   * for each backend.
   */
  dir?: string | undefined
  /**
   * What a resolved `put` survives, with `dir`. `process`: any end of the process, even a sudden one. `power`: a power
   * failure too (each group of writes waits for the disk). Default `process`.
   */
  durability?: 'process' | 'power' | undefined
  /**
   * Which peers this peer talks to. `closed`: peers on its own machine, and on the hosts that `peers`, `bootstrap`,
   * `trackers` and `connect` name. `lan`: also peers in private networks. `public`: all peers, through the mainline
   * DHT. Default `closed`.
   */
  profile?: Profile | undefined
  /** IPv4 address to bind to, for TCP and UDP. Default `127.0.0.1`; in `lan` and `public` `0.0.0.0`. */
  host?: string | undefined
  /** TCP port, 0 to 65,535; 0 picks a free one. Default 0. */
  port?: number | undefined
  /** UDP port of the DHT, 0 to 65,535; 0 picks a free one. Default 0. */
  dhtPort?: number | undefined
  /** Addresses `host:port` under which others reach this peer, if they differ from those it listens on. */
  announce?: readonly string[] | undefined
  /** Whether to take part in a DHT. Default true. */
  dht?: boolean | undefined
  /**
   * Nodes `host:port` through which this peer enters the DHT. Default none; in `public` the routers of the mainline
   * DHT.
   */
  bootstrap?: readonly string[] | undefined
  /**
   * Whether to find peers in the same network by multicast (local service discovery, BEP 14). It tells them about
   * topics and content. Default true in `lan`, otherwise false; refused in `closed`.
   */
  localDiscovery?: boolean | undefined
  /**
   * Trackers `http://…/announce`, `https://…`, `udp://host:port`. Outside `public` only on loopback or in private
   * networks. Default none.
   */
  trackers?: readonly string[] | undefined
  /** Peers `host:port` to stay connected to. Default none. */
  peers?: readonly string[] | undefined
  /**
   * The most TCP connections of all kinds. When all are in use, a newcomer replaces the least useful one. 8 to 10,000.
   * Default 200.
   */
  maxConnections?: number | undefined
  /** How many peers to link to per topic. 2 to 32. Default 6. */
  degree?: number | undefined
}
