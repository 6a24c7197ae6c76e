import { checkKeys, checkNumber, invalidArgument } from '@p2pl/core/backend'
import type { KeepingService, Range, ReplicationOptions } from './api.ts'

const hour = 3_600_000
const keys: readonly (keyof ReplicationOptions)[] = [
  'peer',
  'services',
  'watchEvery',
  'proveEvery',
  'grace',
  'maxBytesPerHour',
  'maxCopiesPerHour',
  'maxKept'
]

/** See {@link ReplicationOptions}. */
export interface Settings {
  readonly services: ReadonlyMap<string, KeepingService>
  readonly watchEvery: number
  readonly proveEvery: number
  readonly grace: number
  readonly maxBytesPerHour: number
  readonly maxCopiesPerHour: number
  readonly maxKept: number
}

/** Fills in defaults. Errors name the option and its allowed values. */
export function settingsOf(options: ReplicationOptions): Settings {
  const call = 'openReplication'
  checkKeys(call, options, keys)
  if (typeof options?.peer?.data?.reach !== 'function') {
    throw invalidArgument(call, `${call}: peer must be the result of createPeer, awaited`)
  }
  checkServices(call, options.services)
  const services = new Map((options.services ?? []).map((service) => [service.name, service]))
  if (services.size !== (options.services ?? []).length) {
    throw invalidArgument(call, `${call}: two services have the same name`)
  }
  const number = (name: keyof ReplicationOptions, min: number, max: number, otherwise: number): number =>
    // Only a budget may be unlimited.
    checkNumber(call, name, options[name], { min, max, integer: max < Infinity }, otherwise)
  const watchEvery = number('watchEvery', 1_000, 24 * hour, 300_000)
  return {
    services,
    watchEvery,
    proveEvery: number('proveEvery', 1_000, 365 * 24 * hour, 6 * hour),
    grace: number('grace', 2 * watchEvery, 30 * 24 * hour, Math.max(1_800_000, 2 * watchEvery)),
    maxBytesPerHour: number('maxBytesPerHour', 1, Infinity, 8 * 1024 ** 3),
    maxCopiesPerHour: number('maxCopiesPerHour', 1, Infinity, 1_024),
    maxKept: number('maxKept', 1, 1_048_576, 65_536)
  }
}

export function rangeOf(range: Range): { readonly min: number; readonly max: number } {
  const call = 'keep'
  checkKeys(call, range, ['min', 'max'])
  const min = checkNumber(call, 'min', range?.min ?? Number.NaN, { min: 1, max: 64, integer: true }, 1)
  const max = checkNumber(call, 'max', range.max, { min, max: 64, integer: true }, Math.min(64, min + 2))
  return { min, max }
}

function checkServices(call: string, services: unknown): void {
  if (services === undefined) return
  if (Array.isArray(services) && (services as unknown[]).every(isService)) return
  throw invalidArgument(call, `${call}: services must be a list of what pinningService gives`)
}

function isService(value: unknown): boolean {
  const { name, keep, has, release } = (value ?? {}) as Readonly<Record<string, unknown>>
  return typeof name === 'string' && [keep, has, release].every((method) => typeof method === 'function')
}
