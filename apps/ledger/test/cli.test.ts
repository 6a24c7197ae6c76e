import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { runCommandLine } from '../src/cli/program.ts'
import { openHome } from '../src/node/home.ts'
import { openOffline } from '../src/run/open-node.ts'
import { runNode } from '../src/run/run-node.ts'
import type { EntryView } from '../src/service/views.ts'
import { accountIds, cidOf } from './support.ts'

const folder = temporaryFolder()
const dir = join(folder, 'node')
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
let bob = ''

interface Result {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command line in this process. */
async function ledger(...args: string[]): Promise<Result> {
  const written: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name].push(Buffer.from(chunk as Uint8Array))
      return true
    })
  )
  try {
    const code = await runCommandLine(['--dir', dir, ...args], new AbortController().signal)
    const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(written[name]).toString('latin1')
    return { code, stdout: text('stdout'), stderr: text('stderr') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Runs the real program in a separate process. */
async function exitCode(...args: string[]): Promise<number> {
  const child = spawn(process.execPath, ['-C', '@p2pl/source', program, '--dir', dir, ...args], { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? -1
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await ledger('--json', '--backend', 'memory', ...args)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

beforeAll(async () => {
  ;[bob = ''] = await accountIds(1)
})

describe('the command line', () => {
  it('makes a ledger, with a key that only its owner may read', async () => {
    expect(await ledger('status')).toMatchObject({ code: 3 })
    const made = await json<{ account: string; genesis: { cid: string } }>('init', '--network', 'cli')
    expect(made.genesis.cid).toMatch(/^bafyrei/)
    expect((await stat(join(dir, 'identity.json'))).mode & 0o777).toBe(0o600)
    // A second `init` must not create another ledger.
    expect(await ledger('init')).toMatchObject({ code: 2 })
    expect(await ledger('--dir', '', 'status')).toMatchObject({ code: 2 })
    expect(await json('status')).toMatchObject({ account: made.account, genesis: made.genesis.cid, entries: 0 })
  })

  it('verifies, exports and imports a ledger in which nothing has happened', async () => {
    const file = join(folder, 'empty.car')
    const { root } = await json<{ root: string }>('status')
    expect(await json('verify')).toMatchObject({ root, entries: 0 })
    expect(await json('verify', root)).toMatchObject({ root, entries: 0 })
    await json('export', file)
    expect(await json('verify', file, '--root', root)).toMatchObject({ root, entries: 0 })
    expect(await json('import', file)).toEqual({ added: 0, known: 0, refused: 0 })
    // In a separate process nothing else keeps the event loop alive.
    expect(await exitCode('verify')).toBe(0)
  })

  it('ends with the code that its documentation says', async () => {
    const cases: [code: number, ...args: string[]][] = [
      [0, '--help'],
      [2, '--nonsense'],
      [2, 'nonsense'],
      [2, 'transfer', bob],
      [2, 'transfer', bob, '1.5'],
      [2, 'transfer', 'nobody', '1'],
      [2, 'show', 'nonsense'],
      [3, 'show', cidOf('nothing').toString()],
      [3, 'verify', join(folder, 'missing.car')],
      [3, 'record', join(folder, 'missing.txt')],
      [4, 'transfer', bob, '99999999']
    ]
    for (const [code, ...args] of cases) expect(await ledger(...args), args.join(' ')).toMatchObject({ code })
    const [file, missing] = [join(dir, 'genesis.cbor'), join(folder, 'missing')]
    const files: [code: number, ...args: string[]][] = [
      [3, 'init', '--genesis', missing, '--dir', join(folder, 'new')],
      [2, 'init', '--genesis', folder, '--dir', join(folder, 'new')],
      [5, 'init', '--genesis', program, '--dir', join(folder, 'new')],
      [2, 'init', '--genesis', file, '--network', 'mine', '--dir', join(folder, 'new')],
      [2, 'init', '--balance', `${bob}=1`, `${bob}=2`, '--dir', join(folder, 'twice')],
      [2, 'status', '--dir', join(file, 'below')],
      [3, 'export', join(missing, 'out.car')],
      [2, 'export', dir],
      [2, 'verify', folder],
      [2, 'import', folder],
      [2, 'run', '--port', '70000']
    ]
    for (const [code, ...args] of files) {
      const result = await ledger(...args)
      expect(result, args.join(' ')).toMatchObject({ code })
      expect(result.stderr, args.join(' ')).not.toMatch(/INTERNAL|\n {4}at /)
    }
    // The refused command has created nothing.
    await expect(stat(join(folder, 'new'))).rejects.toThrow('ENOENT')
    const real = [['--help'], ['transfer', bob], ['transfer', bob, '99999999']]
    expect(await Promise.all(real.map(async (args) => await exitCode(...args)))).toEqual([0, 2, 4])
    const damaged = join(folder, 'damaged.car')
    await writeFile(damaged, seededBytes(500, 1))
    expect(await ledger('verify', damaged)).toMatchObject({ code: 5 })
    const error = await ledger('--json', 'show', 'nonsense')
    expect(JSON.parse(error.stderr)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } })
  })

  it('writes and reads without a node that runs', async () => {
    const paid = await json<EntryView>('transfer', bob, '5', '--memo', 'for the drill', '--reference', 'r1')
    expect(paid).toMatchObject({ status: 'accepted', sequence: 0, amount: '5', created: true })
    expect(await json('transfer', bob, '5', '--reference', 'r1')).toMatchObject({ cid: paid.cid, created: false })
    expect(await json('show', paid.cid)).toMatchObject({ memo: 'for the drill' })
    expect(await json('balance', bob)).toMatchObject({ balance: '5' })
    expect(await json('balance', 'me')).toMatchObject({ balance: '999995', nextSequence: 1 })
    expect(await json('log')).toMatchObject({ entries: [{ cid: paid.cid }] })
    const forced = await ledger('--json', 'transfer', bob, '99999999', '--force')
    expect(forced.code).toBe(4)
    expect(JSON.parse(forced.stdout)).toMatchObject({ status: 'rejected', reason: 'overdraft' })
  })

  it('says what stands behind a failure, to people and to programs', async () => {
    const adapter = join(folder, 'broken.mjs')
    await writeFile(adapter, "export default () => { throw new Error('the part is missing') }")
    const said = await ledger('--backend', adapter, 'show', '--content', cidOf('x').toString())
    expect(said).toMatchObject({ code: 1, stderr: expect.stringContaining('because: the part is missing') as string })
    const lines = await ledger('--json', '--backend', adapter, 'show', '--content', cidOf('x').toString())
    expect(JSON.parse(lines.stderr)).toMatchObject({ error: { cause: 'the part is missing' } })
  })

  it('exports, verifies, and imports into a node that joins by the genesis', async () => {
    const car = join(folder, 'out.car')
    await json('export', car)
    const { root, balances } = await json<{ root: string; balances: string }>('status')
    expect(await json('verify', car, '--root', root)).toMatchObject({ root, balances, entries: 2, rejected: 1 })
    expect((await ledger('verify', car, '--root', cidOf('other').toString())).code).toBe(5)
    const bytes = await readFile(car)
    bytes[bytes.length - 10] = (bytes.at(-10) ?? 0) ^ 1
    await writeFile(join(folder, 'tampered.car'), bytes)
    expect((await ledger('verify', join(folder, 'tampered.car'))).code).toBe(5)
    const second = ['--dir', join(folder, 'second')]
    await json('init', '--genesis', join(dir, 'genesis.cbor'), ...second)
    expect(await json('import', car, ...second)).toEqual({ added: 2, known: 0, refused: 0 })
    expect(await json('status', ...second)).toMatchObject({ root, balances })
  })

  it('talks to the node that runs in its folder', async () => {
    const running = await runNode(await openHome(dir), { backend: 'memory', env: {} })
    try {
      expect((await stat(join(dir, 'api.json'))).mode & 0o777).toBe(0o600)
      const file = join(folder, 'note.txt')
      await writeFile(file, seededBytes(3_000, 2))
      const recorded = await json<EntryView & { content: string }>('record', file)
      expect(recorded).toMatchObject({ type: 'record', name: 'note.txt', mediaType: 'text/plain', size: 3_000 })
      // It is in the node's memory, so no other process can have put it there.
      expect((await running.node.entry(recorded.cid)).cid).toBe(recorded.cid)
      const shown = await ledger('show', '--content', recorded.content)
      expect(Buffer.from(shown.stdout, 'latin1').equals(await readFile(file))).toBe(true)
      expect(await json('verify')).toMatchObject({ entries: 3 })
      const { root } = await running.node.status()
      expect(await json('verify', root)).toMatchObject({ root, entries: 3 })
      expect((await ledger('transfer', bob, '99999999')).code).toBe(4)
    } finally {
      await running.stop()
    }
    expect(await json('status')).toMatchObject({ entries: 3 })
  })

  it('refuses a folder whose genesis is damaged, and says which file it is', async () => {
    const lied = join(folder, 'lied')
    await json('init', '--dir', lied)
    await writeFile(join(lied, 'genesis.cbor'), seededBytes(100, 3))
    for (const args of [['status'], ['run'], ['init']]) {
      const { code, stderr } = await ledger(...args, '--dir', lied)
      expect([code, stderr], args[0]).toEqual([5, expect.stringContaining(join(lied, 'genesis.cbor'))])
    }
    // A well-formed genesis of another ledger. The entries in the folder do not belong to it.
    await json('init', '--dir', join(folder, 'lied-too'))
    await json('status', '--dir', join(folder, 'lied-too'))
    await copyFile(join(dir, 'genesis.cbor'), join(folder, 'lied-too', 'genesis.cbor'))
    expect(await ledger('status', '--dir', join(folder, 'lied-too'))).not.toMatchObject({ code: 0 })
  })

  it('imports what it can of a file that lies, and says so by its exit code', async () => {
    const third = ['--dir', join(folder, 'third')]
    await json('init', '--genesis', join(dir, 'genesis.cbor'), ...third)
    expect((await ledger('import', join(folder, 'tampered.car'), ...third)).code).toBe(5)
    expect(await json('status', ...third)).toMatchObject({ entries: 0 })
    // An interrupted import damages nothing, and a second one continues.
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(await runCommandLine(['import', join(folder, 'out.car'), ...third], AbortSignal.abort())).toBe(1)
    expect(String(written.mock.calls[0]?.[0])).toMatch(/^error: interrupted: .*\(ABORTED\)\n$/)
    written.mockRestore()
    expect((await ledger('import', join(folder, 'out.car'), ...third)).code).toBe(0)
  })

  it('gives all of a long result to a reader that takes its time', async () => {
    const long = ['--dir', join(folder, 'long')]
    await json('init', ...long)
    const node = await openOffline(await openHome(join(folder, 'long')))
    await Promise.all(Array.from({ length: 1_000 }, async () => await node.transfer({ to: bob, amount: 1n })))
    await node.stop()
    const args = ['-C', '@p2pl/source', program, '--json', ...long, 'log', '--limit', '1000']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    // The output is far larger than a pipe, and nobody reads until the command has had time to end.
    await once(child.stdout, 'readable')
    const { size } = await until('a full pipe', () =>
      child.stdout.readableLength > 0 ? { size: child.stdout.readableLength } : undefined
    )
    let text = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += chunk as string
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await closed).toEqual([0, null])
    expect(text.length).toBeGreaterThan(Math.max(size, 300_000))
    expect((JSON.parse(text) as { entries: unknown[] }).entries).toHaveLength(1_000)
  })

  it('ends without a word when whoever reads its output has enough', async () => {
    const child = spawn(process.execPath, ['-C', '@p2pl/source', program, '--dir', dir, 'log'], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    child.stdout.destroy()
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
    expect(await once(child, 'close')).toEqual([0, null])
    expect(complaints).toBe('')
  })

  it('does not mistake what a killed node left for one that runs', async () => {
    // By now the port belongs to another node of the same ledger.
    const other = await runNode(await openHome(join(folder, 'second')), { backend: 'memory', env: {} })
    try {
      const { url, token } = other.api
      await writeFile(join(dir, 'api.json'), JSON.stringify({ url, token, pid: process.pid }))
      expect(await json('status')).toMatchObject({ entries: 3 })
    } finally {
      await other.stop()
    }
    await writeFile(join(dir, 'api.json'), JSON.stringify({ url: 'http://127.0.0.1:1', token: 'x', pid: process.pid }))
    expect(await json('status')).toMatchObject({ entries: 3 })
  })
})
