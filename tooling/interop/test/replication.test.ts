import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { aroundCalls } from '@p2pl/core/backend'
import { helia } from '@p2pl/helia'
import { openReplication, type ReplicationEvent } from '@p2pl/replication'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it } from 'vitest'
import { type Keeper, startHeliaKeeper } from './keeper.ts'

const mebibyte = 1024 * 1024
const content = seededBytes(2 * mebibyte, 1)
/** Two leaves and the root. */
const blocks = 3
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

describe('replication on helia', () => {
  const folder = temporaryFolder('p2pl-replication-')

  it('replaces the copy of a peer that was killed, and moves nothing when that peer comes back', async () => {
    let published = 0
    const counted = aroundCalls({
      call: async ({ operation }, run) => {
        if (operation === 'messages.publish') published++
        return await run()
      }
    })
    const ann = await createPeer({ backend: counted(helia({ dir: join(folder, 'ann') })) })
    closers.push(() => ann.stop())
    const fetched = [0, 0, 0]
    const start = async (index: number): Promise<Keeper> => {
      const keep = { peers: [ann.id], maxBytes: 64 * mebibyte }
      // A new process counts from the beginning.
      fetched[index] = 0
      const keeper = await startHeliaKeeper(join(folder, `keeper-${index}`), keep, (count) => {
        fetched[index] = count
      })
      closers.push(keeper.kill)
      await ann.network.connect(keeper.self)
      return keeper
    }
    const keepers = await Promise.all(fetched.map(async (_, index) => await start(index)))
    const { cid } = await ann.data.add(content)
    const replication = openReplication({ peer: ann, watchEvery: 1_000, grace: 6_000 })
    closers.push(() => replication.stop())
    const events: ReplicationEvent[] = []
    replication.onEvent((event) => events.push(event))
    const by = (): string[] => replication.status(cid)?.copies.map((copy) => copy.by) ?? []

    replication.keep(cid, { min: 2, max: 2 })
    await until('two peers have it', () => replication.status(cid)?.missing === 0)
    const [lost, kept] = by().map((id) => keepers.findIndex((keeper) => keeper.id === id)) as [number, number]
    const third = 3 - lost - kept
    // The count of a process travels separately from its acknowledgement.
    await until('both have counted', () => fetched[lost] === blocks && fetched[kept] === blocks)
    expect([by().length, fetched[lost], fetched[kept], fetched[third]]).toEqual([2, blocks, blocks, 0])

    await keepers[lost]?.kill()
    await until('the third one has it', () => by().includes(keepers[third]?.id ?? ''))
    await until('it has counted', () => fetched[third] === blocks)
    expect(by()).toEqual([keepers[kept]?.id, keepers[third]?.id])
    expect(replication.status(cid)).toMatchObject({ missing: 0, bytes: expect.any(Number) as number })
    expect([fetched[kept], fetched[third]]).toEqual([blocks, blocks])

    const back = await start(lost)
    expect(back.id).toBe(keepers[lost]?.id)
    await until('the group hears of it', async () =>
      (await ann.data.willing({ within: 500 })).some(({ peer }) => peer === back.id)
    )
    const before = { events: events.length, by: by(), fetched: [...fetched], published }
    // Each look at the group is one message. Four of them are three rounds in which something could have changed.
    await until('replication has looked at the group', () => published >= before.published + 4)
    expect([events.length, by(), fetched]).toEqual([before.events, before.by, before.fetched])
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
  })
})
