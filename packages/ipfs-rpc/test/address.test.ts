import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { preflight } from '@p2pl/kubo'
import { ipfsRpc, type IpfsRpcOptions } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { bytes, Inbox } from './support/inbox.ts'
import { type Proxy, startProxy } from '@p2pl/tooling-kubo/proxy'

describeWithKubo('ways to a daemon', (binary) => {
  const folder = temporaryFolder('p2pl-rpc-')
  const closers: (() => Promise<unknown>)[] = []
  let bearerUrl = ''
  let plainUrl = ''
  let proxy: Proxy
  let ca = ''

  beforeAll(async () => {
    const guarded = await startTestDaemon({
      binary,
      config: {
        API: {
          Authorizations: {
            token: { AuthSecret: 'bearer:a-token', AllowedPaths: ['/api/v0'] },
            user: { AuthSecret: 'basic:ada:pass word', AllowedPaths: ['/api/v0'] }
          }
        }
      }
    })
    const plain = await startTestDaemon({ binary })
    bearerUrl = guarded.url
    plainUrl = plain.url
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${key} -out ${cert} -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`.split(
        ' '
      ),
      { stdio: 'ignore' }
    )
    ca = readFileSync(cert, 'utf8')
    proxy = await startProxy(plainUrl, { key: readFileSync(key, 'utf8'), cert: ca })
    closers.push(
      () => proxy.close(),
      () => guarded.stop(),
      () => plain.stop()
    )
  })
  afterAll(async () => {
    for (const close of closers) await close()
  })

  async function use(options: IpfsRpcOptions): Promise<void> {
    const backend = ipfsRpc(options)
    await backend.start()
    try {
      const inbox = new Inbox()
      const block = await seededBlock(2000, 5)
      await backend.blocks?.putMany([block])
      expect(await backend.blocks?.get(block.cid, { local: true })).toEqual(block.bytes)
      await backend.messages?.subscribe('way', inbox)
      await backend.messages?.publish('way', bytes('echo'))
      await inbox.has('echo')
    } finally {
      await backend.stop()
    }
  }

  it('bearer and basic authorization are sent with every call', async () => {
    await use({ url: bearerUrl, authorization: { bearer: 'a-token' } })
    await use({ url: bearerUrl, authorization: 'a-token' })
    await use({ url: bearerUrl, authorization: { basic: { user: 'ada', password: 'pass word' } } })
    await use({ url: bearerUrl, headers: { Authorization: 'Bearer a-token' } })
  })

  it('without or with wrong credentials the start rejects with UNAUTHORIZED', async () => {
    for (const options of [{ url: bearerUrl }, { url: bearerUrl, authorization: 'wrong' }])
      await expect(ipfsRpc(options).start()).rejects.toMatchObject({ code: 'UNAUTHORIZED', retryable: false })
  })

  it('TLS with a certificate of our own', async () => {
    await use({ url: proxy.url, tls: { ca } })
  })

  it('TLS with an unknown certificate is refused', async () => {
    await expect(ipfsRpc({ url: proxy.url }).start()).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: false })
  })

  it('a unix socket', async () => {
    const socket = join(folder, 'api.sock')
    const daemon = await startTestDaemon({ binary, config: { Addresses: { API: `/unix${socket}` } } })
    try {
      expect(daemon.url).toBe(`/unix${socket}`)
      await use({ url: daemon.url })
    } finally {
      await daemon.stop()
    }
  })

  it('a daemon without pubsub serves data only, and says how to change that', async () => {
    const daemon = await startTestDaemon({ binary, config: { Pubsub: { Enabled: false } } })
    try {
      await expect(ipfsRpc({ url: daemon.url }).start()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
      const backend = ipfsRpc({ url: daemon.url, pubsub: false })
      await backend.start()
      expect([backend.messages, backend.capabilities.messages]).toEqual([undefined, undefined])
      await backend.stop()
      const checks = await preflight({ url: daemon.url })
      expect(checks.find((check) => check.name === 'pubsub')).toMatchObject({
        status: 'fail',
        fix: expect.stringContaining('ipfs config --json Pubsub.Enabled true') as unknown
      })
    } finally {
      await daemon.stop()
    }
  })

  it('stats', async () => {
    const backend = ipfsRpc({ url: plainUrl })
    await backend.start()
    const stats = await backend.stats()
    expect(stats.storageMaxBytes).toBeGreaterThan(stats.storageBytes)
    await backend.stop()
    await expect(backend.stats()).rejects.toMatchObject({ code: 'NOT_RUNNING', backend: 'ipfs-rpc' })
  })
})
