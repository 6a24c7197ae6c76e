import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { afterEach, expect, it, vi } from 'vitest'
import { readRecord } from '../src/daemon/record.ts'
import { Kubo, preflight } from '../src/index.ts'
import { ask, configOf, managedDaemons } from './support/managed.ts'

describeWithKubo('the repo of a managed daemon', (binary) => {
  const { folder, newRepo, start } = managedDaemons(binary)
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('is left alone where a live foreign daemon has it, which is named', async () => {
    const foreign = await startTestDaemon({ binary, repo: newRepo() })
    try {
      await expect(new Kubo({ daemon: { binary, repo: foreign.repo } }).start()).rejects.toMatchObject({
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

  it.runIf(process.platform === 'linux')('on a file system that takes no folders is refused with STORAGE', async () => {
    await expect(new Kubo({ daemon: { binary, repo: '/proc/p2pl/repo' } }).start()).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('/proc/p2pl cannot be made, because /proc takes no folders') as unknown
    })
  })

  it('takes one daemon: the second is refused with LOCKED, the first goes on', async () => {
    const repo = newRepo()
    const first = await start({ repo })
    await expect(new Kubo({ daemon: { binary, repo } }).start()).rejects.toMatchObject({ code: 'LOCKED' })
    expect(await ask(first, 'id')).toMatchObject({ ID: first.identity.id })
  })

  it('gets another port when its own was taken meanwhile', async () => {
    const repo = newRepo()
    const kubo = await start({ repo })
    await kubo.stop()
    const server = createServer()
    // By us, or by somebody who was faster.
    await new Promise<void>((resolve) => {
      server.once('error', () => resolve()).listen(readRecord(repo)?.port, '127.0.0.1', resolve)
    })
    try {
      await kubo.start()
      expect(kubo.identity.addresses.length).toBeGreaterThan(0)
    } finally {
      server.close()
    }
  })

  it('gets its configuration from the options: closed listens on loopback only, blocks are synced', async () => {
    const repo = newRepo()
    const kubo = await start({
      repo,
      lowResource: true,
      connections: { low: 7, high: 11 },
      storageMax: '3GB',
      gcPeriod: '2h',
      config: { Datastore: { BloomFilterSize: 1024 } }
    })
    const config = configOf(repo)
    expect(kubo.identity.addresses.every((address) => address.startsWith('/ip4/127.0.0.1/'))).toBe(true)
    expect(config['Bootstrap']).toEqual([])
    expect(config['Swarm']).toMatchObject({
      ConnMgr: { LowWater: 7, HighWater: 11 },
      ResourceMgr: { MaxMemory: '256MB' }
    })
    expect(config['Datastore']).toMatchObject({ StorageMax: '3GB', GCPeriod: '2h', BloomFilterSize: 1024 })
    expect(JSON.stringify(config['Datastore'])).toContain('"sync":true')
    expect(JSON.stringify(config['Datastore'])).not.toContain('"sync":false')
    expect(statSync(repo).mode & 0o077).toBe(0)
    expect((await ask(kubo, 'pin/ls'))['Keys'] ?? {}).toEqual({})
    // What was set once does not stay when it is not asked for any more.
    await kubo.stop()
    await start({ repo, profile: 'lan' })
    expect(configOf(repo)['Discovery']).toMatchObject({ MDNS: { Enabled: true } })
    expect(configOf(repo)['Datastore']?.['StorageMax']).not.toBe('3GB')
    expect(configOf(repo)['Swarm']).not.toHaveProperty('ResourceMgr.MaxMemory')
  })

  it('joins a private network: the same key connects, another does not', async () => {
    const key = 'ab'.repeat(32)
    const one = await start({ repo: newRepo(), swarmKey: key })
    const two = await start({ repo: newRepo(), swarmKey: key })
    const stranger = await start({ repo: newRepo() })
    const address = one.identity.addresses[0] ?? ''
    await ask(two, 'swarm/connect', { arg: address })
    await expect(ask(stranger, 'swarm/connect', { arg: address })).rejects.toMatchObject({ retryable: true })
  })

  it('with an API over TCP asks for a secret that others do not have', async () => {
    const repo = newRepo()
    await start({ repo, api: 'tcp' })
    const api = readFileSync(join(repo, 'api'), 'utf8').trim()
    await expect(new Kubo({ url: api }).start()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(statSync(join(repo, 'config')).mode & 0o077).toBe(0)
  })

  it('may have a path that is too long for a socket', async () => {
    const kubo = await start({ repo: join(newRepo(), 'deep'.repeat(30)) })
    expect(kubo.health.state).toBe('well')
  })

  it('needs a Kubo: without one the error names the remedy', async () => {
    vi.stubEnv('PATH', folder)
    vi.stubEnv('KUBO_BINARY', '')
    await expect(new Kubo({ daemon: { repo: newRepo() } }).start()).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install kubo') as unknown
    })
    vi.stubEnv('KUBO_BINARY', join(folder, 'none'))
    await expect(new Kubo({ daemon: { repo: newRepo() } }).start()).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY'
    })
    vi.stubEnv('KUBO_BINARY', binary)
    expect(await preflight({ daemon: { repo: newRepo() } })).toMatchObject([
      { name: 'binary', status: 'ok' },
      { name: 'repo', status: 'ok' }
    ])
  })
})
