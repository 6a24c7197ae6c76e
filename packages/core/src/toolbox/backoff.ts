export interface BackoffOptions {
  /** The first pause, in milliseconds. */
  readonly first: number
  /** The longest pause, in milliseconds. */
  readonly longest: number
  /** The random part of a pause, 0 to 1. Default 0. */
  readonly jitter?: number | undefined
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** The pause in milliseconds before attempt `attempt` (1 is the first repetition). It doubles each time. */
export function backoff({ first, longest, jitter = 0, random = Math.random }: BackoffOptions, attempt: number): number {
  const full = Math.min(longest, first * 2 ** Math.min(attempt - 1, 52))
  return jitter === 0 ? full : full * (1 - jitter * random())
}
