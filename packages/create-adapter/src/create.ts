import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manifestOf } from './manifest.ts'
import { render, type Variant } from './render.ts'

export interface AdapterOptions {
  /** The name of the package: `my-net` or `@me/my-net`. */
  readonly name: string
  /** Messages only. Default: content as well. */
  readonly messagesOnly?: boolean | undefined
}

export interface Adapter {
  /** Relative to the given directory. */
  readonly folder: string
  readonly files: number
}

const template = fileURLToPath(new URL('../template/', import.meta.url))
const onlyFull = ['src/blocks.ts', 'src/identity.ts', 'src/engine/exchange.ts']
/** npm leaves `.gitignore` out of tarballs, and tools of the workspace would take `tsconfig.json` for their own. */
const renamed: Readonly<Record<string, string>> = { _gitignore: '.gitignore', '_tsconfig.json': 'tsconfig.json' }

/**
 * Creates the package in a new folder inside the directory. Throws if the name is not a valid package name, or if the
 * folder is not empty.
 */
export async function createAdapter(
  { name, messagesOnly = false }: AdapterOptions,
  directory: string
): Promise<Adapter> {
  if (name.length > 100 || !/^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/.test(name))
    throw new TypeError(
      `${JSON.stringify(name.slice(0, 100))} is no name for a package: use lower-case letters, digits and "-", such as my-net or @me/my-net`
    )
  const folder = name.split('/').at(-1) ?? name
  const target = join(directory, folder)
  const there = await readdir(target).catch(() => [])
  if (there.length > 0) throw new Error(`the folder ${folder} is not empty: choose another name, or remove it`)
  const variant: Variant = { package: name, network: folder, kind: messagesOnly ? 'messages' : 'full' }
  const files = new Map([['package.json', JSON.stringify(await manifestOf(variant), undefined, 2) + '\n']])
  for (const path of await templateFiles()) {
    if (messagesOnly && onlyFull.includes(path)) continue
    files.set(renamed[path] ?? path, render(await readFile(join(template, path), 'utf8'), variant))
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(target, path)), { recursive: true })
    await writeFile(join(target, path), text)
  }
  return { folder, files: files.size }
}

async function templateFiles(): Promise<string[]> {
  const entries = await readdir(template, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(template, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted()
}
