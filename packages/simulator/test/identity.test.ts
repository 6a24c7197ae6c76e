import { createPeer, publicKeyFromPeerId } from '@p2pl/core'
import type { Cryptography, Identity, Peer } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { createSimulator, simulatedCryptography, simulatedIdentity } from '../src/index.ts'

const identity: Identity = simulatedIdentity('alice')
const cryptography: Cryptography = simulatedCryptography

describe('simulated identities', () => {
  it('are what core takes for one', () => {
    expect(identity.id).toMatch(/^12D3KooW/)
    expect(publicKeyFromPeerId(identity.id)).toEqual(identity.publicKey)
    expect(simulatedIdentity('alice')).toMatchObject({ id: identity.id })
    const ids = Array.from({ length: 2000 }, (_, i) => simulatedIdentity(i).id)
    expect(new Set(ids).size).toBe(2000)
  })

  it('sign so that every changed bit, key and length is noticed', async () => {
    const bytes = seededBytes(300, 1)
    const signature = await identity.sign(bytes)
    expect(signature.byteLength).toBe(64)
    expect(await cryptography.verify(identity.publicKey, bytes, signature)).toBe(true)
    expect(await cryptography.verify(simulatedIdentity('bob').publicKey, bytes, signature)).toBe(false)
    for (const part of [bytes, signature])
      for (let bit = 0; bit < part.byteLength * 8; bit += 13) {
        part[bit >> 3]! ^= 1 << (bit & 7)
        expect(await cryptography.verify(identity.publicKey, bytes, signature)).toBe(false)
        part[bit >> 3]! ^= 1 << (bit & 7)
      }
    expect(await cryptography.verify(identity.publicKey, bytes.slice(0, -1), signature)).toBe(false)
    expect(await cryptography.verify(identity.publicKey, bytes, signature.slice(1))).toBe(false)
    const empty = new Uint8Array()
    expect(await cryptography.verify(identity.publicKey, empty, await identity.sign(empty))).toBe(true)
    expect(await cryptography.verify(identity.publicKey, Uint8Array.of(0), await identity.sign(empty))).toBe(false)
  })
})

describe('peers of core', () => {
  it('run on the simulator: signed topics and data, the same in every run', async () => {
    const run = async (): Promise<unknown> => {
      const simulator = createSimulator({ seed: 9, mesh: { degree: 4 } })
      const peers: Peer[] = []
      for (let i = 0; i < 10; i++) peers.push(await simulator.complete(createPeer(simulator.host(`h${i}`).boot())))
      const heard: string[] = []
      for (const [i, peer] of peers.entries()) {
        const subscription = peer.topic('cloud').subscribe()
        await simulator.complete(subscription.joined)
        void (async () => {
          for await (const item of subscription)
            heard.push(item.type === 'message' ? `${i} ${item.sender} ${item.payload[0]}` : `${i} ${item.reason}`)
        })()
      }
      for (const n of [1, 2]) await simulator.complete(peers[n]!.topic('cloud').publish(Uint8Array.of(n)))
      const content = seededBytes(2_500_000, 4)
      const { cid } = await simulator.complete(peers[0]!.data.add(content))
      const fetched = await simulator.complete(peers[9]!.data.bytes(cid))
      expect(Buffer.compare(fetched, content)).toBe(0)
      await simulator.run({ for: 5000 })
      expect(heard).toHaveLength(18)
      expect(heard.filter((line) => line === `5 ${peers[1]!.id} 1`)).toHaveLength(1)
      await simulator.complete(Promise.all(peers.map((peer) => peer.stop())))
      return [simulator.traceHash(), heard]
    }
    expect(await run()).toEqual(await run())
  })
})
