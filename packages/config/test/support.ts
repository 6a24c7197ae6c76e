import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'

const root = temporaryFolder('p2pl-config-')
let folders = 0

/** A folder of its own with the given files. */
export function folderWith(files: Record<string, string> = {}): string {
  const folder = join(root, String(folders++))
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** The source of a module that is an adapter: its backends tell what they were given. */
export function adapterSource(name: string, exported = 'export const backend ='): string {
  return `${exported} (options) => ({
    name: '${name}', capabilities: { runtimes: ['node'] }, given: options,
    start: async () => {}, stop: async () => {}, self: () => [{ network: '${name}', id: '${name}', addresses: [JSON.stringify(options)] }]
  })\n`
}

/** The message of the error that a promise rejects with. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it did not reject')
}
