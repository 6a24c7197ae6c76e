/** Why a Go program is not available on this machine. */
export type GoToolObstacle = 'no-go' | 'go-too-old' | 'download' | 'build' | 'binary'

/** The program is not available here. The message says how to get it. */
export class GoToolUnavailableError extends Error {
  override readonly name: string = 'GoToolUnavailableError'
  readonly reason: GoToolObstacle

  constructor(reason: GoToolObstacle, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}
