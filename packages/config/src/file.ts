import { readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseDocument } from 'yaml'
import { wrong } from './errors.ts'

const extensions = ['.ts', '.js', '.json', '.yaml'] as const
/** Endings that somebody may expect to be read, and that are not: a file that is passed over in silence is worse than an error. */
const unread = ['.mts', '.cts', '.mjs', '.cjs', '.jsonc', '.json5', '.yml', '.toml'] as const
const maxBytes = 1_048_576

/** The configuration file of a folder, if there is one. Two are an error: it would be unclear which one counts. */
export async function findFile(folder: string): Promise<string | undefined> {
  const [wrongly] = await present(folder, unread)
  if (wrongly !== undefined)
    throw wrong(`${basename(wrongly)}: a configuration file ends in ${extensions.join(', ')}: rename it`)
  const found = await present(folder, extensions)
  if (found.length > 1)
    throw wrong(`${found.map((path) => basename(path)).join(' and ')} stand side by side: keep one of them`)
  return found[0]
}

async function present(folder: string, endings: readonly string[]): Promise<string[]> {
  const paths = await Promise.all(
    endings.map(async (ending) => {
      const path = join(folder, `p2pl.config${ending}`)
      return (await isFile(path)) ? path : undefined
    })
  )
  return paths.filter((path) => path !== undefined)
}

/** What a configuration file says. Its text is never part of an error: it may hold secrets. */
export async function readConfigFile(path: string): Promise<unknown> {
  const source = basename(path)
  const extension = extname(path)
  if (!extensions.some((known) => known === extension))
    throw wrong(`${source}: a configuration file ends in ${extensions.join(', ')}`)
  if (!(await isFile(path))) throw wrong(`there is no configuration file ${path}`)
  if ((await stat(path)).size > maxBytes) throw wrong(`${source} is larger than ${maxBytes} bytes`)
  if (extension === '.json') return parseJson(await readFile(path, 'utf8'), source)
  if (extension === '.yaml') return parseYaml(await readFile(path, 'utf8'), source)
  return await importDefault(path, source)
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    // The message of the parser quotes the text: only the position is taken from it.
    const position = /position (\d+)/.exec(String(error))?.[1]
    throw wrong(`${source}: not JSON${position === undefined ? '' : ` (${lineAndColumn(text, Number(position))})`}`)
  }
}

function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function parseYaml(text: string, source: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) throw wrong(`${source}: not YAML (${error.code}, ${lineAndColumn(text, error.pos[0])})`)
  try {
    return (document.toJS({ maxAliasCount: 100 }) as unknown) ?? {}
  } catch {
    throw wrong(`${source}: not YAML that can be used (aliases without end)`)
  }
}

async function importDefault(path: string, source: string): Promise<unknown> {
  let module: { default?: unknown }
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { default?: unknown }
  } catch {
    // What was thrown may quote the source, and is therefore not passed on.
    throw wrong(`${source} could not be loaded: run node '${path}' to see why`)
  }
  if (module.default === undefined)
    throw wrong(`${source} has no default export: write "export default defineConfig({ … })"`)
  return module.default
}
