import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type BackendEvent, isP2plError } from '@p2pl/core/backend'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it, vi } from 'vitest'
import { readRecord } from '../src/daemon/repo.ts'
import { isAlive, kernelEndsOrphans } from '../src/daemon/supervisor.ts'
import { type DaemonOptions, ipfsRpc, type IpfsRpcBackend, preflight } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { bytes, Inbox } from './support/inbox.ts'

describeWithKubo('a managed daemon', (binary) => {
  const folder = temporaryFolder('p2pl-managed-')
  const backends: IpfsRpcBackend[] = []
  const events: BackendEvent[] = []
  let count = 0

  afterEach(async () => {
    vi.unstubAllEnvs()
    events.length = 0
    await Promise.all(backends.splice(0).map(async (backend) => await backend.stop()))
  })

  function newRepo(): string {
    return join(folder, String(count++))
  }

  async function start(daemon: DaemonOptions): Promise<IpfsRpcBackend> {
    const backend = ipfsRpc({ daemon: { binary, ...daemon }, probeInterval: 200, probeTimeout: 1_000 })
    backends.push(backend)
    await backend.start({ onEvent: (event) => events.push(event) })
    return backend
  }

  function recordOf(repo: string): { pid: number; supervisorPid: number; guardPid: number } {
    const { pid, supervisorPid, guardPid } = readRecord(repo) ?? {}
    if (pid === undefined || supervisorPid === undefined || guardPid === undefined) throw new Error('no daemon')
    return { pid, supervisorPid, guardPid }
  }

  function configOf(repo: string): Record<string, Record<string, unknown>> {
    return JSON.parse(readFileSync(join(repo, 'config'), 'utf8')) as Record<string, Record<string, unknown>>
  }

  async function gone(pid: number): Promise<void> {
    await until(`process ${pid} is gone`, () => !isAlive(pid))
  }

  it('stop leaves no process and no socket; a second start has the same id and content', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const { id } = backend.self()
    const block = await seededBlock(500, 1)
    await backend.blocks?.put(block)
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    await backend.stop()
    expect([isAlive(pid), isAlive(supervisorPid)]).toEqual([false, false])
    await gone(guardPid)
    await backend.start()
    expect(backend.self().id).toBe(id)
    expect(await backend.blocks?.has(block.cid)).toBe(true)
  })

  it('a crash restarts it: the subscription heals with a gap, and what was stored is there', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const inbox = new Inbox()
    await backend.messages?.subscribe('crash', inbox)
    const blocks = await Promise.all(Array.from({ length: 20 }, async (_, i) => await seededBlock(300, i)))
    await backend.blocks?.putMany(blocks)
    const first = recordOf(repo).pid
    process.kill(first, 'SIGKILL')
    await inbox.hasGap()
    await until('it is back', () => events.some((event) => event.type === 'recovered'))
    expect(events.find((event) => event.type === 'degraded')).toMatchObject({
      error: { code: 'UNREACHABLE', retryable: true }
    })
    expect(recordOf(repo).pid).not.toBe(first)
    await until('the echo comes back', async () => {
      await backend.messages?.publish('crash', bytes('again')).catch(() => {})
      return inbox.items.includes('again')
    })
    for (const { cid } of blocks) expect(await backend.blocks?.has(cid)).toBe(true)
  })

  it('a crash while the backend stops leaves nothing behind', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(pid, 'SIGKILL')
    await until('the crash is noticed', () => events.some((event) => event.type === 'degraded'))
    await backend.stop()
    expect(isAlive(supervisorPid)).toBe(false)
    const now = recordOf(repo)
    await gone(now.pid)
    await gone(now.supervisorPid)
  })

  it('when only its supervisor is killed, the daemon is ended and started again', async () => {
    const repo = newRepo()
    await start({ repo })
    const { pid, supervisorPid } = recordOf(repo)
    process.kill(supervisorPid, 'SIGKILL')
    await gone(pid)
    await until('it is back', () => events.some((event) => event.type === 'recovered'))
    expect(recordOf(repo).pid).not.toBe(pid)
  })

  it('kill -9 of the parent leaves no daemon', async () => {
    const repo = newRepo()
    const child = await childWith(repo)
    const { pid, supervisorPid } = recordOf(repo)
    child.kill('SIGKILL')
    await gone(pid)
    await gone(supervisorPid)
  })

  it('kill -9 of parent and supervisor at once leaves no daemon: the guard ends it', async () => {
    const repo = newRepo()
    // Without setpriv, so that it is not the kernel.
    const child = await childWith(repo, { PATH: folder })
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    child.kill('SIGKILL')
    process.kill(supervisorPid, 'SIGKILL')
    await gone(pid)
    await gone(guardPid)
  })

  it('kill -9 of parent, supervisor and guard at once: the kernel ends the daemon', async (context) => {
    if (!kernelEndsOrphans(process.env)) context.skip('needs Linux with setpriv of util-linux')
    const repo = newRepo()
    const child = await childWith(repo)
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    for (const each of [guardPid, supervisorPid]) process.kill(each, 'SIGKILL')
    child.kill('SIGKILL')
    await gone(pid)
  })

  it('kill -9 of all three where the kernel cannot be told: the next start ends the orphan', async () => {
    const repo = newRepo()
    const child = await childWith(repo, { PATH: folder })
    const { pid, supervisorPid, guardPid } = recordOf(repo)
    for (const each of [guardPid, supervisorPid]) process.kill(each, 'SIGKILL')
    child.kill('SIGKILL')
    await gone(supervisorPid)
    expect(isAlive(pid)).toBe(true)
    const backend = await start({ repo })
    expect(isAlive(pid)).toBe(false)
    expect(backend.self().id).not.toBe('')
  })

  it('clears what a dead daemon left: api file and socket', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const api = readFileSync(join(repo, 'api'), 'utf8')
    await backend.stop()
    const socket = api.trim().replace(/^\/unix/, '')
    // A socket that nobody listens on, as kill -9 leaves it.
    const child = spawn(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    ])
    await new Promise((resolve) => child.on('close', resolve))
    expect(existsSync(socket)).toBe(true)
    writeFileSync(join(repo, 'api'), api)
    await backend.start()
    expect(await backend.stats()).toMatchObject({ connections: 0 })
  })

  it('leaves a live foreign daemon on the same repo alone, and names it', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    await backend.stop()
    const foreign = await startTestDaemon({ binary, repo: newRepo() })
    try {
      const wanted = ipfsRpc({ daemon: { binary, repo: foreign.repo } })
      await expect(wanted.start()).rejects.toMatchObject({
        code: 'LOCKED',
        message: expect.stringContaining(process.platform === 'linux' ? String(foreign.pid) : foreign.repo) as unknown
      })
      expect(foreign.running).toBe(true)
      expect(
        (await preflight({ daemon: { binary, repo: foreign.repo } })).find((check) => check.name === 'repo')
      ).toMatchObject({ status: process.platform === 'linux' ? 'fail' : 'ok' })
    } finally {
      await foreign.stop()
    }
  })

  it('two backends on one repo: the second is refused with LOCKED, the first goes on', async () => {
    const repo = newRepo()
    const first = await start({ repo })
    await expect(ipfsRpc({ daemon: { binary, repo } }).start()).rejects.toMatchObject({ code: 'LOCKED' })
    expect(await first.blocks?.has((await seededBlock(10, 9)).cid)).toBe(false)
  })

  it('takes another port when its own was taken meanwhile', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    await backend.stop()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(readRecord(repo)?.port, '127.0.0.1', resolve))
    try {
      await backend.start()
      expect(backend.self().addresses.length).toBeGreaterThan(0)
    } finally {
      server.close()
    }
  })

  it('closed listens on loopback only; blocks are synced; the options reach the configuration', async () => {
    const repo = newRepo()
    const backend = await start({
      repo,
      lowResource: true,
      connections: { low: 7, high: 11 },
      storageMax: '3GB',
      gcPeriod: '2h',
      config: { Datastore: { BloomFilterSize: 1024 } }
    })
    const config = configOf(repo)
    expect(backend.self().addresses.every((address) => address.startsWith('/ip4/127.0.0.1/'))).toBe(true)
    expect(config['Bootstrap']).toEqual([])
    expect(config['Swarm']).toMatchObject({
      ConnMgr: { LowWater: 7, HighWater: 11 },
      ResourceMgr: { MaxMemory: '256MB' }
    })
    expect(config['Datastore']).toMatchObject({ StorageMax: '3GB', GCPeriod: '2h', BloomFilterSize: 1024 })
    expect(JSON.stringify(config['Datastore'])).toContain('"sync":true')
    expect(JSON.stringify(config['Datastore'])).not.toContain('"sync":false')
    expect(statSync(repo).mode & 0o077).toBe(0)
    expect(backend.capabilities.blocks?.persistence).toBe('power')
    // What was set once does not stay when it is not asked for any more.
    await backend.stop()
    await start({ repo, profile: 'lan' })
    expect(configOf(repo)['Discovery']).toMatchObject({ MDNS: { Enabled: true } })
    expect(configOf(repo)['Datastore']?.['StorageMax']).not.toBe('3GB')
    expect(configOf(repo)['Swarm']).not.toHaveProperty('ResourceMgr.MaxMemory')
  })

  it('a private network: the same key connects, another does not', async () => {
    const key = 'ab'.repeat(32)
    const one = await start({ repo: newRepo(), swarmKey: key })
    const two = await start({ repo: newRepo(), swarmKey: key })
    const stranger = await start({ repo: newRepo() })
    await two.routing?.connect(one.self())
    await expect(stranger.routing?.connect(one.self())).rejects.toMatchObject({ retryable: true })
  })

  it('an API over TCP asks for a secret that others do not have', async () => {
    const repo = newRepo()
    const backend = await start({ repo, api: 'tcp' })
    expect(await backend.stats()).toMatchObject({ connections: 0 })
    const api = readFileSync(join(repo, 'api'), 'utf8').trim()
    await expect(ipfsRpc({ url: api }).start()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(statSync(join(repo, 'config')).mode & 0o077).toBe(0)
  })

  it('a repo whose path is too long for a socket works', async () => {
    const repo = join(newRepo(), 'deep'.repeat(30))
    const backend = await start({ repo })
    expect(await backend.stats()).toMatchObject({ connections: 0 })
  })

  it('what provide announced is remembered over a restart, until unprovide', async () => {
    const [one, two] = [await start({ repo: newRepo() }), await start({ repo: newRepo() })]
    await two.routing?.connect(one.self())
    const block = await seededBlock(100, 77)
    await one.blocks?.put(block)
    // Until the DHT is there it fails, retryably. A record may be with the other before the call says that it is.
    await until('it is announced', async () => {
      try {
        await one.routing?.provide(block.cid)
        return true
      } catch (error) {
        if (isP2plError(error) && error.retryable) return false
        throw error
      }
    })
    const found: string[] = []
    for await (const { id } of two.routing?.findProviders(block.cid) ?? []) found.push(id)
    expect(found).toContain(one.self().id)
    const list = (): string => readFileSync(join(folder, String(count - 2), 'p2pl', 'provided.json'), 'utf8')
    await one.stop()
    expect(list()).toContain(block.cid.toString())
    await one.start()
    await one.routing?.unprovide(block.cid)
    await one.stop()
    expect(list()).toBe('[]')
  })

  it('no Kubo anywhere: MISSING_DEPENDENCY with the remedy', async () => {
    vi.stubEnv('PATH', folder)
    vi.stubEnv('KUBO_BINARY', '')
    await expect(ipfsRpc({ daemon: { repo: newRepo() } }).start()).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install kubo') as unknown
    })
    vi.stubEnv('KUBO_BINARY', join(folder, 'none'))
    await expect(ipfsRpc({ daemon: { repo: newRepo() } }).start()).rejects.toMatchObject({ code: 'MISSING_DEPENDENCY' })
    vi.stubEnv('KUBO_BINARY', binary)
    expect(await preflight({ daemon: { repo: newRepo() } })).toMatchObject([
      { name: 'binary', status: 'ok' },
      { name: 'repo', status: 'ok' }
    ])
  })

  it('a start that is aborted, or takes too long, leaves nothing running', async () => {
    const repo = newRepo()
    const backend = ipfsRpc({ daemon: { binary, repo } })
    await expect(backend.start({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await start({ repo })
  })

  /** A process of its own that runs a backend on the repo, once it runs. */
  async function childWith(repo: string, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const script = `import { ipfsRpc } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      await ipfsRpc({ daemon: ${JSON.stringify({ repo, binary })} }).start(); console.log('running')`
    const child = spawn(process.execPath, ['-C', '@p2pl/source', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env }
    })
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', () => resolve())
      child.on('close', () => reject(new Error('the child ended early')))
    })
    return child
  }
})
