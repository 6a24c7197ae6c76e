/** Milliseconds within which a lane has to be opened once it was offered. */
export const ticketTime = 10_000

export interface LaneAddress {
  readonly host: string
  readonly port: number
}

/** What the two ends of a lane have agreed on. */
export interface LaneSecret {
  /** Says which secret is meant; anybody may see it. */
  readonly ticket: string
  readonly secret: Uint8Array
}

/** Of a socket, as much as a lane uses. */
export interface LaneSocket {
  readonly destroyed: boolean
  readonly writable: boolean
  readonly writableNeedDrain: boolean
  cork(): void
  uncork(): void
  write(bytes: Uint8Array): boolean
  end(): unknown
  destroy(error?: Error): unknown
  unref(): unknown
  setNoDelay(noDelay: boolean): unknown
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  once(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
}

export interface LaneListener {
  readonly port: number
  close(): void
}

/** Makes sockets that only somebody who knows the secret can open. */
export interface LaneMaker {
  /** `secretOf` a ticket: `undefined` when it was not issued. */
  listen(
    host: string,
    secretOf: (ticket: string) => Uint8Array | undefined,
    accept: (socket: LaneSocket, ticket: string) => void
  ): Promise<LaneListener>
  dial(address: LaneAddress, secret: LaneSecret): Promise<LaneSocket>
}
