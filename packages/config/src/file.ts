import { lstat, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { wrong } from './errors.ts'
import { lineAndColumn, parseYaml } from './yaml.ts'

const extensions = ['.ts', '.js', '.json', '.yaml'] as const
/** Extensions that a user may expect to work. An error is better than a file that is silently ignored. */
const unread = ['.mts', '.cts', '.mjs', '.cjs', '.jsonc', '.json5', '.yml', '.toml'] as const
const maxBytes = 1_048_576

/** The configuration file of a folder, if there is one. Two files are an error, since it would be unclear which one counts. */
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
      // A folder or a broken link of this name counts, too; reading it gives an error that says what is wrong.
      return (await onDisk(basename(path), () => lstat(path))) === undefined ? undefined : path
    })
  )
  return paths.filter((path) => path !== undefined)
}

/** The content of a configuration file. Errors never quote its text, because it may contain secrets. */
export async function readConfigFile(path: string): Promise<unknown> {
  const source = basename(path)
  const extension = extname(path)
  if (!extensions.some((known) => known === extension))
    throw wrong(`${source}: a configuration file ends in ${extensions.join(', ')}`)
  const status = await onDisk(source, () => stat(path))
  if (status === undefined)
    throw wrong(
      (await isLink(path))
        ? `${source} is a link to nothing: mend or remove it`
        : `there is no configuration file ${path}`
    )
  if (status.isDirectory()) throw wrong(`${source} is a folder: a configuration is a file`)
  if (!status.isFile()) throw wrong(`${source} is no regular file: a configuration is one`)
  if (status.size > maxBytes) throw wrong(`${source} is larger than ${maxBytes} bytes`)
  if (extension !== '.json' && extension !== '.yaml') return await importDefault(path, source)
  const text = (await onDisk(source, () => readFile(path, 'utf8'))) ?? ''
  return extension === '.json' ? parseJson(text, source) : parseYaml(text, source)
}

async function isLink(path: string): Promise<boolean> {
  return (await onDisk(basename(path), () => lstat(path)))?.isSymbolicLink() === true
}

/** `undefined` if there is no file. A file that cannot be read is an error, since the user may rely on it. */
async function onDisk<T>(source: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw wrong(`${source} cannot be read (${code}): check its permissions and those of its folder`)
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    // The parser's message quotes the text, so only the position is taken from it.
    const position = /position (\d+)/.exec(String(error))?.[1]
    throw wrong(`${source}: not JSON${position === undefined ? '' : ` (${lineAndColumn(text, Number(position))})`}`)
  }
}

async function importDefault(path: string, source: string): Promise<unknown> {
  let module: { default?: unknown }
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { default?: unknown }
  } catch {
    // The error may quote the source, so it is not passed on.
    throw wrong(`${source} could not be loaded: run node '${path}' to see why`)
  }
  if (module.default === undefined)
    throw wrong(`${source} has no default export: write "export default defineConfig({ … })"`)
  return module.default
}
