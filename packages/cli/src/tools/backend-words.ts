import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BackendChoice, Config, ConfigInput } from '@p2pl/config'
import { P2plError } from '@p2pl/core'

/**
 * The meaning of `--backend`: a name; several names separated by commas, of which the first that works is used; or two of
 * these as `messages+data`. A path is relative to the current folder, and absolute in the result.
 */
export function partsOf(backend: string): string[][] {
  // The name in a path may contain a plus or a comma.
  const parts = isPath(backend) && existsSync(backend) ? [[backend]] : backend.split('+').map((part) => part.split(','))
  if (parts.flat().includes('') || parts.length > 2)
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      message:
        'backend must be a name, several with commas between them, or two of these with "+" between them: messages+data'
    })
  return parts.map((names) => names.map((name) => (isPath(name) ? resolve(name) : name)))
}

/** The overrides that result from `--backend`. */
export function overridesOf(backend: string | undefined): ConfigInput | undefined {
  if (backend === undefined) return undefined
  const [messages = [], data] = partsOf(backend)
  return data === undefined ? { backend: messages } : { messages, data }
}

/** The choice, in the syntax of `--backend`. */
export function wordsOf({ messages, data }: Pick<Config, 'messages' | 'data'>): string {
  const [one, other] = [namesOf(messages), namesOf(data)]
  return one === other ? one : `${one}+${other}`
}

function namesOf({ use, fallbacks = [] }: BackendChoice): string {
  return [use, ...fallbacks.map((leg) => leg.use)].join(',')
}

function isPath(backend: string): boolean {
  return /^\.{0,2}[/\\]/.test(backend)
}
