import { overridesOf, wordsOf } from '@p2pl/cli/tools'
import { type Backends, createBackends, loadConfig } from '@p2pl/config'
import { isP2plError } from '@p2pl/core'
import { compose, type Layer } from '@p2pl/layers'
import { LedgerError } from '../errors.ts'
import type { Home } from './home.ts'

export interface BackendOptions {
  /**
   * The short name or module of a backend for everything, or of two backends, `messages+data`. Each of the two may be
   * several names separated by commas; the first one that works is used. It takes precedence over the folder's
   * `p2pl.config.*` and the environment. Default: what these say.
   */
  readonly backend?: string | undefined
  /** Addresses to listen on, in the engine's own form. */
  readonly listen?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** `false`: do not read a configuration file. */
  readonly file?: false | undefined
  /** Receives a sentence for each part of the configuration that has no effect. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** Chooses the network that a node uses. Configuration alone decides, and no other code of this app. */
export async function chooseBackend(
  home: Home,
  options: BackendOptions
): Promise<{ name: string; backends: Backends }> {
  const config = await loadConfig({
    cwd: home.path,
    env: options.env,
    file: options.file,
    overrides: overridesOf(options.backend),
    onWarning: options.onWarning
  })
  const listen = options.listen?.length === 0 ? undefined : options.listen
  const placement = { dir: home.contentPath, durability: 'power', listen, onWarning: options.onWarning } as const
  return { name: wordsOf(config), backends: await createBackends(config, placement) }
}

/**
 * Throws `INVALID_ARGUMENT` for a name that is not an adapter, before a folder exists. It creates the backends but
 * starts none.
 */
export async function checkBackend(backend: string): Promise<void> {
  try {
    const onWarning = (): void => undefined
    const config = await loadConfig({ file: false, overrides: overridesOf(backend), onWarning })
    await createBackends(config, { onWarning })
  } catch (error) {
    if (!isP2plError(error, 'MISSING_DEPENDENCY') && !isP2plError(error, 'INVALID_ARGUMENT')) throw error
    throw new LedgerError('INVALID_ARGUMENT', `--backend: ${error.message}`, error)
  }
}

export function withLayers(backends: Backends, layers: readonly Layer[]): Backends {
  if ('backend' in backends) return { backend: compose(backends.backend, ...layers) }
  return { messages: compose(backends.messages, ...layers), data: compose(backends.data, ...layers) }
}
