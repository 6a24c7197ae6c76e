import type { Clock, Cryptography, Identity } from '@p2pl/core'
import { checkKeys, checkNumber, describe } from '@p2pl/core/backend'
import type { ViewOptions } from './api.ts'
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

/** Defaults, and errors that name the option and what it takes. */
export function settingsOf(options: ViewOptions): Settings {
  const call = 'openView'
  checkKeys(call, options, names)
  const { peer, topic, store } = options
  if (typeof topic !== 'string' || topic.length === 0) {
    throw invalid(call, `topic must be a non-empty string, not ${describe(topic)}`)
  }
  if (store === '' || store === undefined) throw invalid(call, 'store must be a folder or a database')
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
    identity: options.identity ?? peer.identity,
    ...peer.environment
  }
}
