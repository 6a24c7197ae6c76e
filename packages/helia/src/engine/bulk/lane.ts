/** A lane must be opened within this many milliseconds after its offer. */
export const ticketTime = 10_000

export interface LaneAddress {
  readonly host: string
  readonly port: number
}

/** What the two ends of a lane have agreed on. */
export interface LaneSecret {
  /** Identifies the secret. It is not confidential. */
  readonly ticket: string
  readonly secret: Uint8Array
}

/** The part of a socket that a lane uses. */
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

/** Makes sockets that can be opened only with the secret. */
export interface LaneMaker {
  /** `secretOf` returns the secret of a ticket; `undefined` if the ticket was not issued. */
  listen(
    host: string,
    secretOf: (ticket: string) => Uint8Array | undefined,
    accept: (socket: LaneSocket, ticket: string) => void
  ): Promise<LaneListener>
  dial(address: LaneAddress, secret: LaneSecret): Promise<LaneSocket>
}
