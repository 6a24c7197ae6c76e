import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { beforeEach, expect, it } from 'vitest'

// `npm start` in a fresh clone, with an npx that records its calls.

const root = new URL('../../../', import.meta.url)
const base = temporaryFolder()
let folder = ''
let count = 0

beforeEach(async () => {
  folder = join(base, String(count++))
  await mkdir(join(folder, 'bin'), { recursive: true })
  for (const file of ['package.json', 'pnpm-lock.yaml', 'tooling/run.mjs'])
    await copyFile(new URL(file, root), join(folder, file.split('/').at(-1) ?? ''))
  // It also installs, and ends with the given exit code.
  const fake =
    '#!/bin/sh\necho "npx $*"\necho "$*" >> calls\nmkdir -p node_modules\ncase "$*" in *install*) touch node_modules/.modules.yaml;; esac\nexit ${CODE:-0}\n'
  await writeFile(join(folder, 'bin', 'npx'), fake)
  await chmod(join(folder, 'bin', 'npx'), 0o755)
})

interface Result {
  code: unknown
  stdout: string
  stderr: string
}

async function run(args: string[], env: Record<string, string> = {}, before: string[] = []): Promise<Result> {
  const PATH = `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`
  const child = spawn(process.execPath, [...before, 'run.mjs', 'pnpm@12.21.0', ...args], {
    cwd: folder,
    env: { PATH, ...env }
  })
  const result: Result = { code: undefined, stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => (result[name] += chunk))
  ;[result.code] = (await once(child, 'close')) as unknown[]
  return result
}

async function calls(): Promise<string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n')
}

it('says at once that it installs, and then runs the script with its arguments', async () => {
  const { code, stdout, stderr } = await run(['ledger:demo', '--', '--once', '--dir', 'a b'])
  expect(code).toBe(0)
  expect(stderr).toMatch(/^Installing what the workspace needs.*npx .*install --reporter/s)
  expect((await calls()).map((call) => call.replace(/^--yes pnpm@[\d.]+ /, ''))).toEqual([
    'install --reporter=append-only',
    'run --silent ledger:demo -- --once --dir a b'
  ])
  // Only the output of the script is on stdout.
  expect(stdout).toMatch(/^npx .*run --silent ledger:demo .*\n$/)
})

it('installs again when other packages are locked, and not otherwise', async () => {
  await run(['test:all'])
  const { stderr } = await run(['test:all'])
  expect([stderr, await calls()]).toEqual(['', expect.arrayContaining([])])
  expect(await calls()).toHaveLength(3)
  const later = new Date(Date.now() + 10_000)
  await utimes(join(folder, 'pnpm-lock.yaml'), later, later)
  await run(['test:all'])
  expect(await calls()).toHaveLength(5)
})

it('ends with the code of what failed, and runs nothing after an install that failed', async () => {
  expect((await run(['ledger:demo'], { CODE: '7' })).code).toBe(7)
  expect(await calls()).toHaveLength(1)
  expect((await run(['ledger:demo'], { CODE: '3' })).code).toBe(3)
})

it('says what to install where the workspace brings no Node', async () => {
  const pretend = (version: string): string[] => {
    const code = `Object.defineProperties(process, { platform: { value: 'darwin' }, arch: { value: 'arm64' } });
      Object.defineProperty(process.versions, 'node', { value: '${version}' })`
    return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
  }
  const old = await run(['ledger:demo'], {}, pretend('20.19.0'))
  expect(old).toMatchObject({ code: 1, stdout: '' })
  expect(old.stderr).toMatch(/brings no Node for darwin on arm64, and Node 20\.19\.0 is too old: install Node 24/)
  expect((await run(['ledger:demo'], {}, pretend('24.1.0'))).code).toBe(0)
})

it('is what npm runs', async () => {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const [name, script] of Object.entries({
    start: 'ledger:demo',
    test: 'test:all',
    check: 'check:all',
    bench: 'bench:run'
  }))
    expect(scripts[name]).toBe(`node tooling/run.mjs pnpm@12.21.0 ${script}`)
})
