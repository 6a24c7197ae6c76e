/** What a channel runs on: a stream of libp2p, or a lane of its own. */
export interface Pipe {
  readonly open: boolean
  /** Takes bytes without a copy. `false`: wait for `drained` before sending more. Throws when it is closed. */
  send(parts: readonly Uint8Array[]): boolean
  /** Resolves when more may be sent. Rejects when the pipe has ended, or the other side has read nothing for too long. */
  drained(): Promise<void>
  /** What was sent still arrives. */
  close(): void
  abort(error: Error): void
}

export interface PipeEvents {
  /** Bytes arrived; they are only lent. It does not throw. */
  readonly data: (chunk: Uint8Array) => void
  /** Nothing arrives any more. Called once. */
  readonly end: () => void
}

/** A side that has read nothing for so long (ms) while something waits for it does not read any more. */
export const sendTimeout = 30_000
