import { wrong } from './errors.ts'
import { nearest } from './nearest.ts'
import { isPlainObject, type PlainObject } from './plain.ts'
import { topLevelKeys } from './schema.ts'

const prefix = 'P2PL_'
const backends = new Set(['backend', 'messages', 'data'])

/**
 * The settings in the environment: `P2PL_<KEY>` and `P2PL_<KEY>__<SUBKEY>…`, `SNAKE_CASE` for `camelCase`. A value that is
 * JSON (a number, `true`, a list, an object, quoted text) is parsed; any other value is text. Other variables with the
 * prefix belong to other programs, unless they look like a typo.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): PlainObject {
  const found: PlainObject = {}
  const names = Object.keys(env).filter(
    (name) => name.startsWith(prefix) && env[name] !== undefined && env[name] !== ''
  )
  // Shorter names first, so that P2PL_BACKEND is set before P2PL_BACKEND__OPTIONS__X is merged into it.
  for (const name of names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))) {
    const path = name.slice(prefix.length).split('__').map(camelCase)
    const [top = ''] = path
    if (!topLevelKeys.includes(top)) {
      const near = top === 'config' ? undefined : nearest(top, topLevelKeys)
      if (near !== undefined) throw wrong(`environment: ${name}: unknown key. Did you mean "${variableOf([near])}"?`)
      continue
    }
    if (path.includes('')) throw wrong(`environment: ${name}: a key is missing next to "__"`)
    place(found, path, parse(env[name] ?? ''), name)
  }
  return found
}

function place(target: PlainObject, path: readonly string[], value: unknown, name: string): void {
  const [top = ''] = path
  const key = path.at(-1) ?? ''
  const setting = target[top]
  if (backends.has(top) && path.length > 1) {
    if (Array.isArray(setting) || (typeof setting === 'string' && setting.includes(',')))
      throw wrong(
        `environment: ${name}: ${variableOf([top])} names several adapters: write it as a JSON list of { "use", "options" }`
      )
    if (typeof setting === 'string') target[top] = { use: setting }
  }
  let at = target
  for (const step of path.slice(0, -1)) {
    const inner = Object.hasOwn(at, step) ? at[step] : undefined
    if (inner === undefined) at = at[step] = {}
    else if (isPlainObject(inner)) at = inner
    else throw wrong(`environment: ${name} contradicts a shorter variable, whose value is not an object`)
  }
  at[key] = value
}

function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** The variable for the value at a path. */
export function variableOf(path: readonly string[]): string {
  return prefix + path.map((key) => key.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('__')
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}
