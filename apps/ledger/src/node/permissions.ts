import { stat } from 'node:fs/promises'
import process from 'node:process'
import type { Home } from './home.ts'

/** A sentence for each permission that other users of this machine should not have. */
export async function permissionWarnings(home: Home): Promise<string[]> {
  // Windows has no such modes.
  if (process.platform === 'win32') return []
  const warnings: string[] = []
  const check = async (path: string, forbidden: number, what: string, remedy: string): Promise<void> => {
    const mode = (await stat(path).catch(() => undefined))?.mode
    if (mode !== undefined && (mode & forbidden) !== 0)
      warnings.push(`${what} (${path} has the mode ${(mode & 0o777).toString(8)}): run "chmod ${remedy} '${path}'"`)
  }
  await check(home.path, 0o022, 'others may write in the folder of this node', 'go-w')
  await check(home.identityPath, 0o077, 'others may read the key of this account', '600')
  await check(home.apiPath, 0o077, 'others may read the token of this node', '600')
  return warnings
}
