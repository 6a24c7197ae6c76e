import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { withBuildLock } from '../src/build-lock.ts'
import { buildKey } from '../src/go-build.ts'
import { ensureGoTool, type GoTool } from '../src/index.ts'
import { pinnedVersion } from '../src/tool.ts'

const folder = temporaryFolder('p2pl-go-tool-')
writeFileSync(
  join(folder, 'go.mod'),
  'module x\n\ngo 1.26.5\n\nrequire (\n\texample.org/tool/v2 v0.43.1 // indirect\n)\n'
)
writeFileSync(join(folder, 'go.sum'), '')
const tool: GoTool = {
  name: 'Tool',
  folder,
  module: 'example.org/tool/v2',
  command: 'example.org/tool/v2/cmd/tool',
  binary: 'tool',
  variable: 'P2PL_TEST_TOOL',
  takes: 'a moment'
}

/** A `go` that prints a given version, and whose build writes a file or fails. */
function fakeGo(name: string, version: string, build: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(
    join(path, 'go'),
    `#!/bin/sh
if [ "$1" = env ]; then echo ${version}; exit 0; fi
while [ $# -gt 1 ]; do if [ "$1" = -o ]; then out="$2"; fi; shift; done
${build}
`
  )
  chmodSync(join(path, 'go'), 0o755)
  return path
}

describe('ensureGoTool', () => {
  const lines: string[] = []
  const onProgress = (line: string): void => void lines.push(line)

  afterEach(() => {
    vi.unstubAllEnvs()
    lines.length = 0
  })

  it('pins the version and names the build by what goes into it', () => {
    expect(pinnedVersion(tool)).toBe('0.43.1')
    expect(buildKey(tool, 'go1.26.8')).not.toBe(buildKey(tool, 'go1.27.0'))
  })

  it('takes P2PL_TEST_TOOL, or says what is wrong with it', async () => {
    vi.stubEnv('P2PL_TEST_TOOL', process.execPath)
    expect(await ensureGoTool(tool, { onProgress })).toBe(process.execPath)
    vi.stubEnv('P2PL_TEST_TOOL', join(folder, 'none'))
    await expect(ensureGoTool(tool, { onProgress })).rejects.toMatchObject({ reason: 'binary' })
  })

  it('says why it cannot build', async () => {
    vi.stubEnv('P2PL_TEST_TOOL', '')
    vi.stubEnv('PATH', folder)
    await expect(ensureGoTool(tool, { onProgress })).rejects.toMatchObject({ reason: 'no-go' })
    vi.stubEnv('PATH', `${fakeGo('old', 'go1.26.4', 'exit 1')}:/bin:/usr/bin`)
    await expect(ensureGoTool(tool, { onProgress })).rejects.toMatchObject({ reason: 'go-too-old' })
    const cache = join(folder, 'failing')
    vi.stubEnv(
      'PATH',
      `${fakeGo('offline', 'go1.26.5', 'echo "dial tcp: lookup proxy: no such host" >&2; exit 1')}:/bin:/usr/bin`
    )
    await expect(ensureGoTool(tool, { onProgress, cache })).rejects.toMatchObject({ reason: 'download' })
    vi.stubEnv('PATH', `${fakeGo('broken', 'go1.30.0', 'echo "undefined: x" >&2; exit 1')}:/bin:/usr/bin`)
    await expect(ensureGoTool(tool, { onProgress, cache })).rejects.toMatchObject({ reason: 'build' })
  })

  it('builds once into the cache, with progress, however many ask', async () => {
    vi.stubEnv('P2PL_TEST_TOOL', '')
    const cache = join(folder, 'cache')
    const go = fakeGo(
      'good',
      'go1.26.5',
      `echo built >> ${join(folder, 'builds')}; echo a/package >&2; printf '#!/bin/sh\\n' > "$out"; chmod +x "$out"`
    )
    vi.stubEnv('PATH', `${go}:/bin:/usr/bin`)
    const paths = await Promise.all(
      Array.from({ length: 5 }, async () => await ensureGoTool(tool, { onProgress, cache }))
    )
    expect(new Set(paths).size).toBe(1)
    expect(await ensureGoTool(tool, { onProgress, cache })).toBe(paths[0])
    expect(lines.filter((line) => line.includes('built in')).length).toBe(1)
    expect(lines[0]).toContain('0.43.1')
  })
})

describe('the build lock', () => {
  it('lets one in at a time', async () => {
    const path = join(folder, 'lock')
    let inside = 0
    let most = 0
    await Promise.all(
      [1, 2, 3].map(async () => {
        await withBuildLock(
          path,
          () => {},
          async () => {
            most = Math.max(most, ++inside)
            await new Promise((resolve) => setImmediate(resolve))
            inside--
          }
        )
      })
    )
    expect(most).toBe(1)
  })

  it('is taken over from a holder that died, by process id or by age', async () => {
    const dead = join(folder, 'dead')
    mkdirSync(dead)
    writeFileSync(join(dead, 'pid'), '999999999')
    expect(
      await withBuildLock(
        dead,
        () => {},
        async () => 'in'
      )
    ).toBe('in')
    const old = join(folder, 'aged')
    mkdirSync(old)
    writeFileSync(join(old, 'pid'), String(process.pid))
    utimesSync(old, new Date(0), new Date(0))
    expect(
      await withBuildLock(
        old,
        () => {},
        async () => 'in'
      )
    ).toBe('in')
  })
})
