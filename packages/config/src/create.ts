import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isP2plError, P2plError, type Backend } from '@p2pl/core'
import { compose, type Layer } from '@p2pl/layers'
import { timeout } from '@p2pl/layers/timeout'
import { retry } from '@p2pl/layers/retry'
import { knownAdapter, type Placement } from './adapters.ts'
import { wrong } from './errors.ts'
import { type Factory, loadFactory, shown } from './load-adapter.ts'
import { meantAdapter } from './nearest.ts'
import type { BackendChoice, Config } from './types.ts'

/** What `createPeer` takes. */
export type Backends = { readonly backend: Backend } | { readonly messages: Backend; readonly data: Backend }

/**
 * Loads the adapters that the configuration names, and only those, and makes unstarted backends with the layers that it
 * asks for. Equal choices for messages and data give one backend. The placement reaches the adapters of this project that
 * have a word for it; a third-party adapter gets its options as they are.
 *
 * @throws `MISSING_DEPENDENCY` when an adapter is not installed, with the command where it is one of this project;
 * `INVALID_ARGUMENT` when a module is no adapter; whatever an adapter throws when it refuses its options.
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
  const factory = await loadFactory(use, config.directory)
  const made = await call(factory, options, use)
  if (!isBackend(made))
    throw wrong(`what the factory of ${shown(use)} returns is not a backend.${meantAdapter(use)}`, 'createBackends')
  // From the engine outwards: each attempt has its own deadline.
  const layers: Layer[] = []
  if (config.deadline !== undefined) layers.push(timeout(config.deadline))
  if (config.retry !== undefined) layers.push(retry(config.retry))
  return compose(made, ...layers)
}

async function call(factory: Factory, options: BackendChoice['options'], use: string): Promise<unknown> {
  try {
    return await factory(options)
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    const message = `the factory of ${shown(use)} could not make a backend of these options`
    throw new P2plError({ code: 'ENGINE', operation: 'createBackends', cause, message })
  }
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
