import { readFileSync } from 'node:fs'
import * as modules from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isPlainObject } from './plain.ts'

/**
 * The URL of a module, resolved from each of the places in turn (files or folders ending in `/`), or `undefined` if it
 * cannot be resolved from any. Node's own `import.meta.resolve` cannot resolve from elsewhere, and `require.resolve` does
 * not find packages whose exports have only an `import` condition, so there are two steps.
 */
export function resolveModule(specifier: string, places: readonly URL[]): URL | undefined {
  if (specifier.startsWith('file:')) return new URL(specifier)
  // A built-in module of Node is not an adapter. It would be taken for a file of that name.
  if (modules.isBuiltin(specifier)) return undefined
  for (const place of places) {
    const found = byRequire(specifier, place) ?? byImportCondition(specifier, place)
    if (found !== undefined) return found
  }
  return undefined
}

function byRequire(specifier: string, place: URL): URL | undefined {
  try {
    return pathToFileURL(modules.createRequire(place).resolve(specifier))
  } catch {
    return undefined
  }
}

function byImportCondition(specifier: string, place: URL): URL | undefined {
  try {
    // Bun has no such function, and with a named import of it this module would not load there.
    const manifest = modules.findPackageJSON?.(specifier, place)
    if (manifest === undefined) return undefined
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown }
    const subpath = `.${specifier
      .split('/')
      .slice(specifier.startsWith('@') ? 2 : 1)
      .map((part) => `/${part}`)
      .join('')}`
    const entry = isPlainObject(exports) && Object.hasOwn(exports, subpath) ? exports[subpath] : exports
    const target = pick(entry)
    return target === undefined ? undefined : pathToFileURL(join(dirname(manifest), target))
  } catch {
    return undefined
  }
}

function pick(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry
  if (!isPlainObject(entry)) return undefined
  for (const condition of Object.keys(entry)) {
    if (!['node', 'import', 'module-sync', 'default'].includes(condition)) continue
    const target = pick(entry[condition])
    if (target !== undefined) return target
  }
  return undefined
}

/** The URL of the folder, as a place to resolve from. */
export function placeOf(directory: string): URL {
  return pathToFileURL(join(directory, 'p2pl.config.js'))
}
