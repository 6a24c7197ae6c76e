import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { startTestDaemon, type TestDaemon, type TestDaemonOptions } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { startFakeDaemon } from '@p2pl/tooling-kubo/fake-daemon'
import { Kubo, type KuboOptions, preflight, type PreflightCheck } from '../src/index.ts'

async function check(name: string, options: KuboOptions): Promise<PreflightCheck | undefined> {
  return (await preflight(options)).find((each) => each.name === name)
}

async function addressOf({ url }: TestDaemon): Promise<string> {
  const kubo = new Kubo({ url })
  await kubo.start()
  const [address] = kubo.identity.addresses
  await kubo.stop()
  return String(address)
}

const saying = (text: string): unknown => expect.stringContaining(text) as unknown

describeWithKubo('preflight of a daemon that is not as it should be', (binary) => {
  async function against(options: TestDaemonOptions, body: (daemon: TestDaemon) => Promise<void>): Promise<void> {
    const daemon = await startTestDaemon({ binary, ...options })
    try {
      await body(daemon)
    } finally {
      await daemon.stop()
    }
  }

  it.concurrent('a daemon as it should be, alone: all is well but for the DHT', async () => {
    await against({}, async ({ url }) => {
      const checks = await preflight({ url })
      expect(checks.map(({ name }) => name)).toEqual([
        'daemon',
        'authorization',
        'version',
        'pubsub',
        'routing',
        'dht',
        'storage'
      ])
      expect(checks.filter(({ status }) => status !== 'ok').map(({ name }) => name)).toEqual(['dht'])
    })
  })

  it.concurrent('authorization: none, wrong, right', async () => {
    const secret = { AuthSecret: 'bearer:a-token', AllowedPaths: ['/api/v0'] }
    await against({ config: { API: { Authorizations: { token: secret } } } }, async ({ url }) => {
      for (const authorization of [undefined, 'wrong'])
        expect((await preflight({ url, authorization })).at(-1)).toMatchObject({
          name: 'authorization',
          status: 'fail',
          fix: saying('API.Authorizations')
        })
      expect(await check('authorization', { url, authorization: 'a-token' })).toMatchObject({ status: 'ok' })
    })
  })

  it.concurrent('authorization: a secret for some calls only', async () => {
    const secret = { AuthSecret: 'bearer:half', AllowedPaths: ['/api/v0/version', '/api/v0/id'] }
    await against({ config: { API: { Authorizations: { half: secret } } } }, async ({ url }) => {
      expect(await check('authorization', { url, authorization: 'half' })).toMatchObject({
        status: 'fail',
        fix: saying('AllowedPaths')
      })
    })
  })

  it.concurrent('pubsub: off, or not asked for; then the command that it names puts it right', async () => {
    await against({ config: { Pubsub: { Enabled: false } } }, async (daemon) => {
      const found = await check('pubsub', { url: daemon.url })
      expect(found).toMatchObject({ status: 'fail', fix: saying('ipfs config --json Pubsub.Enabled true') })
      expect(await check('pubsub', { url: daemon.url, pubsub: false })).toBeUndefined()
      await daemon.ipfs('config', '--json', 'Pubsub.Enabled', 'true')
      await daemon.kill()
      await daemon.restart()
      expect(await check('pubsub', { url: daemon.url })).toMatchObject({ status: 'ok' })
    })
  })

  it.concurrent('pubsub: a daemon that is offline', async () => {
    await against({ args: ['--offline'] }, async ({ url }) => {
      expect(await check('pubsub', { url })).toMatchObject({ status: 'fail', fix: saying('without --offline') })
      expect(await check('dht', { url })).toMatchObject({ status: 'warn', fix: saying('without --offline') })
    })
  })

  it.concurrent('routing: none, or providing switched off', async () => {
    await against({ config: { Routing: { Type: 'none' } } }, async ({ url }) => {
      expect(await check('routing', { url })).toMatchObject({ status: 'warn', fix: saying('Routing.Type auto') })
    })
    await against({ config: { Provide: { Enabled: false } } }, async ({ url }) => {
      expect(await check('routing', { url })).toMatchObject({ status: 'warn', fix: saying('Provide.Enabled true') })
    })
  })

  it.concurrent('dht: nobody connected, somebody who does not serve it, somebody who does', async () => {
    await against({}, async (daemon) => {
      expect(await check('dht', { url: daemon.url })).toMatchObject({ status: 'warn', fix: saying('swarm connect') })
      await against({ config: { Routing: { Type: 'dhtclient' } } }, async (client) => {
        await daemon.ipfs('swarm', 'connect', await addressOf(client))
        expect(await check('dht', { url: daemon.url })).toMatchObject({
          status: 'warn',
          message: saying('none that serves the DHT')
        })
      })
      await against({}, async (server) => {
        await daemon.ipfs('swarm', 'connect', await addressOf(server))
        await until('the DHT knows it', async () => (await check('dht', { url: daemon.url }))?.status === 'ok')
      })
    })
  })

  it.concurrent('storage: nearly full, and full', async () => {
    await against({}, async (daemon) => {
      const file = join(temporary(), 'file')
      writeFileSync(file, seededBytes(3_000_000, 1))
      await daemon.ipfs('add', file)
      const { RepoSize } = JSON.parse(await daemon.ipfs('repo', 'stat', '--size-only', '--enc=json')) as {
        RepoSize: number
      }
      expect(await check('storage', { url: daemon.url })).toMatchObject({
        status: 'ok',
        message: expect.stringMatching(/, \d+\.\d\d GB are left on the disk$/) as unknown
      })
      for (const [share, status] of [
        [1.05, 'warn'],
        [0.5, 'fail']
      ] as const) {
        await daemon.ipfs('config', 'Datastore.StorageMax', `${Math.round(RepoSize * share)}B`)
        await daemon.kill()
        await daemon.restart()
        expect(await check('storage', { url: daemon.url })).toMatchObject({ status, fix: saying('ipfs repo gc') })
      }
    })
  })

  it.concurrent('binary: none, one that cannot be run, one that is no Kubo', async () => {
    const none = join(temporary(), 'none')
    const file = join(temporary(), 'not-ipfs')
    writeFileSync(file, '#!/bin/sh\necho something else\n')
    for (const path of [none, file])
      expect(await check('binary', { daemon: { binary: path, repo: temporary() } })).toMatchObject({ status: 'fail' })
    chmodSync(file, 0o755)
    expect(await check('binary', { daemon: { binary: file, repo: temporary() } })).toMatchObject({ status: 'warn' })
  })

  const folder = temporaryFolder('p2pl-preflight-')
  let folders = 0
  function temporary(): string {
    const path = join(folder, String(folders++))
    mkdirSync(path)
    return path
  }
})

