import { join, resolve } from 'node:path'
import { type BackendChoice, type Backends, type Config, createBackends, loadConfig } from '@p2pl/config'
import type { CommandContext } from './context.ts'
import { overridesOf, wordsOf } from './tools/index.ts'

export interface Chosen {
  /** In the words of `--backend`. */
  readonly name: string
  readonly config: Config
  /** The folder of this backend's content, below `--dir`. */
  readonly folder: string
}

/** The network that file, environment and command line choose. */
export async function chooseNetwork({ options, output }: Pick<CommandContext, 'options' | 'output'>): Promise<Chosen> {
  const config = await loadConfig({
    file: options.config,
    overrides: overridesOf(options.backend),
    onWarning: (message) => output.note(`warning: ${message}`)
  })
  const name = wordsOf(config)
  // Two engines cannot read each other's folders.
  const folder = join(resolve(options.dir), name.replaceAll(/[^a-z0-9+,]+/gi, '-').slice(-60))
  return { name, config, folder }
}

/** Every backend that the configuration names: for messages, for data, and for when one of these does not work. */
export function legsOf({ messages, data }: Config): BackendChoice[] {
  return [messages, data].flatMap((choice: BackendChoice) => [choice, ...(choice.fallbacks ?? [])])
}

/** Unstarted backends, with a folder or without. `onWarning` hears of content that does not survive. */
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
