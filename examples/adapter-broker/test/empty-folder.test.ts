import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
const own = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'p2pl-author-'))

/** What an author has: the sources of the adapter, p2pl's two packages, and Node's own test runner. */
beforeAll(() => {
  cpSync(join(own, 'src'), join(folder, 'src'), { recursive: true })
  mkdirSync(join(folder, 'test'))
  const proof = readFileSync(join(own, 'test/conformance.test.ts'), 'utf8')
  writeFileSync(join(folder, 'test/conformance.test.ts'), proof.replace("'vitest'", "'node:test'"))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'theirs', type: 'module', private: true }))
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    types: ['node'],
    customConditions: ['@p2pl/source']
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src', 'test'] }))
  const link = (name: string, from = own): void => {
    mkdirSync(join(folder, 'node_modules', dirname(name)), { recursive: true })
    symlinkSync(realpathSync(join(from, 'node_modules', name)), join(folder, 'node_modules', name), 'dir')
  }
  link('@p2pl/core')
  link('@p2pl/conformance')
  link('@types/node', join(own, '../..'))
})

afterAll(() => rmSync(folder, { recursive: true }))

it('type-checks in an empty folder', async () => {
  const tsc = join(own, '../../node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

it('passes the kit in an empty folder', async () => {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, VITEST: _vitest, ...env } = process.env
  const args = ['-C', '@p2pl/source', '--test', '--test-reporter=tap', join(folder, 'test/conformance.test.ts')]
  const { stdout } = await run(process.execPath, args, { cwd: folder, env, maxBuffer: 1 << 26 })
  expect(stdout).toContain('# fail 0')
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(50)
})
