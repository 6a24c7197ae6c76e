// What this package uses of libraries that bring no types. Members that start with an underscore are theirs to change:
// the versions are pinned, and test/hostile.test.ts sends the bytes that the guards around them stop.

declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events'

  export interface WireExtension {
    onExtendedHandshake?(handshake: unknown): void
    onMessage?(bytes: Uint8Array): void
  }

  export type WireExtensionClass = new (wire: Wire) => WireExtension

  export default class Wire extends EventEmitter {
    constructor(type?: string)
    readonly destroyed: boolean
    readonly peerExtendedMapping: Record<string, number>
    readonly peerExtendedHandshake: Record<string, unknown>
    extendedHandshake: Record<string, unknown>
    amChoking: boolean
    peerChoking: boolean
    peerInterested: boolean
    amInterested: boolean
    readonly peerPieces: { get(index: number): boolean }
    readonly peerRequests: readonly unknown[]
    readonly requests: readonly unknown[]
    handshake(infoHash: Uint8Array, peerId: Uint8Array, extensions?: { dht?: boolean; fast?: boolean }): void
    use(extension: WireExtensionClass): void
    extended(name: string | number, message: Uint8Array): void
    port(port: number): void
    keepAlive(): void
    choke(): void
    unchoke(): void
    interested(): void
    uninterested(): void
    have(index: number): void
    bitfield(bits: Uint8Array): void
    request(
      index: number,
      offset: number,
      length: number,
      done: (error: Error | null, bytes?: Uint8Array) => void
    ): void
    setTimeout(ms: number, unref?: boolean): void
    write(bytes: Uint8Array): boolean
    push(bytes: Uint8Array | null): boolean
    destroy(): void
    _onMessageLength(buffer: Uint8Array): void
    _onMessage(buffer: Uint8Array): void
    _parse(size: number, parser: (buffer: Uint8Array) => void): void
    _onRequest(index: number, offset: number, length: number): void
    _onCancel(index: number, offset: number, length: number): void
    readonly ut_metadata?: Metadata
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

  export interface Torrent extends EventEmitter {
    readonly infoHash: string | undefined
    readonly ready: boolean
    readonly destroyed: boolean
    readonly bitfield: { get(index: number): boolean }
    select(first: number, last: number, priority: number): void
    /** An open connection counts as one of WebRTC, and is used as it is. */
    addPeer(peer: Socket & { id: string; connected: boolean }): boolean
    destroy(): void
    on(event: 'wire', listener: (wire: Wire) => void): this
    on(event: 'error' | 'warning', listener: (error: unknown) => void): this
    readonly _peers: ReadonlyMap<string, { readonly wire: Wire | null; readonly conn: Socket | null }> | null
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
    readonly torrents: readonly Torrent[]
    add(source: string | Uint8Array, options: TorrentOptions): Torrent
    destroy(done: (error?: unknown) => void): void
    readonly _connPool: { readonly tcpServer: Server } | null
  }
}

declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events'

  export interface DhtOptions {
    nodeId?: Uint8Array
    bootstrap?: false | readonly string[]
    /** Handed down to k-rpc-socket. */
    socket?: EventEmitter
    /** Milliseconds until a query counts as lost. */
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
    /** Its socket answers each query; what it sends goes through the socket given above. */
    readonly _rpc: EventEmitter
  }
}
