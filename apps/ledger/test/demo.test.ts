import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive } from '@p2pl/cli/tools'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { branches, initialBalance } from '../src/demo/accounts.ts'
import { formatCsv, parseCsv } from '../src/demo/csv.ts'
import { generateExamples } from '../src/demo/generate-examples.ts'
import { readInput } from '../src/demo/input.ts'
import { accountIds } from './support.ts'

const program = fileURLToPath(new URL('../src/demo/main.ts', import.meta.url))
const folder = temporaryFolder()

async function demo(...args: string[]): Promise<{ code: unknown; result: Record<string, unknown>; text: string }> {
  const child = spawn(process.execPath, ['-C', '@p2pl/source', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const [code] = (await once(child, 'close')) as unknown[]
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  return { code, result: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {}, text }
}

describe('the demonstration', () => {
  it('proves itself on Helia in three processes, one of them killed', async () => {
    const { code, result, text } = await demo('--once', '--dir', join(folder, 'helia'))
    expect(code, text).toBe(0)
    expect(text).toContain('cedar was killed (kill -9)')
    expect(result).toMatchObject({ ok: true, peers: 3, backend: 'helia', entries: 370, rejected: 4, verified: 370 })
    expect(result['balancesEqual']).toBe(true)
    expect(new Set(result['roots'] as string[]).size).toBe(1)
    expect(result['roots']).toHaveLength(3)
  }, 300_000)

  it('runs the same scenario on memory, and resumes without feeding twice', async () => {
    const args = ['--once', '--backend', 'memory', '--dir', join(folder, 'memory')]
    const first = await demo(...args)
    expect(first.code, first.text).toBe(0)
    expect(first.result).toMatchObject({ ok: true, backend: 'memory', entries: 370, rejected: 4 })
    const second = await demo(...args)
    expect(second.code, second.text).toBe(0)
    expect(second.text).toContain('all peers are back')
    expect(second.result).toMatchObject({ ok: true, entries: 370, rejected: 4, roots: first.result['roots'] })
  }, 300_000)

  it('goes on over the second backend when the first is taken down in the middle', async () => {
    const { code, result, text } = await demo(
      '--once',
      '--backend',
      'helia,bittorrent',
      '--dir',
      join(folder, 'failover')
    )
    expect(code, text).toBe(0)
    expect(text).toContain('helia was taken down at every peer; the ledger goes on over bittorrent')
    expect(text).toContain('cedar is back with what it had on disk')
    expect(result).toMatchObject({ ok: true, backend: 'helia,bittorrent', entries: 370, rejected: 4, verified: 370 })
    const log = await readFile(join(folder, 'failover', 'demo-helia_bittorrent', 'alder', 'node.log'), 'utf8')
    expect(log).toContain('helia cannot be used: it was paused. bittorrent is used')
  }, 300_000)

  it('brings back peers that somebody kills, from the page or from outside, and says what a second start resumes', async () => {
    const dir = join(folder, 'kept')
    const child = spawn(process.execPath, ['-C', '@p2pl/source', program, '--dir', dir], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    // If the test fails, the child must not take time from other tests.
    onTestFinished(() => void child.kill('SIGKILL'))
    const closed = once(child, 'close')
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    const page = await until('its address', () => /^the page: (\S+)\/#token=(\S+)$/m.exec(text) ?? false)
    const [, url = '', token = ''] = page
    const kill = async (headers: Record<string, string>): Promise<number> => {
      const body = JSON.stringify({})
      const type = { 'content-type': 'application/json' }
      return (
        await fetch(`${url}/v1/demo/peers/birch/kill`, { method: 'POST', body, headers: { ...type, ...headers } })
      ).status
    }
    await until('it is fed', () => text.includes('feeding begins'))
    expect(await kill({})).toBe(401)
    expect(await kill({ authorization: `Bearer ${token}` })).toBe(200)
    await until('it is back', () => text.includes('birch is back with what it had on disk'))
    await until('the proof', () => text.includes('the peers keep running until Ctrl-C'))
    expect(text).toContain('proved: 370 entries')
    const lives = (await (await fetch(`${url}/v1/nodes`)).json()) as { nodes: { name: string; life: string }[] }
    expect(lives.nodes.map(({ name, life }) => `${name} ${life}`)).toEqual(branches.map((name) => `${name} up`))
    const before = text.length
    const pid = ((await peerPids(dir)) ?? [])[branches.indexOf('birch')] as number
    process.kill(pid, 'SIGKILL')
    await until('it is back', () => text.slice(before).includes('birch is back with what it had on disk'))
    expect(text.slice(before)).toContain('birch ended (SIGKILL); it is started again')
    // A state is printed when it differs from the last one. That may have happened before those words, while the others
    // were introduced.
    await until('it is shown', () => stateIn(text)?.includes('| birch fed 121/121, 370 entries') === true)
    child.kill('SIGINT')
    expect(await closed).toEqual([0, null])
    const second = await demo('--once', '--dir', dir)
    expect(second.code, second.text).toBe(0)
    expect(second.text).toContain('(alder 370, birch 370, cedar 370); all was written in an earlier start')
    expect(second.text).toContain('369 of 369 tasks were done in an earlier start, 0 are done now')
    expect(second.text).not.toContain('was killed')
  }, 300_000)

  it('leaves no process behind, however it ends', async () => {
    const dir = join(folder, 'orphans')
    const child = spawn(process.execPath, ['-C', '@p2pl/source', program, '--dir', dir], { stdio: 'ignore' })
    const pids = await until('the peers are up', async () => await peerPids(dir))
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    await until('they end', () => pids.every((pid) => !isAlive(pid)))
  }, 300_000)

  it('says what is wrong with its command line, and with its backend', async () => {
    expect(await demo('--nonsense')).toMatchObject({ code: 2 })
    expect(await demo('--port', '99999')).toMatchObject({ code: 2 })
    const unknown = await demo('--once', '--backend', 'hellia', '--dir', join(folder, 'unknown'))
    expect(unknown.code).toBe(2)
    expect(unknown.text).toMatch(/hellia.*did you mean.*helia/is)
  }, 300_000)
})

/** The last state that was printed. */
function stateIn(text: string): string | undefined {
  return text.split('\n').findLast((line) => line.includes(' | birch '))
}

async function peerPids(dir: string): Promise<number[] | undefined> {
  try {
    const files = branches.map((name) => join(dir, 'demo-helia', name, 'api.json'))
    return await Promise.all(
      files.map(async (file) => (JSON.parse(await readFile(file, 'utf8')) as { pid: number }).pid)
    )
  } catch {
    return undefined
  }
}

describe('the examples', () => {
  it('are what their seeded generator makes', async () => {
    for (const [path, content] of generateExamples()) {
      // The compression of a picture depends on the version of zlib.
      if (path.endsWith('.png')) continue
      expect(await readFile(new URL(`../examples/${path}`, import.meta.url), 'utf8'), path).toBe(content)
    }
  })

  it('never let an honest payment hang on another', async () => {
    const [alder = '', birch = '', cedar = ''] = await accountIds(3)
    const { tasks, documents, count } = await readInput({ alder, birch, cedar })
    expect([documents.length, count]).toEqual([9, 369])
    for (const branch of branches) {
      const amounts = tasks[branch].flatMap((task) => (task.type === 'transfer' ? [task.amount] : []))
      const honest = amounts.filter((amount) => amount <= initialBalance)
      expect(amounts.length - honest.length).toBe(1)
      expect(honest.reduce((sum, amount) => sum + amount, 0n)).toBeLessThan(initialBalance)
    }
  })

  it('come through CSV unharmed', () => {
    const rows = [
      ['a "b", c', 'line\nbreak', ''],
      ['1', '2', '3']
    ]
    expect(parseCsv(formatCsv(['x', 'y', 'z'], rows))).toEqual(rows.map(([x, y, z]) => ({ x, y, z })))
    expect(() => parseCsv('a,b\n1\n')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
