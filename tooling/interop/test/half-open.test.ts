import { createPeer, type Peer, type Subscription } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { halfOpenProxy, until, type HalfOpenProxy, type Told } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'

/** A daemon notices a dead connection by the keep-alive of its multiplexer, after up to 40 s. */
const patience = 100_000

interface Connected {
  readonly peers: Readonly<Record<'helia' | 'kubo', Peer>>
  readonly proxy: HalfOpenProxy
}

interface Heard {
  readonly texts: string[]
  gaps: number
}

describeWithKubo('a connection between Helia and Kubo that goes half-open', (binary) => {
  const closers: (() => Promise<unknown>)[] = []

  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()))
  })

  async function connected(dials: 'helia' | 'kubo'): Promise<Connected> {
    const daemon = await startTestDaemon({ binary })
    closers.push(() => daemon.stop())
    const peers = {
      helia: await createPeer({ backend: helia({ gossip: { pacing: 20 }, dht: false }) }),
      kubo: await createPeer({ backend: ipfsRpc({ url: daemon.url }) })
    }
    closers.push(...Object.values(peers).map((peer) => () => peer.stop()))
    const target = dials === 'helia' ? peers.kubo : peers.helia
    const [self] = target.network.self()
    const proxy = await halfOpenProxy(Number(/\/tcp\/(\d+)/.exec(self?.addresses[0] ?? '')?.[1]))
    await peers[dials].network.connect(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${self?.id}`)
    return { peers, proxy }
  }

  function listen(peer: Peer, topic: string): Heard {
    const heard: Heard = { texts: [], gaps: 0 }
    const subscription: Subscription = peer.topic(topic).subscribe()
    void (async () => {
      for await (const item of subscription)
        if (item.type === 'gap') heard.gaps++
        else heard.texts.push(new TextDecoder().decode(item.payload))
    })()
    return heard
  }

  async function say(peer: Peer, topic: string, text: string): Promise<void> {
    await peer
      .topic(topic)
      .publish(new TextEncoder().encode(text), { recipients: 0, timeout: 5_000 })
      .catch(() => {})
  }

  it.each<['helia' | 'kubo', Told]>([
    ['helia', 'dialler'],
    ['helia', 'listener'],
    ['kubo', 'dialler']
  ])(
    'where %s dials and the %s is told: messages go both ways again, and a gap is reported',
    async (dials, told) => {
      const { peers, proxy } = await connected(dials)
      const heard = { helia: listen(peers.helia, 't'), kubo: listen(peers.kubo, 't') }
      const talk = async (text: string): Promise<void> => {
        await until(
          `"${text}" in both directions`,
          async () => {
            await Promise.all([say(peers.helia, 't', text), say(peers.kubo, 't', text)])
            return heard.helia.texts.includes(text) && heard.kubo.texts.includes(text)
          },
          patience
        )
      }
      await talk('before')
      proxy.swallow(told)
      await talk('after')
      expect(heard.helia.gaps).toBeGreaterThan(0)
    },
    2 * patience + 30_000
  )
})
