import { join } from 'node:path'
import { createPeer, type Peer, type Subscription, text, type TopicItem, type Message } from '@p2pl/core'
import { aroundCalls } from '@p2pl/core/backend'
import { helia } from '@p2pl/helia'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { failover } from '@p2pl/layers'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'

const content = seededBytes(3 * 1024 * 1024, 1)
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A peer on Kubo, with helia as the fallback. */
interface Side {
  readonly daemon: TestDaemon
  readonly overKubo: { readonly received: number }
  readonly backend: ReturnType<typeof failover>
  readonly peer: Peer
  /** All items of its subscription. */
  readonly items: TopicItem<Message<string>>[]
}

function payloads({ items }: Side): string[] {
  return items.flatMap((item) => (item.type === 'message' ? [item.payload] : []))
}

function gaps({ items }: Side): number {
  return items.filter(({ type }) => type === 'gap').length
}

async function read(subscription: Subscription<Message<string>>, items: TopicItem<Message<string>>[]): Promise<void> {
  for await (const item of subscription) items.push(item)
}

describeWithKubo('a failover from Kubo to helia', (binary) => {
  const folder = temporaryFolder('p2pl-failover-')

  async function start(name: string): Promise<Side> {
    const daemon = await startTestDaemon({ binary })
    closers.push(() => daemon.stop())
    const overKubo = { received: 0 }
    const counted = aroundCalls({
      subscriber: (subscriber) => ({
        ...subscriber,
        message: (message) => {
          overKubo.received++
          return subscriber.message(message)
        }
      })
    })
    const backend = failover([counted(ipfsRpc({ url: daemon.url })), helia({ dir: join(folder, name) })])
    const peer = await createPeer({ backend })
    closers.push(() => peer.stop())
    const items: TopicItem<Message<string>>[] = []
    return { daemon, overKubo, backend, peer, items }
  }

  it('goes on both ways when the daemon of one peer is killed, tells of a gap, and still reads what was added before', async () => {
    const [ann, ben] = (await Promise.all(['ann', 'ben'].map(start))) as [Side, Side]
    await ann.peer.network.connect(ben.peer.network.self())
    for (const { peer, items } of [ann, ben]) {
      const subscription = peer.topic('news', { codec: text }).subscribe()
      await subscription.joined
      void read(subscription, items)
    }
    const publish = async ({ peer }: Side, message: string): Promise<void> => {
      await peer.topic('news', { codec: text }).publish(message)
    }
    const arrives = async (side: Side, message: string): Promise<void> => {
      await until(`"${message}" arrives`, () => payloads(side).includes(message))
    }
    await publish(ann, 'from ann over Kubo')
    await publish(ben, 'from ben over Kubo')
    await arrives(ben, 'from ann over Kubo')
    await arrives(ann, 'from ben over Kubo')
    expect([ann, ben].map(({ backend }) => backend.legs.map(({ state }) => state))).toEqual([
      ['up', 'up'],
      ['up', 'up']
    ])
    for (const { overKubo } of [ann, ben]) await until('it came over Kubo', () => overKubo.received > 0)
    const { cid } = await ann.peer.data.add(content)
    const before = gaps(ann)

    await ann.daemon.kill()
    // Nobody has reported the failure: the publish itself discovers it, within its timeout.
    await publish(ann, 'from ann over helia')
    await publish(ben, 'from ben over helia')
    await arrives(ben, 'from ann over helia')
    await arrives(ann, 'from ben over helia')
    expect(ann.backend.legs.map(({ state }) => state)).toEqual(['down', 'up'])
    expect(gaps(ann)).toBeGreaterThan(before)
    for (const { peer } of [ann, ben]) expect(Buffer.compare(await peer.data.bytes(cid), content)).toBe(0)
    // Each message came once.
    for (const side of [ann, ben]) expect(new Set(payloads(side)).size).toBe(payloads(side).length)
  })
})
