import { mkdir, readFile, rename, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecretStore } from '@p2pl/core/backend'
import { failure } from '@p2pl/kubo/rpc'

/** Secrets as files in a folder that only the user of this process can read. */
export function secretsIn(folder: string): SecretStore {
  const fileOf = (name: string): string => {
    if (!/^[a-z0-9-]{1,64}$/.test(name))
      throw failure('INVALID_ARGUMENT', 'secrets', 'the name of a secret has 1 to 64 of a-z, 0-9 and "-"')
    return join(folder, name)
  }
  return {
    get: async (name) => {
      const file = fileOf(name)
      try {
        return new Uint8Array(await readFile(file))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw failure('STORAGE', 'secrets.get', `${file} cannot be read: ${String(cause)}`, { cause })
      }
    },
    set: async (name, secret) => {
      const file = fileOf(name)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await using whole = await open(`${file}.new`, 'w', 0o600)
        await whole.writeFile(secret)
        await whole.sync()
        await rename(`${file}.new`, file)
        await using names = await open(folder)
        await names.sync()
      } catch (cause) {
        throw failure('STORAGE', 'secrets.set', `${file} cannot be written: ${String(cause)}`, { cause })
      }
    }
  }
}
