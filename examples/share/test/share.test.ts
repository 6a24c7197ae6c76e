import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { commandsOf, Terminal } from '@p2pl/tooling-vitest/terminal'
import { expect, it } from 'vitest'

const own = fileURLToPath(new URL('..', import.meta.url))
const files = 48

it('shares a folder, and goes on after a kill, as the README says', async () => {
  // A folder of a newcomer: the file, copied, and what npm would install.
  const place = temporaryFolder()
  copyFileSync(join(own, 'share.mjs'), join(place, 'share.mjs'))
  symlinkSync(join(own, 'node_modules'), join(place, 'node_modules'))
  mkdirSync(join(place, 'photos/2026'), { recursive: true })
  for (let i = 0; i < files; i++) writeFileSync(join(place, 'photos/2026', `${i}.jpg`), seededBytes(1_500_000, i))

  const [first = ''] = commandsOf(new URL('../README.md', import.meta.url), 'node')
  const giver = new Terminal(first, place)
  const [, second = ''] = await giver.prints(/^In another terminal: (node share\.mjs copy bafy\S+ \/ip4\/\S+)$/)
  // It dies in the middle, at the moment in which it says so: a machine that is busy could notice too late.
  writeFileSync(
    join(place, 'dies.mjs'),
    `const log = console.log
    console.log = (text) => {
      log(text)
      if (/^[4-8]\\d % is here$/.test(text)) process.kill(process.pid, 'SIGKILL')
    }`
  )
  const killed = new Terminal(second.replace('node ', 'node --import ./dies.mjs '), place)
  expect(await killed.ended()).toBe(null)
  const copy = join(place, 'copy/2026')
  const before = complete(copy)
  expect(before.size).toBeGreaterThan(0)
  expect(before.size).toBeLessThan(files)

  const taker = new Terminal(second, place)
  await taker.prints(new RegExp(`^${files} files are in copy$`))
  expect(await taker.ended()).toBe(0)
  for (let i = 0; i < files; i++) {
    const given = readFileSync(join(place, 'photos/2026', `${i}.jpg`))
    expect(given.equals(readFileSync(join(copy, `${i}.jpg`)))).toBe(true)
  }
  // What was complete before the kill was not written again.
  const after = complete(copy)
  for (const [name, written] of before) expect(after.get(name)).toBe(written)
  giver.type('')
  expect(await giver.ended()).toBe(0)
})

/** When each file of full size was written. */
function complete(folder: string): Map<string, number> {
  const stats = readdirSync(folder).map((name) => [name, statSync(join(folder, name))] as const)
  return new Map(stats.filter(([, { size }]) => size === 1_500_000).map(([name, { mtimeMs }]) => [name, mtimeMs]))
}
