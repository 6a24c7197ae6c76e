import { join } from 'node:path'
import { createPeer, type Peer, type RecordStore, verifyAcknowledgement } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it } from 'vitest'
import { counting } from './counting.ts'
import { type Keeper, startHeliaKeeper } from './keeper.ts'

const mebibyte = 1024 * 1024
const content = seededBytes(32 * mebibyte, 1)
const maxBytes = 256 * mebibyte
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/**
 * Adds content. Meanwhile the engine of the first peer that fetches is killed, and that of the second is stopped. Both
 * are in the middle of it: neither has acknowledged.
 */
async function addUnderFire(
  ann: Peer,
  start: (index: number, onBlock: (blocks: number) => void) => Promise<Keeper>
): Promise<void> {
  const hit: number[] = []
  const keepers: Keeper[] = []
  const onBlock = (index: number, blocks: number): void => {
    if (blocks < 4 || hit.length === 2 || hit.includes(index)) return
    hit.push(index)
    if (hit.length === 1) void keepers[index]?.kill()
    else keepers[index]?.stopAndGo('SIGSTOP')
  }
  for (const index of [0, 1, 2, 3]) keepers.push(await start(index, (blocks) => onBlock(index, blocks)))
  for (const { self } of keepers) await ann.network.connect(self)
  const { cid, receipt } = await ann.data.add(content, { until: 'retrievable', replicas: 2, timeout: 100_000 })
  expect(hit).toHaveLength(2)
  const others = keepers.filter((_, index) => !hit.includes(index)).map(({ id }) => id)
  expect(receipt.acknowledgements.map(({ peer }) => peer).sort()).toEqual(others.sort())
  for (const { encoded, blocks, challenged } of receipt.acknowledgements) {
    expect((await verifyAcknowledgement(encoded)).cid.equals(cid)).toBe(true)
    expect([blocks, challenged]).toEqual([33, 33])
  }
  // The stopped engine continues where it was.
  const stopped = keepers[hit[1] ?? 0]
  stopped?.stopAndGo('SIGCONT')
  const late = await ann.data.reach(cid, { peers: [stopped?.id ?? ''], timeout: 100_000 })
  expect(late.acknowledgements.map(({ peer }) => peer)).toEqual([stopped?.id])
}

describe('receipts on helia', () => {
  const folder = temporaryFolder('p2pl-receipts-')

  it('come from the peers that are left when one is killed and one stands still in the middle', async () => {
    const ann = await createPeer({ backend: helia({ dir: join(folder, 'ann') }) })
    closers.push(() => ann.stop())
    await addUnderFire(ann, async (index, onBlock) => {
      const keep = { peers: [ann.id], maxBytes }
      const keeper = await startHeliaKeeper(join(folder, `keeper-${index}`), keep, onBlock)
      closers.push(keeper.kill)
      return keeper
    })
  })
})

describeWithKubo('receipts on Kubo', (binary) => {
  it(
    'come from the peers that are left when a daemon is killed and one stands still in the middle',
    { timeout: 240_000 },
    async () => {
      const open = async (): Promise<TestDaemon> => {
        const daemon = await startTestDaemon({ binary })
        closers.push(() => daemon.stop())
        return daemon
      }
      const { url } = await open()
      const ann = await createPeer({ backend: ipfsRpc({ url }) })
      closers.push(() => ann.stop())
      await addUnderFire(ann, async (_index, onBlock) => {
        const daemon = await open()
        const keep = { peers: [ann.id], maxBytes, records: inMemory() }
        const backend = counting(ipfsRpc({ url: daemon.url, probeInterval: 500 }), onBlock)
        const peer = await createPeer({ backend, receipts: { keep } })
        closers.push(() => peer.stop())
        const { id } = peer
        return {
          id,
          self: peer.network.self(),
          kill: () => daemon.kill(),
          stopAndGo: (signal) => daemon.signal(signal)
        }
      })
    }
  )
})

/** In memory, because the daemon's repo is also gone after the test. */
function inMemory(): RecordStore {
  const records = new Map<string, Uint8Array>()
  return { get: async (name) => records.get(name), set: async (name, record) => void records.set(name, record) }
}