describe('preflight of something else than a daemon of today', () => {
  async function against(answers: Record<string, unknown>, body: (url: string) => Promise<void>): Promise<void> {
    const all = ['version', 'pubsub/ls', 'config', 'swarm/peers', 'stats/dht', 'repo/stat', 'diag/sys']
    const daemon = await startFakeDaemon(
      Object.fromEntries(
        all.map((name) => [name, (response: ServerResponse) => response.end(JSON.stringify(answers[name] ?? {}))])
      )
    )
    try {
      await body(daemon.url)
    } finally {
      await daemon.close()
    }
  }

  it('warns of a version that is old or unknown, and never refuses it', async () => {
    for (const [Version, expected] of [
      ['0.38.2', { status: 'warn', message: saying('older than 0.43') }],
      ['tomorrow', { status: 'warn', message: saying('not a Kubo that we know') }],
      ['1.0.0', { status: 'ok' }]
    ] as const)
      await against({ version: { Version } }, async (url) => {
        expect(await check('version', { url })).toMatchObject(expected)
      })
  })

  it('says how to start a daemon where there is none, and where a redirect leads', async () => {
    expect(await preflight({ url: 'http://127.0.0.1:1' })).toMatchObject([
      { name: 'daemon', status: 'fail', fix: saying('ipfs daemon') }
    ])
    const moved = await startFakeDaemon({
      version: (response) => response.writeHead(301, { location: 'https://ipfs.example.org/api/v0/version' }).end()
    })
    try {
      expect(await preflight({ url: moved.url })).toMatchObject([
        { name: 'daemon', status: 'fail', message: saying('https://ipfs.example.org'), fix: saying('correct "url"') }
      ])
    } finally {
      await moved.close()
    }
  })

  it('warns of a disk that is nearly full', async () => {
    const answers = {
      version: { Version: '0.43.1' },
      'repo/stat': { NumObjects: 0, RepoSize: 5, StorageMax: 10_000, RepoPath: '', Version: '' },
      'diag/sys': { diskinfo: { free_space: 500_000_000 } }
    }
    await against(answers, async (url) => {
      expect(await check('storage', { url })).toMatchObject({ status: 'warn', message: saying('0.50 GB are left') })
    })
  })
})
