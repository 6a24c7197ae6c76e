import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { install } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, it } from 'vitest'

const folder = temporaryFolder()
const registry = testRegistry()

beforeAll(async () => {
  await install(registry, folder, ['@p2pl/cli'])
}, 300_000)

/** The installed command, by its name. */
async function p2pl(...args: string[]): Promise<{ code?: number; stdout: string; stderr: string }> {
  const PATH = `${join(folder, 'node_modules', '.bin')}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  // The workspace's own packages are not those of the folder.
  const env = { ...process.env, PATH, NODE_PATH: '', P2PL_DIR: join(folder, 'peer') }
  return await promisify(execFile)('p2pl', args, { cwd: folder, env }).catch(
    (error: unknown) => error as { code: number; stdout: string; stderr: string }
  )
}

describe('installed from a registry', () => {
  it('runs on each backend that it brings', async () => {
    writeFileSync(join(folder, 'file.txt'), 'hello')
    const cid = 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'
    for (const backend of ['helia', 'bittorrent']) {
      expect(await p2pl('--backend', backend, 'add', 'file.txt')).toMatchObject({ stdout: `${cid}  file.txt\n` })
      expect(await p2pl('--backend', backend, 'get', cid)).toMatchObject({ stdout: 'hello', stderr: '' })
    }
    expect((await p2pl('--backend', 'memory', 'bench', '--size', '1')).stderr).toContain('(UNSUPPORTED)')
    expect((await p2pl('bench', '--size', '1', '--messages', '10')).stdout).toMatch(/^messages .*10 of 10 arrived/m)
  })

  it('adapter not installed: the doctor gives the command that installs it', async () => {
    rmSync(join(folder, 'node_modules', '@p2pl', 'bittorrent'), { recursive: true })
    const { code, stdout } = await p2pl('--backend', 'bittorrent', 'doctor')
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /✗ backend +the adapter "bittorrent" is not installed\n +→ run "npm install @p2pl\/bittorrent"\n/
    )
  })
})
