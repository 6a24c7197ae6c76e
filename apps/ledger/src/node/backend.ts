import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Backends, createBackends, loadConfig } from '@p2pl/config'
import { LedgerError } from '../errors.ts'
import type { Home } from './home.ts'

export interface BackendOptions {
  /**
   * A backend's short name or module, for everything; or two of them, `messages+data`. It overrules the folder's
   * `p2pl.config.*` and the environment. Default: what they say.
   */
  readonly backend?: string | undefined
  /** Addresses to listen on, in the engine's own form. */
  readonly listen?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** `false`: no configuration file is read. */
  readonly file?: false | undefined
  /** Receives a sentence for each part of the configuration that has no effect. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** The network that a node runs on: chosen by configuration, and by nothing else in this app. */
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
  const { messages, data } = config
  const name = messages.use === data.use ? data.use : `${messages.use}+${data.use}`
  const listen = options.listen?.length === 0 ? undefined : options.listen
  return { name, backends: await createBackends(config, { dir: home.contentPath, durability: 'power', listen }) }
}

function overridesOf(
  backend: string | undefined
): { backend: string } | { messages: string; data: string } | undefined {
  if (backend === undefined) return undefined
  // A path may have a plus in its name.
  const parts = isPath(backend) && existsSync(backend) ? [backend] : backend.split('+')
  const [messages, data, ...rest] = parts.map((part) => (isPath(part) ? resolve(part) : part))
  if (messages === undefined || messages === '' || data === '' || rest.length > 0)
    throw new LedgerError('INVALID_ARGUMENT', 'backend must be a name, or two with "+" between them: messages+data')
  return data === undefined ? { backend: messages } : { messages, data }
}

/** It is relative to where the user stands, not to the folder of the node. */
function isPath(backend: string): boolean {
  return /^\.{0,2}[/\\]/.test(backend)
}
