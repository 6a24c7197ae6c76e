import { basename, dirname, resolve } from 'node:path'
import process from 'node:process'
import { warn } from './errors.ts'
import { readEnvironment, variableOf } from './environment.ts'
import { findFile, readConfigFile } from './file.ts'
import { type Dropped, merge, type Source } from './merge.ts'
import type { Config, ConfigInput } from './types.ts'
import { validate } from './validate.ts'

export interface LoadOptions {
  /** The folder in which to look for `p2pl.config.{ts,js,json,yaml}`. Default: the current folder. */
  cwd?: string | undefined
  /** Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * A file of any name with one of the four extensions, relative to `cwd`; `false` for no file. Default: `P2PL_CONFIG`,
   * then the search.
   */
  file?: string | false | undefined
  /** Settings for keys that neither the file nor the environment sets. */
  defaults?: ConfigInput | undefined
  /** Settings that take precedence over the file and the environment, such as an application's own command line. */
  overrides?: ConfigInput | undefined
  /**
   * Receives a sentence for each option of a file or a variable that has no effect because a stronger source chooses
   * another adapter. Default: a warning of the process.
   */
  onWarning?: ((message: string) => void) | undefined
}

/**
 * Reads and checks the configuration. Each source takes precedence over those before it: defaults, file, environment,
 * overrides.
 *
 * @throws `INVALID_ARGUMENT`, which names source, path and nearest valid key for every mistake, but never a value.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Config> {
  const cwd = resolve(options.cwd ?? process.cwd())
  const env = options.env ?? process.env
  const file = await locate(cwd, env, options.file)
  const directory = file === undefined ? cwd : dirname(file)
  const sources: Source[] = []
  const add = (name: string, input: unknown, from = cwd): void => {
    sources.push({ name, input: validate(input, name), directory: from })
  }
  if (options.defaults !== undefined) add('defaults', options.defaults)
  if (file !== undefined) add(basename(file), await readConfigFile(file), directory)
  add('environment', readEnvironment(env))
  if (options.overrides !== undefined) add('overrides', options.overrides)
  const { onWarning = warn } = options
  const merged = merge(sources, (dropped) => {
    // Defaults are meant to be overruled.
    if (dropped.source !== 'defaults') onWarning(describe(dropped))
  })
  return { ...merged, file, directory }
}

function describe({ source, path, because }: Dropped): string {
  // An entry of a list has no variable.
  const variable = path.slice(0, /^\d/.test(path[1] ?? '') ? 1 : undefined)
  const place = source === 'environment' ? variableOf(variable) : `${path.join('.')} of ${source}`
  return `${place} has no effect: the adapter that it is for is replaced by ${because === 'overrides' ? 'the application or its command line' : because}`
}

async function locate(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  file: string | false | undefined
): Promise<string | undefined> {
  if (file === false) return undefined
  const named = file ?? (env['P2PL_CONFIG'] || undefined)
  return named === undefined ? await findFile(cwd) : resolve(cwd, named)
}
