import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defaultAdapter, shortName } from './adapters.ts'
import { wrong } from './errors.ts'
import { isPlainObject, mergeDeep, type PlainObject } from './plain.ts'
import type { BackendChoice, BackendInput, BackendSetting, ConfigInput, TimeoutConfig, RetryConfig } from './types.ts'

/** One source, checked, with the base folder of its relative paths. */
export interface Source {
  readonly name: string
  readonly input: ConfigInput
  readonly directory: string
}

type Slot = 'backend' | 'messages' | 'data'

export interface Merged {
  readonly messages: BackendChoice
  readonly data: BackendChoice
  readonly retry: RetryConfig | undefined
  readonly timeout: TimeoutConfig | undefined
}

/** A setting of a weaker source that has no effect because of a stronger one. */
export interface Dropped {
  readonly source: string
  /** `backend.options.profile` */
  readonly path: readonly string[]
  readonly because: string
}

/** An adapter with the options from the sources, and the source of each option. */
interface Leg {
  readonly use?: string | undefined
  readonly options: PlainObject
  readonly givenBy: readonly { readonly source: string; readonly keys: readonly string[] }[]
}

/**
 * Merges sources, the weakest first. Options go to the adapter that is finally chosen. Options that stand with the name of
 * another adapter are dropped. A source with `backend` overrules `messages` and `data` of weaker sources.
 */
export function merge(sources: readonly Source[], onDropped: (dropped: Dropped) => void): Merged {
  const chosen: Partial<Record<Slot, readonly Leg[]>> = {}
  let retry: ConfigInput['retry'] = true
  let timeout: ConfigInput['timeout'] = false
  for (const { name: because, input, directory } of sources) {
    const drop = (slot: Slot, legs: readonly Leg[]): void => {
      const several = (chosen[slot]?.length ?? 0) > 1
      for (const leg of legs)
        for (const { source, keys } of leg.givenBy)
          for (const key of keys) {
            const place = several ? [String(chosen[slot]?.indexOf(leg))] : []
            onDropped({ source, path: [slot, ...place, ...key.split('.')], because })
          }
    }
    for (const slot of ['messages', 'data'] as const) {
      if (input.backend === undefined) continue
      drop(slot, chosen[slot] ?? [])
      delete chosen[slot]
    }
    for (const slot of ['backend', 'messages', 'data'] as const) {
      const given = input[slot]
      if (given === undefined) continue
      const former = chosen[slot] ?? []
      const next = withFormer(former, legsOf(given, directory), because, slot)
      drop(
        slot,
        former.filter((leg) => !next.some(({ from }) => from === leg))
      )
      chosen[slot] = next.map(({ leg }) => leg)
    }
    if (input.retry !== undefined) retry = mergeSetting<ConfigInput['retry']>(retry, input.retry)
    if (input.timeout !== undefined) timeout = mergeSetting<ConfigInput['timeout']>(timeout, input.timeout)
  }
  const shared = choice(chosen.backend ?? [], 'backend', defaultAdapter)
  return {
    messages: chosen.messages === undefined ? shared : choice(chosen.messages, 'messages'),
    data: chosen.data === undefined ? shared : choice(chosen.data, 'data'),
    retry: typeof retry === 'object' ? retry : retry ? {} : undefined,
    timeout: timeout || undefined
  }
}

/** The adapters from a stronger source, each merged over the same adapter of the weaker sources. */
function withFormer(
  former: readonly Leg[],
  given: readonly BackendInput[],
  source: string,
  slot: Slot
): readonly { readonly leg: Leg; readonly from: Leg | undefined }[] {
  const free = [...former]
  return given.map(({ use, options = {} }) => {
    if ((use === undefined || former.some((leg) => leg.use === undefined)) && Math.max(former.length, given.length) > 1)
      throw wrong(`${slot}.options: several adapters are chosen: write the options of each beside its name in the list`)
    const at = free.findIndex((leg) => use === undefined || leg.use === undefined || leg.use === use)
    const [from] = at < 0 ? [] : free.splice(at, 1)
    const keys = Object.keys(options).map((key) => `options.${key}`)
    const leg: Leg = {
      use: use ?? from?.use,
      options: mergeDeep({ ...from?.options }, { ...options }),
      givenBy: [...(from?.givenBy ?? []), { source, keys }]
    }
    return { leg, from }
  })
}

function legsOf(given: BackendSetting, directory: string): readonly BackendInput[] {
  if (typeof given === 'string') {
    const names = isPath(given) ? [given] : given.split(',').map((name) => name.trim())
    return names.map((use) => ({ use: meant(use, directory) }))
  }
  if (!Array.isArray(given)) return [named(given as BackendInput, directory)]
  return (given as readonly (string | BackendInput)[]).map((item) =>
    named(typeof item === 'string' ? { use: item } : item, directory)
  )
}

function named({ use, options }: BackendInput, directory: string): BackendInput {
  return { use: use === undefined ? undefined : meant(use, directory), options }
}

function isPath(use: string): boolean {
  return use.startsWith('.') || isAbsolute(use)
}

function meant(use: string, directory: string): string {
  return isPath(use) ? pathToFileURL(resolve(directory, use)).href : shortName(use)
}

function mergeSetting<T>(under: T, over: T): T {
  return isPlainObject(under) && isPlainObject(over) ? (mergeDeep(under, over) as T) : over
}

function choice(legs: readonly Leg[], slot: Slot, fallback?: string): BackendChoice {
  const [first = { use: fallback, options: {} }, ...others] = legs.map(({ use, options }, index) => {
    const name = use ?? fallback
    if (name === undefined || name === '') {
      const place = legs.length > 1 ? `${slot}.${index}` : slot
      throw wrong(`${place}.use is missing: name the adapter for ${slot === 'backend' ? 'messages and data' : slot}`)
    }
    return { use: name, options: { ...options } }
  })
  const chosen = { ...first, use: first.use ?? defaultAdapter }
  return others.length === 0 ? chosen : { ...chosen, fallbacks: others }
}
