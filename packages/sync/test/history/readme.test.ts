import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'

const cwd = temporaryFolder()

test('runs the sample of the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const sample = [...readme.matchAll(/```ts\n(.*?)```/gs)]
    .map(([, code]) => code!)
    .find((code) => code.includes('history'))
  // Inside of the package, so that its own name resolves.
  const place = mkdtempSync(join(import.meta.dirname, '.readme-'))
  try {
    const file = join(place, 'sample.ts')
    writeFileSync(file, sample!)
    const printed = execFileSync(process.execPath, ['-C', '@p2pl/source', file], {
      encoding: 'utf8',
      timeout: 150_000,
      cwd
    })
    expect(printed).toBe('before: hello\n')
  } finally {
    rmSync(place, { recursive: true })
  }
})
