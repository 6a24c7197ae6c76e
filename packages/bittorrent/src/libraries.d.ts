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
    destroy(done?: () => void): void
    /** Its socket answers each query; what it sends goes through the socket given above. */
    readonly _rpc: EventEmitter
  }
}
