import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { commandsOf } from '@p2pl/tooling-vitest/terminal'
import { expect, it } from 'vitest'
import { program } from './launch.ts'
import { p2pl, Running } from './support.ts'

const folder = temporaryFolder()
const readme = new URL('../README.md', import.meta.url)
const place = { dir: join(folder, 'peer') }
mkdirSync(place.dir)

it('runs the commands about content as they stand', async () => {
  const [, script = ''] = /<!-- run in the tests -->\s+```sh\n(.*?)```/s.exec(readFileSync(readme, 'utf8')) ?? []
  const command = join(folder, 'p2pl')
  const words = [process.execPath, ...program].map((word) => `'${word}'`).join(' ')
  writeFileSync(command, `#!/bin/sh\nexec ${words} "$@"\n`)
  chmodSync(command, 0o755)
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, P2PL_DIR: place.dir }
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })
  // The CIDs that it names are those that come out.
  for (const [cid] of script.matchAll(/bafy?k?[a-z0-9]{50,}/g)) expect(stdout).toContain(cid)
  expect(stdout).toContain('\nhello\n')
  expect(readFileSync(join(folder, 'copy', 'a.txt'), 'utf8')).toBe('hello\n')
})

it('two terminals talk by its commands', async () => {
  const [, sub = '', pub = ''] = commandsOf(readme, 'p2pl').map((line) => line.replace(/ *#.*/, ''))
  const listener = new Running(place, ...sub.split(' ').slice(1))
  await listener.address()
  expect(await p2pl(place, pub.split(' ').slice(1))).toMatchObject({ code: 0 })
  await listener.prints(/^hello$/)
})
