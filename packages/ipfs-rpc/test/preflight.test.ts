import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { startTestDaemon, type TestDaemon, type TestDaemonOptions } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcOptions, preflight, type PreflightCheck } from '../src/index.ts'
import { seededBlock } from './support/block.ts'

async function check(name: string, options: IpfsRpcOptions): Promise<PreflightCheck | undefined> {
  return (await preflight(options)).find((each) => each.name === name)
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

  it.concurrent('authorization: a secret for some calls only', async () => {
    const secret = { AuthSecret: 'bearer:half', AllowedPaths: ['/api/v0/version', '/api/v0/id'] }
    await against({ config: { API: { Authorizations: { half: secret } } } }, async ({ url }) => {
      expect(await check('authorization', { url, authorization: 'half' })).toMatchObject({
        status: 'fail',
        fix: saying('AllowedPaths')
      })
      await expect(ipfsRpc({ url, authorization: 'half' }).start()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
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
      const backend = ipfsRpc({ url: daemon.url })
      await backend.start()
      try {
        await against({ config: { Routing: { Type: 'dhtclient' } } }, async (client) => {
          const other = ipfsRpc({ url: client.url })
          await other.start()
          await backend.routing?.connect(other.self())
          expect(await check('dht', { url: daemon.url })).toMatchObject({
            status: 'warn',
            message: saying('none that serves the DHT')
          })
          await other.stop()
        })
        await against({}, async (server) => {
          const other = ipfsRpc({ url: server.url })
          await other.start()
          await backend.routing?.connect(other.self())
          await until('the DHT knows it', async () => (await check('dht', { url: daemon.url }))?.status === 'ok')
          await other.stop()
        })
      } finally {
        await backend.stop()
      }
    })
  })

  it.concurrent('storage: nearly full, and full', async () => {
    await against({}, async (daemon) => {
      const backend = ipfsRpc({ url: daemon.url })
      await backend.start()
      await backend.blocks?.putMany(
        await Promise.all([1, 2, 3].map(async (seed) => await seededBlock(1_000_000, seed)))
      )
      const { storageBytes } = await backend.stats()
      expect(await check('storage', { url: daemon.url })).toMatchObject({
        status: 'ok',
        message: expect.stringMatching(/, \d+\.\d\d GB are left on the disk$/) as unknown
      })
      await backend.stop()
      for (const [share, status] of [
        [1.05, 'warn'],
        [0.5, 'fail']
      ] as const) {
        await daemon.ipfs('config', 'Datastore.StorageMax', `${Math.round(storageBytes * share)}B`)
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
    const server = createServer((request, response) => {
      const name = /^\/api\/v0\/([^?]+)/.exec(request.url ?? '')?.[1] ?? ''
      response.end(JSON.stringify(answers[name] ?? {}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    try {
      await body(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    } finally {
      server.close()
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
