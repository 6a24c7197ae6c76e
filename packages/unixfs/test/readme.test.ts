import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

// Inside of the package, so that its own name resolves.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

it('runs the first sample of the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const file = join(folder, 'sample.ts')
  writeFileSync(file, /```ts\n(.*?)```/s.exec(readme)![1]!)
  const stdout = execFileSync(process.execPath, ['-C', '@p2pl/source', file], { encoding: 'utf8', timeout: 50_000 })
  expect(stdout).toBe('directory docs undefined\nfile docs/empty.txt 0\nfile readme.txt 5\nhello\n')
})
