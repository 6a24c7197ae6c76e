import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import type { Block, Progress } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { encode, prepare } from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { collect } from './support/collect.ts'
import { errorOf, link } from './support/daemon.ts'

describeWithKubo('pins of a daemon that others use, too', (binary) => {
  let daemons: TestDaemon[] = []
  const running: IpfsRpcBackend[] = []

  beforeAll(async () => {
    daemons = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
  })
  afterAll(async () => {
    await Promise.all(daemons.map(async (daemon) => await daemon.stop()))
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(async (backend) => await backend.stop()))
  })

  async function start(index = 0): Promise<IpfsRpcBackend> {
    const backend = ipfsRpc({ url: daemons[index]?.url })
    running.push(backend)
    await backend.start()
    return backend
  }

  async function collectGarbage(): Promise<void> {
    await daemons[0]?.ipfs('repo', 'gc')
  }

  /** A root over so many leaves of 1,000 bytes, the root first. */
  async function dag(leaves: number, seed: number): Promise<[root: Block, ...leaves: Block[]]> {
    const blocks = await Promise.all(Array.from({ length: leaves }, async (_, i) => await seededBlock(1_000, seed + i)))
    const bytes = encode(prepare({ Links: blocks.map(({ cid }) => ({ Hash: cid, Tsize: 1_000, Name: '' })) }))
    return [{ cid: CID.createV1(0x70, await sha256.digest(bytes)), bytes }, ...blocks]
  }

  it('a pin after the garbage collection of somebody else says what has happened, and is retryable', async () => {
    const backend = await start()
    const content = await dag(20, 100)
    await backend.blocks?.putMany(content)
    await collectGarbage()
    const signal = AbortSignal.timeout(100_000)
    const error = await errorOf(backend.blocks?.pin(content[0].cid, { signal }))
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      retryable: true,
      message: expect.stringContaining('another user of this daemon has collected garbage before the pin') as unknown
    })
    expect(signal.aborted).toBe(false)
    await backend.blocks?.putMany(content)
    await backend.blocks?.pin(content[0].cid)
    await collectGarbage()
    expect(await backend.blocks?.has(content[20]?.cid as CID)).toBe(true)
  })

  it('what was collected here is fetched where others have it', async () => {
    const [backend, other] = [await start(0), await start(1)]
    const content = await dag(5, 200)
    await other.blocks?.putMany(content)
    await other.blocks?.pin(content[0].cid)
    await backend.blocks?.putMany(content)
    await collectGarbage()
    await backend.blocks?.pin(content[0].cid, { providers: other.self() })
    for (const { cid } of content) expect(await backend.blocks?.has(cid)).toBe(true)
  })

  it('adds beside garbage collections by the same peer all succeed', async () => {
    const peer = await createPeer({ backend: ipfsRpc({ url: daemons[0]?.url }) })
    try {
      const adding = new AbortController()
      const collections = (async () => {
        let count = 0
        for (; !adding.signal.aborted; count++) for await (const cid of peer.data.gc()) void cid
        return count
      })()
      const cids: CID[] = []
      for (let i = 0; i < 20; i++) {
        const added = await Promise.all([1, 2, 3].map((j) => peer.data.add(seededBytes(2_000, 1_000 + i * 10 + j))))
        cids.push(...added.map(({ cid }) => cid))
      }
      adding.abort()
      expect(await collections).toBeGreaterThan(0)
      for (const cid of cids) expect(await peer.data.has(cid)).toBe(true)
    } finally {
      await peer.stop()
    }
  })

  it('tells its progress', async () => {
    const backend = await start()
    const content = await dag(30, 300)
    await backend.blocks?.putMany(content)
    const seen: Progress[] = []
    await backend.blocks?.pin(content[0].cid, { onProgress: (progress) => seen.push(progress) })
    const bytes = content.reduce((sum, block) => sum + block.bytes.byteLength, 0)
    expect(seen.at(-1)).toMatchObject({ blocks: 31, bytes })
  })

  it('is bounded: too much is TOO_LARGE and leaves no pin', async () => {
    const [backend, other] = [await start(0), await start(1)]
    const content = await dag(30, 400)
    await other.blocks?.putMany(content)
    await link(backend, other)
    for (const [recursive, maxBytes] of [
      [true, 20_000],
      [false, 100]
    ] as const)
      await expect(backend.blocks?.pin(content[0].cid, { recursive, maxBytes })).rejects.toMatchObject({
        code: 'TOO_LARGE'
      })
    expect((await collect(backend.blocks?.pins() ?? [])).map(({ cid }) => cid.toString())).not.toContain(
      content[0].cid.toString()
    )
    await backend.blocks?.pin(content[0].cid, { maxBytes: 40_000 })
    expect(await backend.blocks?.has(content[30]?.cid as CID)).toBe(true)
  })

  it('that is aborted leaves no pin', async () => {
    const backend = await start()
    const content = await dag(3, 500)
    // The last leaf is nowhere.
    await backend.blocks?.putMany(content.slice(0, -1))
    const controller = new AbortController()
    const error = errorOf(backend.blocks?.pin(content[0].cid, { signal: controller.signal }))
    await until('the daemon looks for the leaf', async () =>
      String(await daemons[0]?.ipfs('bitswap', 'wantlist')).includes(String(content[3]?.cid))
    )
    controller.abort()
    expect(await error).toMatchObject({ code: 'ABORTED' })
    await until('nobody looks for it', async () => (await daemons[0]?.ipfs('bitswap', 'wantlist')) === '')
    await backend.blocks?.delete(content[0].cid)
    expect(await backend.blocks?.has(content[0].cid)).toBe(false)
  })

  it('that is made again and given up keeps the earlier one, and its name', async () => {
    const backend = await start()
    const [root, leaf, ...others] = await dag(3, 800)
    await backend.blocks?.putMany([root, leaf as Block, ...others])
    await daemons[0]?.ipfs('pin', 'add', '--name', 'mine', root.cid.toString())
    rmSync(fileOf(String(daemons[0]?.repo), (leaf as Block).bytes))
    const giveUp = new AbortController()
    const again = errorOf(backend.blocks?.pin(root.cid, { signal: giveUp.signal }))
    await until('the daemon looks for the block', async () =>
      ((await daemons[0]?.ipfs('bitswap', 'wantlist')) ?? '').includes((leaf as Block).cid.toString())
    )
    giveUp.abort()
    expect(await again).toMatchObject({ code: 'ABORTED' })
    expect(await daemons[0]?.ipfs('pin', 'ls', '--names', '--type', 'recursive', root.cid.toString())).toContain('mine')
    await backend.blocks?.putMany([leaf as Block])
    await backend.blocks?.pin(root.cid)
    expect(await daemons[0]?.ipfs('pin', 'ls', '--names', '--type', 'recursive', root.cid.toString())).toContain('mine')
  })

  it('a get of others only does not give the own block, and does not lose it', async () => {
    const [backend, other] = [await start(0), await start(1)]
    const block = await seededBlock(3_000, 600)
    await backend.blocks?.putMany([block])
    const alone = backend.blocks?.get(block.cid, { remote: true, signal: AbortSignal.timeout(300) })
    expect(await errorOf(alone)).toMatchObject({ code: 'TIMEOUT' })
    expect(await backend.blocks?.get(block.cid, { local: true })).toEqual(block.bytes)
    await other.blocks?.putMany([block])
    expect(await backend.blocks?.get(block.cid, { remote: true, providers: other.self() })).toEqual(block.bytes)
    await backend.blocks?.pin(block.cid)
    expect(await errorOf(backend.blocks?.get(block.cid, { remote: true }))).toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('a damaged copy is replaced by a good one of others, and named where a pin holds it', async () => {
    const [backend, other] = [await start(0), await start(1)]
    const peer = await createPeer({ backend: ipfsRpc({ url: daemons[0]?.url }) })
    try {
      for (const pinned of [false, true]) {
        const block = await seededBlock(4_000, pinned ? 701 : 702)
        await Promise.all([backend.blocks?.putMany([block]), other.blocks?.putMany([block])])
        if (pinned) await backend.blocks?.pin(block.cid)
        damage(String(daemons[0]?.repo), block.bytes)
        const content = peer.data.bytes(block.cid, { providers: other.self(), timeout: 100_000 })
        if (pinned) {
          expect(await errorOf(content)).toMatchObject({
            code: 'STORAGE',
            message: expect.stringContaining('ipfs repo verify --heal') as unknown
          })
          continue
        }
        expect(await content).toEqual(block.bytes)
        expect(await backend.blocks?.get(block.cid, { local: true })).toEqual(block.bytes)
      }
    } finally {
      await peer.stop()
    }
  })

  /** The file that holds the block. */
  function fileOf(repo: string, bytes: Uint8Array): string {
    const folder = join(repo, 'blocks')
    const file = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.data'))
      .map((name) => join(folder, name))
      .find((name) => readFileSync(name).equals(bytes))
    if (file === undefined) throw new Error('the block is in no file')
    return file
  }

  /** Flips a bit of the file that holds the block. */
  function damage(repo: string, bytes: Uint8Array): void {
    writeFileSync(
      fileOf(repo, bytes),
      bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
    )
  }

  it('refuses hashes and cut digests that nobody could verify', async () => {
    const backend = await start()
    const { bytes } = await seededBlock(100, 700)
    const whole = await sha256.digest(bytes)
    const digest = (code: number, size: number): CID =>
      CID.createV1(0x55, {
        ...whole,
        code,
        size,
        digest: whole.digest.subarray(0, size),
        bytes: new Uint8Array([code, size, ...whole.digest.subarray(0, size)])
      })
    for (const cid of [digest(0x12, 20), digest(0x16, 32), digest(0x1e, 32), digest(0x13, 32)]) {
      for (const call of [
        backend.blocks?.putMany([{ cid, bytes }]),
        backend.blocks?.get(cid),
        backend.blocks?.has(cid),
        backend.blocks?.pin(cid)
      ])
        expect(await errorOf(call), cid.toString()).toMatchObject({ code: 'UNSUPPORTED' })
    }
    expect(backend.capabilities.blocks?.hashes).toEqual([0x12, 0x13])
  })
})
