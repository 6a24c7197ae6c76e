import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isP2plError, P2plError, type Backend } from '@p2pl/core'
import { compose, type Layer } from '@p2pl/layers'
import { timeout } from '@p2pl/layers/timeout'
import { retry } from '@p2pl/layers/retry'
import { knownAdapter, type Placement } from './adapters.ts'
import { warn, wrong } from './errors.ts'
import { type Factory, loadFactory, shown } from './load-adapter.ts'
import { meantAdapter } from './nearest.ts'
import type { BackendChoice, Config } from './types.ts'

/** What `createPeer` takes. */
export type Backends = { readonly backend: Backend } | { readonly messages: Backend; readonly data: Backend }

/**
 * Loads the adapters that the configuration names, and only those, and makes unstarted backends with the layers that it
 * asks for. Equal choices for messages and data give one backend. The placement reaches each adapter that
 * has a word for it.
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
  const { use, options } = choice
  const factory = await loadFactory(use, config.directory)
  const known = knownAdapter(use)
  const made =
    known === undefined
      ? await makePlaced(factory, options, use, placement)
      : await call(factory, known.place?.(options, placement) ?? options, use)
  if (!isBackend(made))
    throw wrong(`what the factory of ${shown(use)} returns is not a backend.${meantAdapter(use)}`, 'createBackends')
  // From the engine outwards: each attempt has its own timeout.
  const layers: Layer[] = []
  if (config.timeout !== undefined) layers.push(timeout(config.timeout))
  if (config.retry !== undefined) layers.push(retry(config.retry))
  return compose(made, ...layers)
}

/**
 * Gives a third-party adapter each word of the placement that it accepts as an option of that name, and warns about the others.
 * The backends that this makes are not started, so finding out costs nothing.
 */
async function makePlaced(
  factory: Factory,
  options: BackendChoice['options'],
  use: string,
  { onWarning = warn, ...placement }: Placement
): Promise<unknown> {
  let made: unknown
  let taken = options
  for (const [word, value] of Object.entries(placement)) {
    if (value === undefined || (word !== 'listen' && Object.hasOwn(options, word))) continue
    const more = { ...taken, [word]: value }
    try {
      made = await call(factory, more, use)
      taken = more
    } catch (error) {
      if (!isP2plError(error, 'INVALID_ARGUMENT')) throw error
      onWarning(`${shown(use)} takes no option "${word}": ${consequences[word as keyof typeof consequences]}`)
    }
  }
  return made ?? (await call(factory, options, use))
}

const consequences = {
  dir: 'what it stores may not survive the process',
  durability: 'what it stores may not survive a loss of power',
  listen: 'it listens where its own options say'
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
