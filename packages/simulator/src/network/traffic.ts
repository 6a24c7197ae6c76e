/** How much one host has sent, received and spent. The counts do not depend on the speed of the machine. */
export interface Traffic {
  /** Messages sent, one per receiver, including relayed ones. */
  readonly messages: number
  /** Requests for blocks sent. */
  readonly requests: number
  /** Responses sent. */
  readonly responses: number
  /** Bytes of everything that was sent, even if it got lost. */
  readonly sentBytes: number
  /** Part of `sentBytes`: messages of others that a mesh passed on. */
  readonly relayedBytes: number
  readonly receivedBytes: number
  /** Messages handed to the backend. */
  readonly delivered: number
  /** Signatures checked. */
  readonly checks: number
}

/** Counters of a {@link Traffic}. */
export type Meter = { -readonly [Name in keyof Traffic]: number }

export function createMeter(): Meter {
  return {
    messages: 0,
    requests: 0,
    responses: 0,
    sentBytes: 0,
    relayedBytes: 0,
    receivedBytes: 0,
    delivered: 0,
    checks: 0
  }
}

/** Adds `traffic`, or subtracts it if `sign` is -1. */
export function addTraffic(to: Meter, traffic: Traffic, sign = 1): Meter {
  for (const name of Object.keys(to) as (keyof Traffic)[]) to[name] += sign * traffic[name]
  return to
}
