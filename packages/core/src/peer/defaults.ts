import type { Deadlines } from '../api/common.ts'
import type { Limits } from '../api/peer.ts'
import { invalidArgument } from '../errors.ts'

export const defaultDeadlines: Deadlines = {
  get: 30_000,
  put: 60_000,
  publish: 10_000,
  subscribe: 30_000,
  routing: 60_000,
  store: 60_000,
  lifecycle: 60_000
}

/** What a signed message, or the CID of a large one with a short hint, needs. */
const leastEnvelopeBytes = 1_024

export const defaultLimits: Limits = {
  maxPayloadBytes: 16 * 1024 * 1024,
  maxEnvelopeBytes: 256 * 1024,
  maxMessagesPerEnvelope: 1_024,
  maxPublishQueueBytes: 8 * 1024 * 1024,
  maxSenders: 4_096,
  maxPendingEnvelopes: 1_024,
  gapGrace: 1_000
}

/** The defaults with what the app gave over them; a wrong key or value is named. */
export function withDefaults<T extends Deadlines | Limits>(
  name: string,
  defaults: T,
  given: Partial<T> | undefined
): T {
  for (const [key, value] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(defaults, key)) {
      throw invalidArgument('createPeer', `${name}.${key} is not known: ${Object.keys(defaults).join(', ')}`)
    }
    if (value !== undefined && !(typeof value === 'number' && value > 0)) {
      throw invalidArgument('createPeer', `${name}.${key} must be a positive number, not ${JSON.stringify(value)}`)
    }
  }
  const { maxEnvelopeBytes } = (given ?? {}) as Partial<Limits>
  if (maxEnvelopeBytes !== undefined && maxEnvelopeBytes < leastEnvelopeBytes) {
    throw invalidArgument('createPeer', `${name}.maxEnvelopeBytes must be at least ${leastEnvelopeBytes}`)
  }
  const set = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
  return { ...defaults, ...set }
}
