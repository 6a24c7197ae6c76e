import type { Clock, Cryptography, Identity } from '@p2pl/core'
import { checkFunction, checkIdentity, checkKeys, checkNumber, checkPeer, describe } from '@p2pl/core/backend'
import type { ViewOptions } from './api.ts'
import type { Database } from '@p2pl/store'
import type { EntryBounds } from './entry/codec.ts'
import { invalid } from './errors.ts'
import { parentsCeiling, payloadCeiling } from './limits.ts'

export interface Settings {
  readonly bounds: EntryBounds
  readonly period: number
  readonly clock: Clock
  readonly random: () => number
  readonly cryptography: Cryptography
  readonly identity: Identity
}

const names: readonly (keyof ViewOptions)[] = [
  'peer',
  'topic',
  'store',
  'identity',
  'validate',
  'maxParents',
  'maxPayloadBytes',
  'beaconPeriod',
  'onEvent'
]

/** Fills in the defaults. Errors name the option and what it takes. */
export function settingsOf(options: ViewOptions): Settings {
  const call = 'openView'
  checkKeys(call, options ?? {}, names)
  const { peer, topic, store, identity, validate, onEvent } = options ?? {}
  checkPlace(call, peer, topic, store)
  checkIdentity(call, identity)
  checkFunction(call, 'validate', validate)
  checkFunction(call, 'onEvent', onEvent)
  const whole = { min: 1, integer: true }
  return {
    bounds: {
      maxParents: checkNumber(call, 'maxParents', options.maxParents, { ...whole, max: parentsCeiling }, 8),
      maxPayloadBytes: checkNumber(
        call,
        'maxPayloadBytes',
        options.maxPayloadBytes,
        { ...whole, max: payloadCeiling },
        64 * 1024
      )
    },
    period: checkNumber(call, 'beaconPeriod', options.beaconPeriod, { min: 10, max: 3_600_000 }, 2000),
    identity: identity ?? peer.identity,
    ...peer.environment
  }
}

/** Throws `INVALID_ARGUMENT` unless there is a peer, the name of a topic, and a place to store its entries. */
export function checkPlace(call: string, peer: unknown, topic: unknown, store: unknown): void {
  checkPeer(call, peer)
  if (typeof topic !== 'string' || topic.length === 0 || !topic.isWellFormed()) {
    throw invalid(call, `topic must be a non-empty, well-formed text, not ${describe(topic)}`)
  }
  if (typeof store === 'string' ? store !== '' : isDatabase(store)) return
  throw invalid(call, `store must be the path of a folder, or an abstract-level database, not ${describe(store)}`)
}

function isDatabase(store: unknown): boolean {
  const { open, batch } = (store ?? {}) as Partial<Database>
  return typeof open === 'function' && typeof batch === 'function'
}
