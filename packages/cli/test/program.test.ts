import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import type { Command } from 'commander'
import { describe, expect, it, vi } from 'vitest'
import { createProgram, runCommandLine } from '../src/program.ts'
import { exitCodes } from '../src/tools/index.ts'
import { p2pl } from './support.ts'

const folder = temporaryFolder()
const bin = fileURLToPath(new URL('../bin/p2pl.cjs', import.meta.url))
const program = createProgram(() => async () => undefined)
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replaceAll('\\|', '|')

/** What a command prints in this process, and its exit code. */
async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = ''
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      text += String(chunk)
      return true
    })
  )
  try {
    return { code: await runCommandLine(args, new AbortController().signal), text }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

function all(command: Command, path: readonly string[] = []): (readonly string[])[] {
  return command.commands.flatMap((inner) => [[...path, inner.name()], ...all(inner, [...path, inner.name()])])
}

describe('the program', () => {
  it.each(
    all(program)
      .filter(([first]) => first !== 'help')
      .map((path) => [path.join(' '), path] as const)
  )('"%s" has help, and stands in the README', async (name, path) => {
    const { code, text } = await run(...path, '--help')
    expect(code).toBe(0)
    expect(text).toContain(`Usage: p2pl ${name}`)
    // The examples of "pin" are those of its commands.
    if (path[0] !== 'pin' || path.length === 1) expect(text).toContain('Examples:\n')
    expect(readme).toMatch(new RegExp(`\`${name}[ \`]|\`${path[0]} [a-z|]*${path[1] ?? ''}`))
  })

  it('ends with the codes that its help and its README say', async () => {
    const cases: [code: number, ...args: string[]][] = [
      [0, '--help'],
      [2],
      [2, 'nonsense'],
      [2, '--nonsense', 'peers'],
      [2, 'get'],
      [2, 'sub', 'news', '-n', '0'],
      [2, 'peers', '--timeout', 'soon'],
      [2, 'peers', '--dir', ''],
      [2, 'room', 'x', '--private', '--secret', 'y'],
      [2, 'completion', 'powershell'],
      [2, 'pin']
    ]
    for (const [code, ...args] of cases) expect((await run(...args)).code, args.join(' ')).toBe(code)
    for (const [name, code] of Object.entries(exitCodes))
      if (name !== 'rejected') expect(readme).toContain(`\n| ${code} | `)
    expect((await run('nonsense')).text).toContain('p2pl --help')
    expect((await run('get')).text).toContain('p2pl get --help has examples')
  })

  it('gives errors as JSON', async () => {
    await mkdir(join(folder, 'json'))
    const { code, stdout, stderr } = await p2pl({ dir: join(folder, 'json') }, ['--json', 'get', 'nonsense'])
    expect([code, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('nonsense') as string }
    })
  })
})

describe('the first file of the program', () => {
  const refusal =
    /^error: p2pl needs Node 22\.19 or later; this is Node (\S+): install a newer Node.*\(MISSING_DEPENDENCY\)\n$/

  it.each(['8.17.0', '20.20.2', '22.18.0'])('refuses Node %s in a sentence', async (version) => {
    const stub = join(folder, 'version.cjs')
    await writeFile(stub, `Object.defineProperty(process.versions, 'node', { value: '${version}' })`)
    const failure = await promisify(execFile)(process.execPath, ['--require', stub, bin, '--help']).catch(
      (error: unknown) => error
    )
    expect(failure).toMatchObject({ code: 1, stdout: '' })
    expect(refusal.exec((failure as { stderr: string }).stderr)?.[1]).toBe(version)
  })

  const old = oldNode()
  if (old !== undefined)
    it('is read by the old Node of this machine', async () => {
      const failure = await promisify(execFile)(old, [bin, 'doctor']).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 1, stderr: expect.stringMatching(refusal) as string })
    })

  it('needs no newer syntax than the oldest Node that reads packages knows', () => {
    const source = readFileSync(bin, 'utf8')
    expect(source).not.toMatch(/=>|`|\b(?:const|let|async|await|class)\b|\?\.|\?\?/)
  })
})

/** A Node of this machine that is too old. */
function oldNode(): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(':').map((path) => join(path, 'node'))
  return paths.find((path) => {
    try {
      const [major = 0, minor = 0] = execFileSync(path, ['-p', 'process.versions.node'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore']
      })
        .split('.')
        .map(Number)
      return major < 22 || (major === 22 && minor < 19)
    } catch {
      return false
    }
  })
}
