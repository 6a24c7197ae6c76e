import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { run } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { afterAll, describe, expect, it } from 'vitest'

const service = fileURLToPath(new URL('../samples/service/', import.meta.url))
const [place, app, data] = [temporaryFolder(), 'app', 'data'] as const
const lines = readFileSync(join(service, 'Containerfile'), 'utf8').trim().split('\n')
/** The text after an instruction, line by line. */
const after = (instruction: string): string[] =>
  lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))

const registry = testRegistry()
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** Translates a path, a user or a port of the container to this machine. */
function here(text: string): string {
  const user = `${process.getuid?.()}:${process.getgid?.()}`
  return text.replaceAll('/data', join(place, data)).replaceAll('node:node', user).replaceAll('0.0.0.0', '127.0.0.1')
}

/** Runs CMD with ENV on free ports. Returns the lines that it prints. */
function start(): { child: ChildProcess; printed: AsyncIterator<string> } {
  const settings = after('ENV').flatMap((line) =>
    here(line)
      .split(' ')
      .map((pair) => pair.split('=') as [string, string])
  )
  const env = { ...registry.env, ...Object.fromEntries(settings), HUB_PORT: '0' } as Record<string, string>
  env['HUB_LISTEN'] = env['HUB_LISTEN']?.replaceAll(/(?<=tcp\/)\d+/g, '0') ?? ''
  const [program = '', ...args] = JSON.parse(after('CMD')[0] ?? '[]') as string[]
  const child = spawn(program, args, { cwd: join(place, app), env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return { child, printed: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

describe('the hub as a service', () => {
  it(
    'runs as the Containerfile says, is healthy, has its numbers, and keeps its key',
    { timeout: 300_000 },
    async () => {
      expect(after('FROM')).toEqual([expect.stringMatching(/^node:2[4-9]-slim$/)])
      mkdirSync(join(place, app))
      for (const line of lines) {
        const [instruction, ...words] = line.split(' ')
        if (instruction === 'RUN')
          await run('bash', ['-euc', here(words.join(' '))], { cwd: join(place, app), env: registry.env })
        if (instruction === 'COPY') copyFileSync(join(service, words[0] ?? ''), join(place, app, words[0] ?? ''))
      }
      const first = start()
      const [, bootstrap = ''] = /^bootstrap: (.+)$/.exec(String((await first.printed.next()).value)) ?? []
      const [, port = ''] =
        /^http:\/\/127\.0\.0\.1:(\d+)\/metrics$/.exec(String((await first.printed.next()).value)) ?? []

      await using peer = await createPeer({ backend: helia() })
      for (const address of bootstrap.split(' ')) await peer.network.connect(address)
      const check = after('HEALTHCHECK')[0]?.replace(/^CMD /, '').replace('9464', port) ?? ''
      await run('bash', ['-euc', check], { cwd: join(place, app), env: registry.env })
      expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('p2pl_calls_total{')

      first.child.kill('SIGTERM')
      expect(await once(first.child, 'exit')).toEqual([0, null])
      const second = start()
      const again = String((await second.printed.next()).value)
      expect(idsOf(again)).toEqual(idsOf(bootstrap))
      expect(idsOf(again).size).toBe(1)
    }
  )

  it('has a unit that systemd understands', async (context) => {
    const analyze = '/usr/bin/systemd-analyze'
    if (!existsSync(analyze)) context.skip('there is no systemd-analyze')
    const unit = join(place, 'p2pl-hub.service')
    const text = readFileSync(join(service, 'p2pl-hub.service'), 'utf8')
    writeFileSync(unit, text.replace('/usr/bin/node', process.execPath).replaceAll('/opt/p2pl-hub', place))
    const verify = async (): Promise<string> => {
      const { stderr } = await promisify(execFile)(analyze, ['verify', unit]).catch(
        (error: { stderr: string }) => error
      )
      return stderr
    }
    expect(await verify()).toBe('')
    writeFileSync(unit, text.replace('DynamicUser', 'DynamicUsr'))
    expect(await verify()).toContain('DynamicUsr')
  })

  it('says the same settings in both files', () => {
    const settings = (text: string): string[] =>
      [...text.matchAll(/\bHUB_(?!DIR)\w+=\S+/g)].map(([pair]) => pair).toSorted()
    expect(settings(after('ENV').join(' '))).toEqual(settings(readFileSync(join(service, 'p2pl-hub.service'), 'utf8')))
  })
})

function idsOf(addresses: string): Set<string | undefined> {
  return new Set([...addresses.matchAll(/\/p2p\/(\w+)/g)].map(([, id]) => id))
}
