import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

let integrities: Promise<ReadonlyMap<string, string>> | undefined

/** The sha512 of a package's tarball in base64, as the lockfile of the workspace has it. */
export async function integrityOf(name: string, version: string): Promise<string | undefined> {
  integrities ??= read(find(process.cwd()))
  return (await integrities).get(`${name}@${version}`)
}

function find(folder: string): string | undefined {
  const file = join(folder, 'pnpm-lock.yaml')
  if (existsSync(file)) return file
  return dirname(folder) === folder ? undefined : find(dirname(folder))
}

async function read(file: string | undefined): Promise<ReadonlyMap<string, string>> {
  const text = file === undefined ? '' : await readFile(file, 'utf8')
  const entries = text.matchAll(/^ {2}'?([^\s'][^\n']*?)'?:\n {4}resolution: \{integrity: sha512-([\w+/=]+)/gm)
  return new Map([...entries].map(([, id = '', integrity = '']) => [id, integrity]))
}
