import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../src/index.ts'
import { seededBlock } from './support/block.ts'

describeWithKubo('many blocks at once', (binary) => {
  let daemon: TestDaemon
  let backend: IpfsRpcBackend

  beforeAll(async () => {
    daemon = await startTestDaemon({ binary })
    backend = ipfsRpc({ url: daemon.url })
    await backend.start()
  })
  afterAll(async () => {
    await backend.stop()
    await daemon.stop()
  })

  it('small and large ones come back as they were put, in one call', async () => {
    const sizes = [0, 1, 16_383, 16_384, 300, 1_048_576, 16_385, 2, 2_097_152, 65_536, 700]
    const blocks = await Promise.all(sizes.map(async (size, seed) => await seededBlock(size, seed)))
    await backend.blocks?.putMany(blocks)
    for (const { cid, bytes } of blocks)
      expect(Buffer.from((await backend.blocks?.get(cid)) ?? [])).toEqual(Buffer.from(bytes))
  })

  it('a block is a plain array, whose slice is a copy', async () => {
    const block = await seededBlock(1_000, 1)
    await backend.blocks?.putMany([block])
    for (const local of [true, undefined])
      expect((await backend.blocks?.get(block.cid, { local }))?.constructor).toBe(Uint8Array)
  })
})
