import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { program } from './launch.ts'
import { p2pl } from './support.ts'

const folder = temporaryFolder()
const bun = binary()

function binary(): string | undefined {
  try {
    // A tool of the workspace; it has no package for every platform.
    return createRequire(join(import.meta.dirname, '../../../package.json')).resolve('@oven/bun-linux-x64/bin/bun')
  } catch {
    return undefined
  }
}

interface Outcome {
  readonly code?: number
  readonly stdout: string
  readonly stderr: string
}

async function inBun(...args: readonly string[]): Promise<Outcome> {
  const [, , file = ''] = program
  const env = { ...process.env, P2PL_DIR: folder }
  return await promisify(execFile)(bun ?? '', ['--conditions=@p2pl/source', file, ...args], {
    env,
    timeout: 100_000
  }).catch((error: unknown) => error as Outcome)
}

if (bun !== undefined)
  describe('in Bun', () => {
    it('bittorrent works, and its content is that of Node', async () => {
      const backend = ['--backend', 'bittorrent']
      const { stdout } = await inBun(...backend, '--json', 'add', import.meta.filename)
      const { cid } = JSON.parse(stdout) as { cid: string }
      const place = { dir: folder }
      const { stdout: text } = await p2pl(place, [...backend, 'get', cid])
      expect(text).toContain('its content is that of Node')
      expect((await inBun(...backend, 'get', cid)).stdout).toBe(text)
    })

    it.each([
      ['helia', /does not run in Bun.*Use Node/],
      ['ipfs-rpc', /which Bun replaces.*use Node/]
    ])('%s is refused with a sentence', async (name, sentence) => {
      const { code, stderr } = await inBun('--backend', name, 'peers')
      expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)])
      const { stdout } = await inBun('--backend', name, 'doctor')
      expect(stdout).toMatch(/! runtime +this is Bun .*, in which only bittorrent and memory run\n +→ use Node/)
    })
  })
else it('is not tried on this platform', () => expect(`${process.platform}-${process.arch}`).not.toBe('linux-x64'))
