import { execFile } from 'node:child_process'
import { readFile, writeFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const folder = dirname(fileURLToPath(import.meta.url))

it('runs the first example of the README, under node:test', async () => {
  const readme = await readFile(join(folder, '..', 'README.md'), 'utf8')
  const sample = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(sample).toContain('conformance(')
  // Inside the package, so that its own name resolves.
  const file = join(folder, `readme-sample-${process.pid}.ts`)
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
  await writeFile(file, sample.replace("from 'vitest'", "from 'node:test'"))
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['-C', '@p2pl/source', '--test', '--test-reporter=tap', file],
      { env, timeout: 50_000, maxBuffer: 16 * 1024 * 1024 }
    )
    expect(stdout).toContain('# fail 0')
  } finally {
    await rm(file)
  }
})
