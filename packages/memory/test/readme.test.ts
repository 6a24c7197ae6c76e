import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const run = (...args: string[]): string =>
  execFileSync(process.execPath, ['-C', '@p2pl/source', ...args], { encoding: 'utf8', timeout: 150_000 })
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const readme = read('../README.md')
const [, example, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(readme)!
// Inside of the package, so that its own name resolves.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

it('prints what the README says', () => {
  const file = join(folder, 'example.mjs')
  writeFileSync(file, example!)
  expect(run(file)).toBe(output)
})

it('runs the first sample of core’s README', () => {
  const file = join(folder, 'core.ts')
  writeFileSync(file, /```ts\n(.*?)```/s.exec(read('../../core/README.md'))![1]!)
  expect(run(file)).toBe("true { from: 'e2', to: 'e4' }\n3000000\n")
})
