import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { launch, program } from './launch.ts'
import { p2pl, type Place, Running, value } from './support.ts'

const folder = temporaryFolder()
const place: Place = { dir: join(folder, 'peer') }
const file = join(folder, 'large.bin')
const bytes = 40_000_000
let cid = ''
let tree = ''

beforeAll(async () => {
  await mkdir(join(folder, 'many'))
  await mkdir(place.dir)
  for (let i = 0; i < 1_000; i++)
    await writeFile(join(folder, 'many', `a file with a rather long name, number ${i}.txt`), `${i}`)
  await writeFile(file, seededBytes(bytes, 3))
  cid = (await value<{ cid: string }>(place, ['add', file])).cid
  tree = (await value<{ cid: string }>(place, ['add', join(folder, 'many')])).cid
})

const command = (...args: readonly string[]): string =>
  [process.execPath, ...program, ...args].map((word) => `'${word}'`).join(' ')

/** Runs a shell command on a pseudo-terminal of 80 columns, and gives what that shows. */
async function onTerminal(shell: string): Promise<string> {
  const { stdout } = await promisify(execFile)('script', ['-qec', `stty cols 80; ${shell}`, '/dev/null'], {
    env: { ...process.env, P2PL_DIR: place.dir },
    maxBuffer: 64 * 1024 * 1024
  })
  return stdout
}

describe('progress', () => {
  it('has rate and remaining time on a terminal, in one line that disappears', async () => {
    const target = join(folder, 'fetched.bin')
    for (const shell of [command('add', file), command('get', cid, '-o', target)]) {
      const shown = await onTerminal(shell)
      // oxlint-disable-next-line no-control-regex
      const lines = shown.split(/\r\u001b\[2K/)
      expect(
        lines.some((line) => /^(?:add|get) \S+ █*░* +\d+ % {2}[\d.]+ [kMG]?B\/s {2}\d+:\d\d left$/.test(line)),
        shown
      ).toBe(true)
      expect(Math.max(...lines.slice(1, -1).map(({ length }) => length))).toBeLessThan(80)
      // What stays is the result.
      expect(lines.at(-1)?.trim()).toBe(shell.includes("'add'") ? `${cid}  large.bin` : target)
    }
  })

  it('is not shown where stderr is no terminal, nor with --json', async () => {
    expect(await p2pl(place, ['add', file])).toMatchObject({ code: 0, stderr: '' })
    expect(await onTerminal(command('add', '--json', file))).toBe(
      `{"cid":"${cid}","size":${bytes},"kind":"file","name":"large.bin"}\r\n`
    )
  })
})

describe('the output', () => {
  it('is whole for a slow reader', async () => {
    const child = launch(place, ['--json', 'ls', tree])
    let received = ''
    // Nothing is read until the command has filled the pipe.
    await until('the pipe is full', () => child.stdout.readableLength >= 65_536)
    for await (const chunk of child.stdout) received += String(chunk)
    const entries = received
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string })
    expect(new Set(entries.map(({ name }) => name)).size).toBe(1_000)
  })

  it('may end before the command does, without a word', async () => {
    const shell = `set -o pipefail; ${command('ls', tree)} | head -n 1; echo "code $?"; ${command('get', cid)} | head -c 1 | wc -c`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', shell], {
      env: { ...process.env, P2PL_DIR: place.dir }
    })
    expect(stdout).toMatch(/^bafkrei\w+ +\d+ {2}a file.*\ncode 0\n1\n$/)
    expect(stderr).toBe('')
  })

  it('shows no control characters of strangers on a terminal, and the bytes themselves in a pipe', async () => {
    const evil = '\u001b]0;owned\u0007text'
    const sub = new Running(place, 'sub', 'evil')
    await sub.address()
    // The first message is repeated until it has two recipients. A terminal that ends with it would be none of them any more.
    let shown: string | undefined
    const terminal = onTerminal(command('sub', '-n', '2', 'evil')).then((text) => (shown = text))
    await until('both listen', async () => {
      const { stdout } = await p2pl(place, ['topics'])
      return stdout.split('\n').filter(Boolean).length === 2
    })
    expect(await p2pl(place, ['pub', 'evil', evil, '--recipients', '2'])).toMatchObject({ code: 0 })
    // One recipient is enough for it, which may be the other one.
    await until('it has heard two', async () => {
      expect(await p2pl(place, ['pub', 'evil', 'the last one'])).toMatchObject({ code: 0 })
      return shown !== undefined
    })
    expect(await terminal).toContain('\\u001b]0;owned\\u0007text')
    await sub.prints(/text$/)
    expect(sub.stdout.join('\n')).toContain(evil)
  })
})

it('shows no control characters of a file name while the file is added', async () => {
  const evil = '\u001b]0;owned\u0007text'
  await writeFile(join(folder, evil), evil)
  const shown = await onTerminal(command('add', join(folder, evil)))
  expect(shown).toContain('add \\u001b]0;owned\\u0007text')
  expect(shown).not.toContain(evil)
})

describe('Ctrl-C', () => {
  it('ends an add midway in order: the folder is free and sound, and doing it again works', async () => {
    const child = launch(place, ['add', '-'])
    onTestFinished(() => void child.kill('SIGKILL'))
    let stderr = ''
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
    child.stdout.resume()
    // It reads on, so it is in the middle of its work.
    const chunk = seededBytes(1_048_576, 5)
    for (let i = 0; i < 8; i++) if (!child.stdin.write(chunk)) await once(child.stdin, 'drain')
    child.kill('SIGINT')
    child.stdin.on('error', () => undefined)
    const [code] = (await once(child, 'close')) as [number]
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: interrupted: .* \(ABORTED\)\n$/)])
    expect(await p2pl(place, ['add', file])).toMatchObject({ code: 0 })
  })

  it('ends a get midway without a part of the file', async () => {
    const server = new Running(place, 'add', '--stay', file)
    const other: Place = { dir: join(folder, 'other') }
    await mkdir(other.dir)
    // A server that stands still leaves the get waiting.
    const address = await server.address()
    server.child.kill('SIGSTOP')
    const get = new Running(other, 'get', cid, '-o', join(other.dir, 'target'), '--connect', address)
    await until('the store is open', async () => (await readdir(other.dir)).includes('helia'))
    expect(await get.interrupt()).toBe(1)
    expect(await readdir(other.dir)).toEqual(['helia'])
    server.child.kill('SIGCONT')
  })
})

it('loads nothing heavy for --help', async () => {
  const list = `${command('--help')} > /dev/null`
  const child = spawn('bash', ['-c', list], {
    env: { ...process.env, NODE_DEBUG: 'esm' },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let loaded = ''
  child.stderr.on('data', (data: Buffer) => (loaded += data.toString()))
  await once(child, 'close')
  expect(loaded).toContain('commander')
  expect(loaded).not.toMatch(/packages\/(?:core|config|helia|unixfs|room)\/src|multiformats/)
})
