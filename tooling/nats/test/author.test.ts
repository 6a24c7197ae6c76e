import { describeWith } from '@p2pl/tooling-go-tool/test'
import { install, run } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { natsServer } from '../src/tool.ts'

const root = join(import.meta.dirname, '../../..')
const example = join(root, 'examples/adapter-nats')
const name = '@p2pl/example-adapter-nats'
const describeWithNats = await describeWith(natsServer)

/** A part of the example's test helpers. */
interface Support {
  readonly startServer: () => Promise<{
    readonly url: string
    kill(): Promise<void>
    restart(): Promise<void>
    stop(): Promise<void>
  }>
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** Adds the example's third-party dependencies to a package, in the versions of the workspace. */
function addOthers(folder: string): void {
  const own = manifest(folder)
  const ofExample = manifest(example)
  const withOthers = (kind: 'dependencies' | 'devDependencies'): Record<string, string> => {
    const added = Object.keys(ofExample[kind]).filter((each) => own[kind][each] === undefined)
    return { ...own[kind], ...Object.fromEntries(added.map((each) => [each, versionOf(each)])) }
  }
  const changed = {
    ...own,
    dependencies: withOthers('dependencies'),
    devDependencies: withOthers('devDependencies')
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(changed, undefined, 2))
}

function versionOf(dependency: string): string {
  const text = readFileSync(join(example, 'node_modules', dependency, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/**
 * An author who knows p2pl only from the registry makes the example by following the guide: `npm create`, then
 * replacing the files.
 */
describeWithNats('the NATS adapter, made in an empty folder from a registry', (binary) => {
  const place = temporaryFolder('p2pl nats-')
  const author = join(place, 'example-adapter-nats')
  const app = join(place, 'app')
  const registry = testRegistry()
  let startServer: Support['startServer']
  const npm = async (...args: string[]): Promise<string> =>
    await run('npm', args, { cwd: author, env: { ...registry.env, NATS_SERVER: binary } })
  const node = async (script: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
    await run('node', ['--input-type=module', '--eval', script], { cwd: app, env: { ...registry.env, ...env } })

  beforeAll(async () => {
    process.env['NATS_SERVER'] = binary
    ;({ startServer } = (await import(join(example, 'test/support/server.ts'))) as Support)
    await run('npm', ['create', '--yes', '@p2pl/adapter', name], { cwd: place, env: registry.env })
    for (const part of ['src', 'test', 'README.md']) {
      rmSync(join(author, part), { recursive: true })
      cpSync(join(example, part), join(author, part), { recursive: true })
    }
    addOthers(author)
    await npm('install')
    const tarball = (await npm('pack', '--silent')).trim().split('\n').at(-1) ?? ''
    await install(registry, app, ['@p2pl/core', '@p2pl/config', join(author, tarball)])
  }, 300_000)

  it('takes what the example takes, and type-checks', { timeout: 300_000 }, async () => {
    for (const kind of ['dependencies', 'devDependencies'] as const)
      expect(Object.keys(manifest(author)[kind]).toSorted()).toEqual(Object.keys(manifest(example)[kind]).toSorted())
    await npm('run', 'typecheck')
  })

  it(
    'passes its tests with the kit among them, and its page is the one that is checked in',
    { timeout: 300_000 },
    async () => {
      const output = await npm('test')
      expect(output).toContain('ℹ fail 0')
      expect(Number(/ℹ pass (\d+)/.exec(output)?.[1])).toBeGreaterThan(150)
      const page = readFileSync(join(author, 'CAPABILITIES.md'), 'utf8')
      expect(page).toMatch(/It keeps (\d+) of the \1 obligations/)
      expect(page).toBe(readFileSync(join(example, 'CAPABILITIES.md'), 'utf8'))
    }
  )

  it(
    'serves an app that has installed it: the sample of the README, and what it says of durability',
    { timeout: 300_000 },
    async () => {
      const server = await startServer()
      try {
        const sample = /```ts\n([^]*?)```/.exec(readFileSync(join(example, 'README.md'), 'utf8'))?.[1] ?? ''
        expect(await node(sample, { NATS_URL: server.url })).toBe('hello over NATS\nkept on the server\n')
        const configured = `
        import { createBackends, loadConfig } from '@p2pl/config'
        import { createPeer } from '@p2pl/core'
        const onWarning = (message) => console.log(message)
        const backends = await createBackends(await loadConfig(), { dir: 'peer', durability: 'power', onWarning })
        await createPeer({ ...backends, durability: 'power' }).catch((error) => console.log(error.code))
        const peer = await createPeer({ ...await createBackends(await loadConfig(), { dir: 'peer' }), durability: 'process' })
        console.log(peer.network.self()[0].network)
        await peer.stop()`
        const env = { P2PL_BACKEND: name, P2PL_BACKEND__OPTIONS__SERVERS: server.url }
        const [warning, code, network] = (await node(configured, env)).split('\n')
        expect(warning).toContain(name)
        expect(warning).toContain('power')
        expect([code, network]).toEqual(['UNSUPPORTED', 'nats-p2pl'])
      } finally {
        await server.stop()
      }
    }
  )

  it(
    'runs the ledger in three processes, while its server is killed and started again',
    { timeout: 300_000 },
    async () => {
      const server = await startServer()
      const program = join(root, 'apps/ledger/src/demo/main.ts')
      const backend = join(app, 'node_modules', name, 'dist/index.js')
      const dir = join(place, 'ledger')
      const child = spawn(
        process.execPath,
        ['-C', '@p2pl/source', program, '--once', '--dir', dir, '--backend', backend],
        // The default gives up after a third of a second, which is less than a server needs to start.
        {
          env: {
            ...process.env,
            P2PL_BACKEND__OPTIONS__SERVERS: server.url,
            P2PL_RETRY__ATTEMPTS: '10',
            P2PL_RETRY__BASE_DELAY: '500'
          },
          stdio: ['ignore', 'pipe', 'inherit']
        }
      )
      const ended = once(child, 'close')
      let text = ''
      let restarted: Promise<void> | undefined
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.includes('cedar was killed')) restarted ??= server.kill().then(async () => await server.restart())
      })
      const [code] = (await ended) as unknown[]
      await restarted
      await server.stop()
      expect(code, text).toBe(0)
      expect(restarted).toBeDefined()
      const result = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as { readonly roots: string[] }
      expect(result).toMatchObject({
        ok: true,
        peers: 3,
        entries: 370,
        rejected: 4,
        verified: 370,
        balancesEqual: true
      })
      expect(new Set(result.roots).size).toBe(1)
    }
  )
})

it('the README of the example has the matrix of its page', () => {
  const page = readFileSync(join(example, 'CAPABILITIES.md'), 'utf8').split('\n')
  const matrix = page.filter((line) => line.startsWith('|')).join('\n')
  const shown = `<!-- capabilities -->\n${matrix}\n<!-- /capabilities -->`
  expect(readFileSync(join(example, 'README.md'), 'utf8')).toContain(shown)
})

it('the guide says how many lines it has', () => {
  const files = readdirSync(join(example, 'src'))
  const lines = files.map((file) => readFileSync(join(example, 'src', file), 'utf8').split('\n').length - 1)
  const guide = readFileSync(join(root, 'packages/create-adapter/README.md'), 'utf8')
  const said = Number(/in about (\d+) lines/.exec(guide)?.[1])
  expect(Math.abs(said - lines.reduce((sum, count) => sum + count))).toBeLessThanOrEqual(20)
})
