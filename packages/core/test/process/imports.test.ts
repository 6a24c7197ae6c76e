import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Modules of packages that are loaded with a door of core, by package. Each costs half a millisecond. */
function loadedWith(door: string): Record<string, number> {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = {}
    registerHooks({
      load (url, context, next) {
        const name = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]
        if (name !== undefined) loaded[name] = (loaded[name] ?? 0) + 1
        return next(url, context)
      }
    })
    await import(${JSON.stringify(new URL(`../../src/${door}.ts`, import.meta.url).href)})
    console.log(JSON.stringify(loaded))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  return JSON.parse(out) as Record<string, number>
}

const content = ['@ipld/dag-pb', 'multiformats']
const all = ['@ipld/dag-cbor', '@ipld/dag-pb', 'cborg', 'multiformats']

it.each([
  ['index', all],
  ['backend', all],
  ['content', content]
])('the door %s loads few modules of others', (door, packages) => {
  const loaded = loadedWith(door)
  expect(Object.keys(loaded).toSorted()).toEqual(packages)
  expect(Object.values(loaded).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(40)
})
