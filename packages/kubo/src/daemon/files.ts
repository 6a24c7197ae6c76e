import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file of ours inside a repo. */
export function ownFile(repo: string, name: string): string {
  return join(repo, 'p2pl', name)
}

/** Replaces the file by a whole new one, readable by its owner only. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
