/** Why there is no Kubo on this machine. */
export type KuboUnavailableReason = 'no-go' | 'go-too-old' | 'download' | 'build' | 'binary'

/** No Kubo can be had here. The message says what would bring it. */
export class KuboUnavailableError extends Error {
  override readonly name: string = 'KuboUnavailableError'
  readonly reason: KuboUnavailableReason

  constructor(reason: KuboUnavailableReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}
