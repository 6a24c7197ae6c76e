import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededRandom, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { runCommandLine } from '../src/cli/program.ts'
import { openHome, prepareHome } from '../src/node/home.ts'
import { openOffline } from '../src/run/open-node.ts'
import { runNode } from '../src/run/run-node.ts'
import { accountIds } from './support.ts'

const folder = temporaryFolder()
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
let count = 0
let dir = ''
let bob = ''

/** Runs a command line in this process: its exit code and its output. */
async function ledger(...args: string[]): Promise<{ code: number; said: string; out: string }> {
  const written = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += Buffer.from(chunk as Uint8Array).toString()
      return true
    })
  )
  try {
    const code = await runCommandLine(['--dir', dir, ...args], new AbortController().signal)
    return { code, said: written.stderr, out: written.stdout }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** A new folder with a ledger in it. */
async function freshLedger(): Promise<void> {
  dir = join(folder, String(count++))
  expect((await ledger('init')).code).toBe(0)
}

beforeAll(async () => {
  ;[bob = ''] = await accountIds(1)
})

describe('damage to the files of a folder', () => {
  it.each(['identity.json', 'genesis.cbor', 'ledger.json'])('of %s is named, with what to do', async (name) => {
    await freshLedger()
    const file = join(dir, name)
    const whole = await readFile(file)
    const damages: [what: string, (bytes: Buffer) => Buffer][] = [
      ['emptied', () => Buffer.alloc(0)],
      ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
      ['overwritten', (bytes) => Buffer.alloc(bytes.length, 0x2a)],
      ['emptied of meaning', () => Buffer.from('{}')]
    ]
    for (const [what, damage] of damages) {
      await writeFile(file, damage(whole))
      for (const args of [['status'], ['run'], ['init', '--genesis', join(dir, 'genesis.cbor')]]) {
        const { code, said } = await ledger(...args)
        expect([code, said], `${what}, ${args[0]}`).toEqual([5, expect.stringContaining(name)])
        expect(said, `${what}, ${args[0]}`).toMatch(/restore|remove|get it from/i)
      }
    }
    await writeFile(file, whole)
    expect((await ledger('status')).code).toBe(0)
  })

  it('by any flipped bit is noticed', async () => {
    await freshLedger()
    const random = seededRandom(5)
    for (const name of ['identity.json', 'genesis.cbor']) {
      const file = join(dir, name)
      const whole = await readFile(file)
      for (let i = 0; i < 40; i++) {
        const bytes = Buffer.from(whole)
        const at = Math.floor(random() * bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
        await writeFile(file, bytes)
        const home = await openHome(dir).catch((error: unknown) => error as Error)
        // Spaces between JSON fields, and the name of the key type, have no meaning.
        if (home instanceof Error) expect(home).toMatchObject({ code: 'INVALID_CONTENT' })
        else expect(JSON.parse(bytes.toString())).toMatchObject({ account: home.identity.id })
      }
      await writeFile(file, whole)
    }
  })

  it('by an exchange with another folder is noticed', async () => {
    await freshLedger()
    const other = dir
    await freshLedger()
    for (const name of ['identity.json', 'genesis.cbor']) {
      const kept = join(folder, `kept ${name}`)
      await copyFile(join(dir, name), kept)
      await copyFile(join(other, name), join(dir, name))
      expect(await ledger('status')).toMatchObject({ code: 5, said: expect.stringContaining(name) as string })
      await copyFile(kept, join(dir, name))
    }
    await rm(join(dir, 'ledger.json'))
    expect((await ledger('status')).code).toBe(0)
  })

  it('of api.json costs nothing where no node runs, and is named where one does', async () => {
    await freshLedger()
    for (const text of ['', '{', '[]', '{"pid":"x"}', `{"pid":${process.pid}}`, '{"pid":-1,"url":"x","token":"y"}']) {
      await writeFile(join(dir, 'api.json'), text)
      expect((await ledger('status')).code, text).toBe(0)
    }
    const running = await runNode(await openHome(dir), { backend: 'memory', env: {} })
    try {
      await truncate(join(dir, 'api.json'), 10)
      const { code, said } = await ledger('status')
      expect([code, said]).toEqual([1, expect.stringContaining('api.json is damaged')])
    } finally {
      await running.stop()
    }
  })
})

describe('a start that was cut off', () => {
  it('of init leaves nothing in the way of the next one', async () => {
    dir = join(folder, String(count++))
    await mkdir(dir)
    // As after a kill of a program that opened the file but had not written the key.
    await writeFile(join(dir, 'identity.json'), '')
    expect((await ledger('init')).code).toBe(0)
    expect((await ledger('status')).code).toBe(0)
    // If there is a genesis, the key was lost.
    await truncate(join(dir, 'identity.json'), 0)
    expect(await ledger('init', '--genesis', join(dir, 'genesis.cbor'))).toMatchObject({
      code: 5,
      said: expect.stringContaining('it is empty') as string
    })
  })

  it('of init at any moment can be done again, and makes one account', async () => {
    const random = seededRandom(6)
    for (let i = 0; i < 6; i++) {
      dir = join(folder, String(count++))
      const args = ['-C', '@p2pl/source', program, '--dir', dir, 'init']
      const child = spawn(process.execPath, args, { stdio: 'ignore' })
      const exited = once(child, 'exit')
      // The folder is filled as soon as it exists.
      const made = until('the folder', async () => (await stat(dir).catch(() => undefined)) !== undefined)
      await Promise.race([exited, made])
      for (let turns = Math.floor(random() * 8); turns > 0; turns--) await readdir(dir)
      child.kill('SIGKILL')
      await exited
      const known = await prepareHome(dir)
      const again = await ledger('init')
      // It was either completed before the kill, or it is completed now.
      expect([0, 2]).toContain(again.code)
      expect((await openHome(dir)).identity.id).toBe(known.id)
      expect((await readdir(dir)).filter((name) => name === 'identity.json')).toHaveLength(1)
    }
  })
})

describe('a folder that cannot be made', () => {
  it('is said to be that, with the true reason', async () => {
    dir = '/proc/p2pl/ledger'
    expect(await ledger('init')).toMatchObject({
      code: 1,
      said: expect.stringContaining('/proc/p2pl cannot be made: /proc takes no folders') as string
    })
    await freshLedger()
    dir = join(dir, 'genesis.cbor', 'below')
    expect((await ledger('init')).code).toBe(2)
  })
})

describe('a folder that others may use', () => {
  it('is warned about, by each command that opens it', async () => {
    await freshLedger()
    expect((await ledger('status')).said).toBe('')
    await chmod(dir, 0o777)
    await chmod(join(dir, 'identity.json'), 0o644)
    for (const args of [['status'], ['log'], ['transfer', bob, '1']]) {
      const { code, said } = await ledger(...args)
      expect(code, args[0]).toBe(0)
      expect(said, args[0]).toMatch(/others may write in the folder .*run "chmod go-w/)
      expect(said, args[0]).toMatch(/others may read the key .*run "chmod 600/)
    }
    const { said } = await ledger('--json', 'status')
    const lines = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string })
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn'])
    expect((await ledger('--log-level', 'error', 'status')).said).toBe('')
  })
})

describe('a folder that is in use', () => {
  it('by a node that starts is said to be', async () => {
    await freshLedger()
    const home = await openHome(dir)
    const busy = await openOffline(home)
    try {
      await writeFile(join(dir, 'api.json'), JSON.stringify({ pid: process.pid, starting: true }))
      const starting = await ledger('status')
      expect([starting.code, starting.said]).toEqual([1, expect.stringContaining('is starting')])
      expect(starting.said).toContain('try again in a moment')
      await rm(join(dir, 'api.json'))
      expect(await ledger('status')).toMatchObject({
        code: 1,
        said: expect.stringContaining('Try again in a moment') as string
      })
      expect((await ledger('status')).said).not.toMatch(/stop it/)
    } finally {
      await busy.stop()
    }
  })

  it('by a node that runs is not taken from it', async () => {
    await freshLedger()
    const running = await runNode(await openHome(dir), { backend: 'memory', env: {} })
    try {
      const { code, said } = await ledger('run', '--backend', 'memory')
      expect([code, said]).toEqual([
        1,
        expect.stringContaining(`a node runs in ${dir} already, as process ${process.pid}`)
      ])
      // Its file is still there.
      expect(await ledger('--json', 'status')).toMatchObject({
        code: 0,
        out: expect.stringContaining('"entries":0') as string
      })
    } finally {
      await running.stop()
    }
    expect(await readdir(dir)).not.toContain('api.json')
  })
})

describe('what a command would destroy or send in vain', () => {
  it('export writes over no file without being told', async () => {
    await freshLedger()
    const file = join(folder, 'precious.txt')
    await writeFile(file, 'precious')
    expect(await ledger('export', file)).toMatchObject({ code: 2, said: expect.stringContaining('--force') as string })
    expect(await readFile(file, 'utf8')).toBe('precious')
    expect((await ledger('export', file, '--force')).code).toBe(0)
    expect((await ledger('verify', file)).code).toBe(0)
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('record refuses a file over the limit before it sends any of it', async () => {
    await freshLedger()
    const file = join(folder, 'large.bin')
    await writeFile(file, '')
    await truncate(file, 300 * 1_024 * 1_024)
    const { code, said } = await ledger('record', file)
    expect([code, said]).toEqual([1, expect.stringContaining('314,572,800 bytes; a document has at most 268,435,456')])
  })
})
