import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { replace } from '../src/http/build-page.ts'

const root = temporaryFolder()

/** A folder with a page, as a build makes it, and the place for it. */
function built(name: string, there?: string): { place: string; made: string; page: () => string } {
  const [place, made] = [join(root, name, 'dist'), join(root, name, 'made')]
  mkdirSync(made, { recursive: true })
  writeFileSync(join(made, 'index.html'), 'made here')
  if (there !== undefined) {
    mkdirSync(place)
    writeFileSync(join(place, 'index.html'), there)
  }
  return { place, made, page: () => readFileSync(join(place, 'index.html'), 'utf8') }
}

it.each([
  ['first', undefined],
  ['newer', 'an old one']
])('puts the %s page in its place', async (name, there) => {
  const { place, made, page } = built(name, there)
  await replace(place, made, () => Promise.resolve(false))
  expect(page()).toBe('made here')
  expect(readdirSync(join(root, name))).toEqual(['dist'])
})

it('leaves the page where it is that another process has built in the meantime: it is served already', async () => {
  const { place, made, page } = built('served', 'made by another')
  const { ino } = statSync(place)
  await replace(place, made, () => Promise.resolve(true))
  expect(page()).toBe('made by another')
  expect(statSync(place).ino).toBe(ino)
  expect(readdirSync(join(root, 'served'))).toEqual(['dist'])
})
