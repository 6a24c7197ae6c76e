import type { Timeouts } from '../api/common.ts'
import type { Limits } from '../api/peer.ts'
import { checkKeys, checkNumber } from '../toolbox/options.ts'

export const defaultTimeouts: Timeouts = {
  get: 30_000,
  put: 60_000,
  publish: 10_000,
  subscribe: 30_000,
  routing: 60_000,
  store: 60_000,
  lifecycle: 60_000
}

/** Room for a signed message, or for the CID of a large one with its hints. */
const leastEnvelopeBytes = 2_048

/** Limits that count things. */
const counts: ReadonlySet<string> = new Set(['maxMessagesPerEnvelope', 'maxSenders'])

export const defaultLimits: Limits = {
  maxPayloadBytes: 16 * 1024 * 1024,
  maxEnvelopeBytes: 256 * 1024,
  maxMessagesPerEnvelope: 1_024,
  maxPublishQueueBytes: 8 * 1024 * 1024,
  maxSenders: 4_096,
  maxPendingBytes: 16 * 1024 * 1024,
  maxFetchedBytes: 64 * 1024 * 1024,
  gapGrace: 1_000
}

/** The defaults, with the app's values over them. The error names a wrong key or value. */
export function withDefaults<T extends Timeouts | Limits>(
  name: 'timeouts' | 'limits',
  defaults: T,
  given: Partial<T> | undefined
): T {
  checkKeys(`createPeer: ${name}`, given, Object.keys(defaults))
  const set: [string, number][] = []
  for (const [key, value] of Object.entries(given ?? {})) {
    const integer = counts.has(key)
    const min = key === 'maxEnvelopeBytes' ? leastEnvelopeBytes : integer ? 1 : Number.MIN_VALUE
    const checked = checkNumber('createPeer', `${name}.${key}`, value, { min, integer }, undefined)
    if (checked !== undefined) set.push([key, checked])
  }
  return { ...defaults, ...Object.fromEntries(set) }
}
