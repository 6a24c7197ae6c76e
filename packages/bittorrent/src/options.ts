import type { Profile } from '@p2pl/embedded'

export type { Profile } from '@p2pl/embedded'

export interface BittorrentOptions {
  /**
   * A folder for blocks, pins, provider records, torrents and the key that the peer id is made of: they outlive the process.
   * One process at a time; a second one gets `LOCKED`. Default: everything in memory, a new id at each construction.
   */
  dir?: string | undefined
  /**
   * What a resolved `put` survives, with `dir`: `process` the end of the process, however sudden; `power` loss of power, too
   * (each group of writes waits for the disk). Default `process`.
   */
  durability?: 'process' | 'power' | undefined
  /**
   * With whom the peer talks. `closed`: with its own machine, and with the hosts that `peers`, `bootstrap`, `trackers` and `connect`
   * name. `lan`: with private networks, too. `public`: with everybody, through the mainline DHT. Default `closed`.
   */
  profile?: Profile | undefined
  /** IPv4 address to bind to, TCP and UDP. Default `127.0.0.1`; in `lan` and `public` `0.0.0.0`. */
  host?: string | undefined
  /** TCP port, 0 to 65,535; 0 for any free one. Default 0. */
  port?: number | undefined
  /** UDP port of the DHT, 0 to 65,535; 0 for any free one. Default 0. */
  dhtPort?: number | undefined
  /** Addresses `host:port` under which others reach this peer, where it does not listen there itself. */
  announce?: readonly string[] | undefined
  /** Takes part in a DHT. Default true. */
  dht?: boolean | undefined
  /** Nodes `host:port` through which the DHT is entered. Default none; in `public` the routers of the mainline DHT. */
  bootstrap?: readonly string[] | undefined
  /**
   * Finds others in the same network by multicast (local service discovery, BEP 14), and tells them of topics and content.
   * Default true in `lan`, else false; refused in `closed`.
   */
  localDiscovery?: boolean | undefined
  /** Trackers `http://…/announce`, `https://…`, `udp://host:port`. Outside of `public` on loopback or in private networks only. Default none. */
  trackers?: readonly string[] | undefined
  /** Peers `host:port` to stay connected to. Default none. */
  peers?: readonly string[] | undefined
  /** Most TCP connections of every kind. When all are in use, a newcomer gets the place of the least useful one. 8 to 10,000. Default 200. */
  maxConnections?: number | undefined
  /** Peers that a topic strives to be linked to. 2 to 32. Default 6. */
  degree?: number | undefined
}
