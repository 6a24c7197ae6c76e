import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```js\n(.*?)```.*?```text\n(.*?)```/gs)].map(([, code, output]) => ({
  code,
  output
}))
// Inside of the package, so that its own name resolves.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

it('has two examples', () => {
  expect(examples).toHaveLength(2)
})

it.each(examples)('prints what the README says', ({ code, output }) => {
  const file = join(folder, 'example.mjs')
  writeFileSync(file, code!)
  const printed = execFileSync(process.execPath, ['-C', '@p2pl/source', file], { encoding: 'utf8', timeout: 150_000 })
  expect(printed).toBe(output)
})
