import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { unescape } from 'node:querystring'
import { isDeepStrictEqual } from 'node:util'
import { isP2plError, P2plError, type Backend } from '@p2pl/core'
import { compose, type Layer } from '@p2pl/layers'
import { timeout } from '@p2pl/layers/timeout'
import { retry } from '@p2pl/layers/retry'
import { knownAdapter, knownAdapters, type Placement } from './adapters.ts'
import { wrong } from './errors.ts'
import { installCommand } from './install.ts'
import { didYouMean } from './nearest.ts'
import { placeOf, resolveModule } from './resolve.ts'
import type { BackendChoice, Config } from './types.ts'

/** What `createPeer` takes. */
export type Backends = { readonly backend: Backend } | { readonly messages: Backend; readonly data: Backend }

type Factory = (options: Readonly<Record<string, unknown>>) => unknown

/**
 * Loads the adapters that the configuration names, and only those, and makes unstarted backends with the layers that it
 * asks for. Equal choices for messages and data give one backend. The placement reaches the adapters of this project that
 * have a word for it; a third-party adapter gets its options as they are.
 *
 * @throws `MISSING_DEPENDENCY` with the command that installs a missing adapter; `INVALID_ARGUMENT` when a module is no
 * adapter; whatever an adapter throws when it refuses its options.
 */
export async function createBackends(config: Config, placement: Placement = {}): Promise<Backends> {
  const { messages, data } = config
  if (isDeepStrictEqual(messages, data)) return { backend: await createBackend(messages, config, placement) }
  const part = (name: string): Placement =>
    placement.dir === undefined ? placement : { ...placement, dir: join(placement.dir, name) }
  return {
    messages: await createBackend(messages, config, part('messages')),
    data: await createBackend(data, config, part('data'))
  }
}

async function createBackend(choice: BackendChoice, config: Config, placement: Placement): Promise<Backend> {
  const { use } = choice
  const options = knownAdapter(use)?.place?.(choice.options, placement) ?? choice.options
  const made = await (await loadFactory(use, config))(options)
  if (!isBackend(made)) throw wrong(`what the factory of ${shown(use)} returns is not a backend`, 'createBackends')
  // From the engine outwards: each attempt has its own deadline.
  const layers: Layer[] = []
  if (config.deadline !== undefined) layers.push(timeout(config.deadline))
  if (config.retry !== undefined) layers.push(retry(config.retry))
  return compose(made, ...layers)
}

async function loadFactory(use: string, config: Config): Promise<Factory> {
  const known = knownAdapter(use)
  const specifier = known?.package ?? use
  const here = new URL(import.meta.url)
  const project = placeOf(config.directory)
  const url = resolveModule(specifier, known === undefined ? [project, here] : [here, project])
  if (url === undefined) throw missing(use, specifier, config)
  const module = await load(url, use, specifier, config)
  const factory = known === undefined ? (module['backend'] ?? module['default']) : module[known.factory]
  if (typeof factory !== 'function')
    throw wrong(
      known === undefined
        ? `${shown(use)} is no adapter: it must export a function (options) => Backend as "backend" or as its default`
        : `the installed ${specifier} has no export "${known.factory}": install the version that belongs to @p2pl/config`,
      'createBackends'
    )
  return factory as Factory
}

async function load(url: URL, use: string, specifier: string, config: Config): Promise<Record<string, unknown>> {
  try {
    return (await import(/* @vite-ignore */ url.href)) as Record<string, unknown>
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    const local = url.href === use
    if (local && !existsSync(url))
      throw wrong(
        `there is no adapter ${shown(use)}: a path is relative to the file that names it, or to the current folder`,
        'createBackends'
      )
    const absent = (cause as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND'
    throw new P2plError({
      code: absent ? 'MISSING_DEPENDENCY' : 'ENGINE',
      operation: 'createBackends',
      cause,
      message: absent
        ? `${shown(use)} was found, but it or a package that it needs is incomplete: ${local ? 'check its imports' : `run "${installCommand(specifier, config.directory)}" again`}`
        : `${shown(use)} failed while it was loaded`
    })
  }
}

function missing(use: string, specifier: string, config: Config): P2plError {
  const known = knownAdapter(use) !== undefined
  const hint = known ? '' : didYouMean(use, Object.keys(knownAdapters))
  return new P2plError({
    code: 'MISSING_DEPENDENCY',
    operation: 'createBackends',
    message: isPackageName(specifier)
      ? `the adapter ${shown(use)} is not installed${hint === '' ? '' : `.${hint} Otherwise`}: run "${installCommand(packageOf(specifier), config.directory)}"`
      : `the adapter that the configuration names is neither a known one (${Object.keys(knownAdapters).join(', ')}) nor the name of a package, nor a path that starts with "./"`
  })
}

/** Names are shown only where they look like names: somebody may have put an URL with a token in the wrong variable. */
function shown(use: string): string {
  if (use.startsWith('file:')) return `"${unescape(use.split('/').at(-1) ?? '')}"`
  return isPackageName(use) ? `"${use}"` : 'the adapter'
}

function isPackageName(specifier: string): boolean {
  return /^(?:@[a-z0-9][\w.-]{0,100}\/)?[a-z0-9][\w.-]{0,100}(?:\/[\w.-]{1,100}){0,5}$/i.test(specifier)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function isBackend(value: unknown): value is Backend {
  const backend = value as Partial<Backend> | null | undefined
  return (
    typeof backend?.name === 'string' &&
    typeof backend.start === 'function' &&
    typeof backend.stop === 'function' &&
    typeof backend.capabilities === 'object'
  )
}
