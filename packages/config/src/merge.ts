import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { defaultAdapter } from './adapters.ts'
import { wrong } from './errors.ts'
import { isPlainObject, mergeDeep } from './plain.ts'
import type { BackendChoice, BackendInput, ConfigInput, DeadlineConfig, RetryConfig } from './types.ts'

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
  readonly deadline: DeadlineConfig | undefined
}

/**
 * Merges sources, the weakest first. Options of an adapter are merged with those that a weaker source gives to the same
 * adapter; those of another adapter are dropped. A source that gives `backend` overrules `messages` and `data` of weaker ones.
 */
export function merge(sources: readonly Source[]): Merged {
  const slots: Partial<Record<Slot, BackendInput>> = {}
  let retry: ConfigInput['retry'] = true
  let deadline: ConfigInput['deadline'] = false
  for (const { input, directory } of sources) {
    if (input.backend !== undefined) {
      delete slots.messages
      delete slots.data
    }
    for (const slot of ['backend', 'messages', 'data'] as const) {
      const over = input[slot]
      if (over !== undefined) slots[slot] = mergeBackend(slots[slot] ?? {}, normalize(over, directory))
    }
    if (input.retry !== undefined) retry = mergeSetting<ConfigInput['retry']>(retry, input.retry)
    if (input.deadline !== undefined) deadline = mergeSetting<ConfigInput['deadline']>(deadline, input.deadline)
  }
  const shared = choice(slots.backend ?? {}, 'backend', defaultAdapter)
  return {
    messages: slots.messages === undefined ? shared : choice(slots.messages, 'messages'),
    data: slots.data === undefined ? shared : choice(slots.data, 'data'),
    retry: typeof retry === 'object' ? retry : retry ? {} : undefined,
    deadline: deadline || undefined
  }
}

function normalize(input: string | BackendInput, directory: string): BackendInput {
  const { use, options } = typeof input === 'string' ? { use: input, options: undefined } : input
  return { use: use?.startsWith('.') === true ? pathToFileURL(resolve(directory, use)).href : use, options }
}

function mergeBackend(under: BackendInput, over: BackendInput): BackendInput {
  if (over.use !== undefined && over.use !== (under.use ?? defaultAdapter)) return over
  return {
    use: over.use ?? under.use,
    options: mergeDeep({ ...under.options }, { ...over.options })
  }
}

function mergeSetting<T>(under: T, over: T): T {
  return isPlainObject(under) && isPlainObject(over) ? (mergeDeep(under, over) as T) : over
}

function choice({ use, options }: BackendInput, slot: Slot, fallback?: string): BackendChoice {
  const name = use ?? fallback
  if (name === undefined) throw wrong(`${slot}.use is missing: name the adapter for ${slot}`)
  return { use: name, options: { ...options } }
}
