import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

let integrities: Promise<ReadonlyMap<string, string>> | undefined

/** The sha512 of a package's tarball in base64, from the lockfile of the workspace. */
export async function integrityOf(name: string, version: string): Promise<string | undefined> {
  integrities ??= read(fileAbove('pnpm-lock.yaml'))
  return (await integrities).get(`${name}@${version}`)
}

/**
 * The path of the file in this folder or the nearest parent that has it. While a package is built, that is the
 * workspace.
 */
export function fileAbove(name: string, folder: string = process.cwd()): string | undefined {
  const file = join(folder, name)
  if (existsSync(file)) return file
  return dirname(folder) === folder ? undefined : fileAbove(name, dirname(folder))
}

async function read(file: string | undefined): Promise<ReadonlyMap<string, string>> {
  const text = file === undefined ? '' : await readFile(file, 'utf8')
  const entries = text.matchAll(/^ {2}'?([^\s'][^\n']*?)'?:\n {4}resolution: \{integrity: sha512-([\w+/=]+)/gm)
  return new Map([...entries].map(([, id = '', integrity = '']) => [id, integrity]))
}
