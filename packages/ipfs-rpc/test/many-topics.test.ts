import { createPeer, text } from '@p2pl/core'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { ipfsRpc } from '../src/index.ts'

describeWithKubo('many topics', (binary) => {
  // A daemon drops what comes out of order from one sender, over all topics: core has to pace all of them together.
  it('one message on each of a hundred topics at once: each arrives, or a gap stands for it', async () => {
    const daemons = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
    const [reader, writer] = await Promise.all(
      daemons.map(async ({ url }) => await createPeer({ backend: ipfsRpc({ url }) }))
    )
    if (reader === undefined || writer === undefined) throw new Error('no peers')
    try {
      await writer.network.connect(reader.network.self())
      const names = Array.from({ length: 100 }, (_, i) => `topic ${i}`)
      const accounted = new Set<string>()
      const arrived = new Set<string>()
      const subscriptions = names.map((name) => reader.topic(name, { codec: text }).subscribe())
      const reading = subscriptions.map(async (subscription) => {
        for await (const item of subscription) {
          if (item.type === 'message') arrived.add(item.topic)
          if (item.type === 'message' || (item.type === 'gap' && item.sender === writer.id)) accounted.add(item.topic)
        }
      })
      await Promise.all(subscriptions.map(({ joined }) => joined))
      await Promise.all(names.map((name) => writer.topic(name).ready({ timeout: 100_000 })))
      await Promise.all(names.map((name) => writer.topic(name, { codec: text }).publish(name, { timeout: 100_000 })))
      await until('each is accounted for', () => accounted.size === names.length)
      // Nothing but an overloaded machine makes a daemon drop messages that are paced.
      expect(arrived.size).toBeGreaterThan(names.length / 2)
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      await Promise.all(reading)
    } finally {
      await Promise.all([reader, writer].map((peer) => peer.stop()))
      await Promise.all(daemons.map((daemon) => daemon.stop()))
    }
  })

  it('topics that nobody reads any more are left: the daemon forgets them', async () => {
    const daemon = await startTestDaemon({ binary })
    const peer = await createPeer({ backend: ipfsRpc({ url: daemon.url }) })
    try {
      for (let i = 0; i < 20; i++) {
        const subscription = peer.topic(`once ${i}`).subscribe()
        await subscription.joined
        await subscription.close()
      }
      await until('none is left', async () => (await daemon.ipfs('pubsub', 'ls')).trim() === '')
    } finally {
      await peer.stop()
      await daemon.stop()
    }
  })
})
