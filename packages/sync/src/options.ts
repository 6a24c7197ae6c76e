import type { Clock, Identity } from '@p2pl/core'
import type { ViewOptions } from './api.ts'
import { invalid } from './errors.ts'
import type { EntryBounds } from './entry/codec.ts'
import { parentsCeiling, payloadCeiling } from './limits.ts'

export interface Settings {
  readonly bounds: EntryBounds
  readonly period: number
  readonly clock: Clock
  readonly random: () => number
  readonly identity: Identity
}

function within(name: string, value: number, least: number, most: number, whole = true): number {
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw invalid('openView', `${name} is ${String(value)}, allowed are ${least} to ${most}`)
  }
  return value
}

/** Names the option that does not exist, so that a slip of the pen is not silently without effect. */
export function checkKeys(call: string, options: unknown, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalid(call, 'the options are an object')
  const unknown = Object.keys(options).find((key) => !allowed.includes(key))
  if (unknown !== undefined) throw invalid(call, `there is no option ${unknown}: there are ${allowed.join(', ')}`)
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
  'onEvent',
  'clock',
  'random'
]

/** Defaults, and errors that name the option and what it takes. */
export function settingsOf(options: ViewOptions): Settings {
  checkKeys('openView', options, names)
  const { peer, topic, store } = options
  if (typeof topic !== 'string' || topic.length === 0) throw invalid('openView', 'topic must be a non-empty string')
  if (store === '' || store === undefined) throw invalid('openView', 'store must be a folder or a database')
  return {
    bounds: {
      maxParents: within('maxParents', options.maxParents ?? 8, 1, parentsCeiling),
      maxPayloadBytes: within('maxPayloadBytes', options.maxPayloadBytes ?? 64 * 1024, 1, payloadCeiling)
    },
    period: within('beaconPeriod', options.beaconPeriod ?? 2000, 10, 3_600_000, false),
    clock: options.clock ?? peer.clock,
    random: options.random ?? Math.random,
    identity: options.identity ?? peer.identity
  }
}
