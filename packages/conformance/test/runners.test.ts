import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fakeFixture } from '../src/fake/index.ts'
import { namesOf } from './support.ts'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const mocha = join(dirname(require.resolve('mocha/package.json')), 'bin', 'mocha.js')

interface Ended {
  readonly code: number | string
  readonly output: string
}

async function run(...args: readonly string[]): Promise<Ended> {
  // A runner that finds itself inside another one may change how it reports.
  const { NODE_TEST_CONTEXT: _context, VITEST: _vitest, NODE_OPTIONS: _options, ...env } = process.env
  return await new Promise((resolve) => {
    execFile(process.execPath, ['-C', '@p2pl/source', ...args], { env, timeout: 150_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? String(error.signal)), output: stdout + stderr })
    })
  })
}

describe('the kit under other runners', () => {
  it('passes under node:test with every test that it defines', async () => {
    const defined = namesOf(fakeFixture()).length
    const { code, output } = await run('--test', '--test-reporter=tap', join(here, 'runners', 'node-test.ts'))
    expect(code, output).toBe(0)
    expect(output).toContain(`# pass ${defined}`)
    expect(output).toContain('# fail 0')
  })

  it('passes under mocha with every test that it defines', async () => {
    const defined = namesOf(fakeFixture()).length
    const { code, output } = await run(mocha, '--no-config', '--reporter', 'json', join(here, 'runners', 'mocha.ts'))
    expect(code, output).toBe(0)
    const { stats } = JSON.parse(output) as { stats: { passes: number; failures: number; pending: number } }
    expect(stats).toMatchObject({ passes: defined, failures: 0, pending: 0 })
  })
})
