import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, it } from 'vitest'

const samples = fileURLToPath(new URL('../samples/', import.meta.url))
const place = temporaryFolder()
/** Samples that need a daemon are left out. */
const names = readdirSync(samples).filter((name) => name.endsWith('.ts') && name !== 'preflight.ts')
const packages = ['bittorrent', 'config', 'core', 'helia', 'memory', 'sync'].map((name) => `@p2pl/${name}`)
const isLong = process.env['P2PL_LONG'] === '1'
const runtimes = { deno: ['run', '-A', '--node-modules-dir=manual'], bun: ['run'] }

it('are those that the page names, and how they are tested', () => {
  const page = readFileSync(new URL('../pages/guide/runtimes.md', import.meta.url), 'utf8')
  for (const runtime of Object.keys(runtimes))
    expect(page.toLowerCase()).toMatch(new RegExp(`\\*\\*${runtime}\\*\\* \\d`))
  expect(page).toContain('`npm run test:long`')
})

// Two runtimes of 190 MB, which only `npm run test:long` installs.
if (isLong)
  describe.each(Object.entries(runtimes))('%s', (runtime, args) => {
    const bin = join(place, 'runtimes/node_modules/.bin', runtime)
    const registry = testRegistry()

    beforeAll(async () => {
      if (!existsSync(join(place, 'app'))) {
        await install(registry, join(place, 'app'), packages)
        for (const name of names) copyFileSync(join(samples, name), join(place, 'app', name))
      }
      await install(registry, join(place, 'runtimes'), [runtime])
    }, 300_000)

    it.each(names)('runs %s', async (name) => {
      const text = readFileSync(join(samples, name), 'utf8')
      const [, expected = ''] = /\/\/ prints:\n([^]*)$/.exec(text) ?? []
      const program = spawn(bin, [...args, name], { cwd: join(place, 'app'), env: registry.env })
      const output = { out: '', error: '' }
      let closed = false
      program.once('close', () => (closed = true))
      program.stdout.on('data', (data: Buffer) => (output.out += String(data)))
      program.stderr.on('data', (data: Buffer) => (output.error += String(data)))
      const wanted =
        runtime === 'bun' && text.includes('@p2pl/helia')
          ? { out: '', error: expect.stringContaining('helia does not run in Bun') as string }
          : { out: plain(expected.replaceAll(/^\/\/ /gm, '')), error: '' }
      // In Deno a program that has used helia does not end by itself.
      await until(
        'it has ended, or printed all',
        () => closed || (plain(output.out) === wanted.out && wanted.out !== '')
      )
      program.kill('SIGKILL')
      expect({ ...output, out: plain(output.out) }).toEqual(wanted)
    })
  })

/** The runtimes print lists with different quotes. */
function plain(lines: string): string {
  return lines.replaceAll('"', "'").trim()
}
