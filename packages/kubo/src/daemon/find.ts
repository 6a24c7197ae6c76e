import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { failure } from '../errors.ts'

const remedy =
  'install Kubo (https://docs.ipfs.tech/install/command-line/) so that "ipfs" is in PATH, or run "npm install kubo", or name the binary with the option daemon.binary or the variable KUBO_BINARY'

/** The binary to run: the option, `KUBO_BINARY`, `ipfs` in PATH, or the npm package `kubo`, in this order. */
export async function findKubo(option: string | undefined): Promise<string> {
  for (const [name, path] of [
    ['the option daemon.binary', option],
    ['KUBO_BINARY', process.env['KUBO_BINARY']]
  ] as const) {
    if (path === undefined || path === '') continue
    if (await isExecutable(path)) return path
    throw failure('MISSING_DEPENDENCY', 'start', `${name} names "${path}", which cannot be executed; ${remedy}`)
  }
  const found = (await findInPath()) ?? (await findPackage())
  if (found !== undefined) return found
  throw failure('MISSING_DEPENDENCY', 'start', `there is no Kubo on this machine: ${remedy}`)
}

async function findInPath(): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'ipfs.exe' : 'ipfs'
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (folder !== '' && (await isExecutable(path))) return path
  }
  return undefined
}

/** The binary that the package has downloaded. This never downloads, because a start must not depend on a download. */
async function findPackage(): Promise<string | undefined> {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const kubo = createRequire(from)('kubo') as { path(options?: { autoDownload: boolean }): string }
      const path = kubo.path({ autoDownload: false })
      if (await isExecutable(path)) return path
    } catch {
      // The package is not installed, or lacks its binary.
    }
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}
