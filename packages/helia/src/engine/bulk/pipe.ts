/** The transport of a channel: a stream of libp2p, or a lane. */
export interface Pipe {
  readonly open: boolean
  /**
   * Takes bytes without a copy. Returns `false` when the caller should wait for `drained` before sending more. Throws
   * when the pipe is closed.
   */
  send(parts: readonly Uint8Array[]): boolean
  /**
   * Resolves when more may be sent. Rejects when the pipe has ended, or when the other side has read nothing for too
   * long.
   */
  drained(): Promise<void>
  /** Closes the pipe. Bytes that were sent before still arrive. */
  close(): void
  abort(error: Error): void
}

export interface PipeEvents {
  /** Bytes arrived; they are only valid during the call. It does not throw. */
  readonly data: (chunk: Uint8Array) => void
  /** Nothing more will arrive. Called once. */
  readonly end: () => void
}

/** If data waits and the other side has read nothing for this long (ms), it counts as unable to read. */
export const sendTimeout = 30_000
