import { join, resolve } from 'node:path'
import { type BackendChoice, type Backends, type Config, createBackends, loadConfig } from '@p2pl/config'
import type { CommandContext } from './context.ts'
import { overridesOf, wordsOf } from './tools/index.ts'

export interface Chosen {
  /** In the syntax of `--backend`. */
  readonly name: string
  readonly config: Config
  /** The folder of this backend's content, below `--dir`. */
  readonly folder: string
}

/** The network that the file, the environment and the command line choose. */
export async function chooseNetwork({ options, output }: Pick<CommandContext, 'options' | 'output'>): Promise<Chosen> {
  const config = await loadConfig({
    file: options.config,
    overrides: overridesOf(options.backend),
    onWarning: (message) => output.note(`warning: ${message}`)
  })
  const name = wordsOf(config)
  // An engine cannot read another engine's folder.
  const folder = join(resolve(options.dir), name.replaceAll(/[^a-z0-9+,]+/gi, '-').slice(-60))
  return { name, config, folder }
}

/** Every backend that the configuration names: for messages, for data, and as fallbacks. */
export function legsOf({ messages, data }: Config): BackendChoice[] {
  return [messages, data].flatMap((choice: BackendChoice) => [choice, ...(choice.fallbacks ?? [])])
}

/** Unstarted backends, with or without a folder. `onWarning` reports content that does not survive. */
export async function makeBackends(
  { config }: Chosen,
  {
    dir,
    listen,
    onWarning
  }: {
    dir?: string | undefined
    listen?: readonly string[] | undefined
    onWarning?: ((message: string) => void) | undefined
  }
): Promise<Backends> {
  const durability = dir === undefined ? undefined : 'process'
  return await createBackends(config, { dir, durability, listen, onWarning: onWarning ?? (() => undefined) })
}
