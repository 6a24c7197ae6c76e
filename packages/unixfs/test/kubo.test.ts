import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { fromFolder } from '../src/node.ts'

describeWithKubo('ipfs add -r', (binary) => {
  it('gives the same CIDs, also where directories begin to be sharded', async () => {
    const base = temporaryFolder()
    const folder = join(base, 'folder')
    const make = (path: string, content?: Uint8Array | string): void => {
      const place = join(folder, path)
      mkdirSync(content === undefined ? place : join(place, '..'), { recursive: true })
      if (content !== undefined) writeFileSync(place, content)
    }
    make('empty')
    make('deep/er/zero', '')
    make('deep/ünï', 'u')
    make('several chunks', seededBytes(3_333_333, 1))
    make('.hidden', 'Kubo leaves it out')
    for (let i = 0; i < 1_000; i++) {
      make(`many files/${'n'.repeat(240)}${i}`, String(i))
      make(`many folders/${'d'.repeat(240)}${i}`)
    }
    // A link takes 289 bytes here: the directory's block passes 256 KiB between 907 and 908.
    for (const count of [907, 908]) {
      for (let i = 0; i < count; i++) make(`${count}/${'n'.repeat(239)}${String(i).padStart(4, '0')}`, 'x')
    }
    const env = { ...process.env, IPFS_PATH: join(base, 'repo'), IPFS_TELEMETRY: 'off' }
    execFileSync(binary, ['init', '--profile=test,unixfs-v1-2025'], { env, stdio: 'ignore' })
    const kubo = (path: string): string =>
      execFileSync(binary, ['add', '-r', '-Q', '--only-hash', join(folder, path)], { env, encoding: 'utf8' }).trim()

    const peer = await createPeer({ backend: memory() })
    try {
      const { cid } = await unixfs(peer).addDirectory(fromFolder(folder))
      for (const part of ['many files', 'many folders', '907', '908', 'deep']) {
        expect((await unixfs(peer).resolve(`${cid.toString()}/${part}`)).toString(), part).toBe(kubo(part))
      }
      expect(cid.toString()).toBe(kubo('.'))
    } finally {
      await peer.stop()
    }
  })
})
