// The parts of libraries without types that this package uses. The libraries may change members that start with an
// underscore at any time, so the versions are exact, src/torrent/swarm/members.ts refuses a library without these
// members, and test/hostile*.test.ts send the bytes that the fences stop.

declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events'

  export default class Wire extends EventEmitter {
    readonly destroyed: boolean
    readonly peerInterested: boolean
    readonly peerChoking: boolean
    readonly peerRequests: readonly unknown[]
    readonly ut_metadata: Metadata
    choke(): void
    unchoke(): void
    setTimeout(ms: number, unref?: boolean): void
    destroy(): void
    _onMessageLength(buffer: Uint8Array): void
    _onMessage(buffer: Uint8Array): void
    _parse(size: number, parser: (buffer: Uint8Array) => void): void
    _onRequest(index: number, offset: number, length: number): void
    _onCancel(index: number, offset: number, length: number): void
  }

  /** The extension `ut_metadata` (BEP 9) of a wire. */
  export interface Metadata {
    setMetadata(bytes: Uint8Array): Promise<boolean>
    readonly _fetching: boolean
    readonly _metadataComplete: boolean
    _checkDone(): Promise<void>
  }
}

declare module 'webtorrent' {
  import type { EventEmitter } from 'node:events'
  import type { ListenOptions, Server, Socket } from 'node:net'
  import type Wire from 'bittorrent-protocol'

  type Done = (error: Error | null, bytes?: Uint8Array) => void
  type Range = { readonly offset?: number; readonly length?: number }

  export interface ChunkStore {
    get(index: number, options: Range | Done | null, done?: Done): void
    put(index: number, bytes: Uint8Array, done?: (error: Error | null) => void): void
    close(done?: (error: Error | null) => void): void
    destroy(done?: (error: Error | null) => void): void
  }

  export type ChunkStoreClass = new (chunkLength: number) => ChunkStore

  export interface TorrentOptions {
    announce: readonly string[]
    urlList: readonly string[]
    deselect: boolean
    skipVerify: boolean
    storeCacheSlots: number
    store: ChunkStoreClass
  }

  /** The library's result of parsing a torrent. */
  export interface ParsedTorrent {
    readonly infoHash: string
    readonly info: object
    readonly name: string
    readonly announce: string[]
    readonly urlList: string[]
    readonly files: readonly { path: string; name: string; length: number; offset: number }[]
    readonly length: number
    readonly pieceLength: number
    readonly lastPieceLength: number
    /** sha1 of each piece, in hexadecimal digits. */
    readonly pieces: readonly string[]
  }

  export interface Torrent extends EventEmitter {
    readonly infoHash: string | undefined
    /** The info dictionary, as it is sent to others. */
    metadata: Uint8Array | null
    readonly destroyed: boolean
    readonly bitfield: { get(index: number): boolean }
    select(first: number, last: number, priority: number): void
    /** An open connection is passed off as a WebRTC connection, which the library uses as it is. */
    addPeer(peer: Socket & { id: string; connected: boolean }): boolean
    destroy(): void
    on(event: 'wire', listener: (wire: Wire) => void): this
    on(event: 'error' | 'warning', listener: (error: unknown) => void): this
    readonly _peers: ReadonlyMap<string, { readonly wire: Wire | null; readonly conn: Socket | null }> | null
    /** Which pieces are here, one bit each. The library reads it when the metadata is there. */
    _startupBitfield: Uint8Array | undefined
    /** Takes the metadata; parsed metadata in the same turn. */
    _onMetadata(metadata: ParsedTorrent): Promise<void>
    _debug(...parts: readonly unknown[]): void
  }

  export interface ClientOptions {
    peerId: Uint8Array
    maxConns: number
    torrentPort: ListenOptions
    dht: false
    tracker: false
    lsd: false
    natUpnp: false
    natPmp: false
    utp: false
    utPex: false
    webSeeds: false
    secure: 0
  }

  export default class WebTorrent extends EventEmitter {
    constructor(options: ClientOptions)
    readonly destroyed: boolean
    add(source: string | ParsedTorrent, options: TorrentOptions): Torrent
    destroy(done: (error?: unknown) => void): void
    readonly _connPool: { readonly tcpServer: Server }
  }
}

declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events'

  export interface DhtOptions {
    nodeId?: Uint8Array
    bootstrap?: false | readonly string[]
    /** Passed on to k-rpc-socket. */
    socket?: EventEmitter
    /** Milliseconds until a query is considered lost. */
    timeout?: number
    maxAge?: number
    maxPeers?: number
    maxTables?: number
    maxValues?: number
    /** Ed25519, for mutable items. */
    verify?: (signature: unknown, message: unknown, publicKey: unknown) => boolean
  }

  export interface MutableItem {
    k: Uint8Array
    salt: Uint8Array
    seq: number
    v: unknown
    sign: (message: Uint8Array) => Uint8Array
  }

  export class Client extends EventEmitter {
    constructor(options?: DhtOptions)
    readonly nodes: { count(): number }
    readonly destroyed: boolean
    listen(port: number, host: string): void
    address(): { address: string; port: number }
    addNode(node: { host: string; port: number }): void
    lookup(key: Uint8Array, done?: (error: Error | null, visited?: number) => void): () => void
    announce(key: Uint8Array, port: number, done?: (error: Error | null, accepted?: number) => void): void
    put(item: MutableItem, done: (error: Error | null, key?: Uint8Array, accepted?: number) => void): void
    get(
      key: Uint8Array,
      options: { salt: Uint8Array; cache: boolean },
      done: (error: Error | null, found?: { v?: unknown; seq?: unknown } | null) => void
    ): void
    destroy(done?: () => void): void
  }
}
