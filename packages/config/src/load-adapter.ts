import { existsSync } from 'node:fs'
import { unescape } from 'node:querystring'
import { isP2plError, P2plError } from '@p2pl/core'
import { knownAdapter, knownAdapters } from './adapters.ts'
import { wrong } from './errors.ts'
import { installCommand } from './install.ts'
import { meantAdapter } from './nearest.ts'
import { placeOf, resolveModule } from './resolve.ts'
import { declaredWords, type PlacementWord } from './third-party.ts'

const operation = 'createBackends'

export type Factory = (options: Readonly<Record<string, unknown>>) => unknown

export interface Adapter {
  readonly factory: Factory
  /** The placement settings that a third-party adapter declares. */
  readonly takes: readonly PlacementWord[]
}

/** Imports the adapter that a configuration names, resolved from the configuration's folder. */
export async function loadAdapter(use: string, directory: string): Promise<Adapter> {
  const known = knownAdapter(use)
  const specifier = known?.package ?? use
  const here = new URL(import.meta.url)
  const project = placeOf(directory)
  const url = resolveModule(specifier, known === undefined ? [project, here] : [here, project])
  if (url === undefined) throw missing(use, specifier, directory)
  const module = await load(url, use, specifier, directory)
  const factory = known === undefined ? (module['backend'] ?? module['default']) : module[known.factory]
  if (typeof factory === 'function' && !isClass(factory))
    return { factory: factory as Factory, takes: known === undefined ? declaredWords(module, shown(use)) : [] }
  throw wrong(
    known === undefined
      ? `${shown(use)} is ${isClass(factory) ? 'a class' : 'no adapter'}: it must export a function (options) => Backend as "backend" or as its default.${meantAdapter(use)}`
      : `the installed ${specifier} has no export "${known.factory}": install the version that belongs to @p2pl/config`,
    operation
  )
}

/** The adapter's name for messages. A value that does not look like a name is hidden, since it may be a URL with a token. */
export function shown(use: string): string {
  if (use.startsWith('file:')) return `"${unescape(use.split('/').at(-1) ?? '')}"`
  return isPackageName(use) ? `"${use}"` : 'the adapter'
}

async function load(url: URL, use: string, specifier: string, directory: string): Promise<Record<string, unknown>> {
  try {
    return (await import(/* @vite-ignore */ url.href)) as Record<string, unknown>
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    const local = url.href === use
    if (local && !existsSync(url))
      throw wrong(
        `there is no adapter ${shown(use)} in ${unescape(new URL('.', url).pathname)}: a path is relative to the file that names it, or to the current folder`,
        operation
      )
    throw new P2plError({ operation, cause, ...failureOf(cause, use, specifier, directory) })
  }
}

function failureOf(
  cause: unknown,
  use: string,
  specifier: string,
  directory: string
): { code: 'MISSING_DEPENDENCY' | 'ENGINE'; message: string } {
  const reason = reasonOf(cause)
  const code = (cause as { code?: unknown } | null)?.code
  if (code === 'ERR_MODULE_NOT_FOUND') {
    const remedy =
      knownAdapter(use) === undefined
        ? 'check its imports, and that its dependencies are installed'
        : `run "${installCommand(specifier, directory)}" again`
    const message = `${shown(use)} was found, but it or a package that it needs is incomplete (${reason}): ${remedy}`
    return { code: 'MISSING_DEPENDENCY', message }
  }
  const remedy =
    code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'
      ? '. Node runs no TypeScript from packages: its author has to publish JavaScript'
      : ''
  return { code: 'ENGINE', message: `${shown(use)} failed while it was loaded: ${reason}${remedy}` }
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return (text.split('\n')[0] ?? '').slice(0, 200)
}

/**
 * The error includes an install command only for the adapters of this project. A mistyped name may be the name of a
 * stranger's package, and installing a package runs its code.
 */
function missing(use: string, specifier: string, directory: string): P2plError {
  return new P2plError({ code: 'MISSING_DEPENDENCY', operation, message: reasonFor() })

  function reasonFor(): string {
    const names = Object.keys(knownAdapters).join(', ')
    if (!isPackageName(specifier))
      return `the adapter that the configuration names is neither a known one (${names}) nor the name of a package, nor a path that starts with "./"`
    if (knownAdapter(use) !== undefined)
      return `the adapter ${shown(use)} is not installed: run "${installCommand(specifier, directory)}"`
    const meant = meantAdapter(use)
    return meant === ''
      ? `the adapter ${shown(use)} is not installed here, and it is none of this project's (${names}): check its name, and install it as its author says`
      : `there is no adapter ${shown(use)}.${meant} This project has ${names}`
  }
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function isPackageName(specifier: string): boolean {
  return /^(?:@[a-z0-9][\w.-]{0,100}\/)?[a-z0-9][\w.-]{0,100}(?:\/[\w.-]{1,100}){0,5}$/i.test(specifier)
}
