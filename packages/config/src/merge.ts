import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defaultAdapter, shortName } from './adapters.ts'
import { wrong } from './errors.ts'
import { isPlainObject, mergeDeep } from './plain.ts'
import type { BackendChoice, BackendInput, ConfigInput, TimeoutConfig, RetryConfig } from './types.ts'

/** One source, checked, with the folder that its relative paths start from. */
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

/** A setting of a weaker source that a stronger one leaves without effect. */
export interface Dropped {
  readonly source: string
  /** `backend.options.profile` */
  readonly path: readonly string[]
  readonly because: string
}

interface Chosen extends BackendInput {
  /** The sources that it is made of, with the keys that each gave. */
  readonly givenBy: readonly { readonly source: string; readonly keys: readonly string[] }[]
}

const nothing: Chosen = { givenBy: [] }

/**
 * Merges sources, the weakest first. Options go to the adapter that is chosen in the end, unless they stand with the name
 * of another one: these are dropped. A source that gives `backend` overrules `messages` and `data` of weaker ones.
 */
export function merge(sources: readonly Source[], onDropped: (dropped: Dropped) => void): Merged {
  const chosen: Partial<Record<Slot, Chosen>> = {}
  let retry: ConfigInput['retry'] = true
  let timeout: ConfigInput['timeout'] = false
  for (const { name: because, input, directory } of sources) {
    const drop = (slot: Slot): void => {
      for (const { source, keys } of chosen[slot]?.givenBy ?? [])
        for (const key of keys) onDropped({ source, path: [slot, ...key.split('.')], because })
      delete chosen[slot]
    }
    if (input.backend !== undefined) {
      drop('messages')
      drop('data')
    }
    for (const slot of ['backend', 'messages', 'data'] as const) {
      const given = input[slot]
      if (given === undefined) continue
      const { use, options = {} } = normalize(given, directory)
      const former = chosen[slot]?.use
      if (use !== undefined && former !== undefined && use !== former) drop(slot)
      const under = chosen[slot] ?? nothing
      const keys = Object.keys(options).map((key) => `options.${key}`)
      chosen[slot] = {
        use: use ?? under.use,
        options: mergeDeep({ ...under.options }, { ...options }),
        givenBy: [...under.givenBy, { source: because, keys }]
      }
    }
    if (input.retry !== undefined) retry = mergeSetting<ConfigInput['retry']>(retry, input.retry)
    if (input.timeout !== undefined) timeout = mergeSetting<ConfigInput['timeout']>(timeout, input.timeout)
  }
  const shared = choice(chosen.backend ?? {}, 'backend', defaultAdapter)
  return {
    messages: chosen.messages === undefined ? shared : choice(chosen.messages, 'messages'),
    data: chosen.data === undefined ? shared : choice(chosen.data, 'data'),
    retry: typeof retry === 'object' ? retry : retry ? {} : undefined,
    timeout: timeout || undefined
  }
}

function normalize(input: string | BackendInput, directory: string): BackendInput {
  const { use, options } = typeof input === 'string' ? { use: input, options: undefined } : input
  if (use === undefined) return { options }
  const isPath = use.startsWith('.') || isAbsolute(use)
  return { use: isPath ? pathToFileURL(resolve(directory, use)).href : shortName(use), options }
}

function mergeSetting<T>(under: T, over: T): T {
  return isPlainObject(under) && isPlainObject(over) ? (mergeDeep(under, over) as T) : over
}

function choice({ use, options }: BackendInput, slot: Slot, fallback?: string): BackendChoice {
  const name = use ?? fallback
  if (name === undefined) throw wrong(`${slot}.use is missing: name the adapter for ${slot}`)
  return { use: name, options: { ...options } }
}
