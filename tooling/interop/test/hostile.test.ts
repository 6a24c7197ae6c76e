import { createPeer, type Peer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A signed topic on a real network with a hostile peer. It uses the raw mode on the same name, so it can send anything. */
describe('a hostile member of a topic', () => {
  let honest: Peer
  let reader: Peer
  let hostile: Peer

  beforeAll(async () => {
    ;[honest, reader, hostile] = await Promise.all([
      createPeer({ backend: helia() }),
      createPeer({ backend: helia(), limits: { maxEnvelopeBytes: 64 * 1024 } }),
      createPeer({ backend: helia() })
    ])
    await honest.network.connect(reader.network.self())
    await hostile.network.connect(reader.network.self())
    await hostile.network.connect(honest.network.self())
  })
  afterAll(async () => {
    await Promise.all([honest, reader, hostile].map(async (peer) => await peer.stop()))
  })

  it('brings garbage, oversized, forged and replayed messages: counted, dropped, and the honest one arrives', async () => {
    // The hostile peer records what it sees, as anybody can.
    const recording = hostile.topic('t', { mode: 'raw' }).subscribe()
    const subscription = reader.topic('t').subscribe()
    await Promise.all([recording.joined, subscription.joined])
    await honest.topic('t').ready({ peers: 2 })
    await honest.topic('t').publish(new TextEncoder().encode('first'))
    const seen = await recording.next()
    const recorded = seen.value?.type === 'message' ? new Uint8Array(seen.value.payload) : new Uint8Array()
    expect(recorded.byteLength).toBeGreaterThan(100)

    const forged = new Uint8Array(recorded)
    forged[forged.byteLength - 1] = (forged[forged.byteLength - 1] ?? 0) ^ 1
    const attack = hostile.topic('t', { mode: 'raw' })
    const sent = [seededBytes(300, 1), seededBytes(0, 2), seededBytes(100 * 1024, 3), forged, recorded, recorded]
    for (const payload of sent) await attack.publish(payload, { recipients: 0 })

    const dropped = (): Readonly<Record<string, number>> => reader.topic('t').stats().dropped
    await until('all of it is dropped', () => {
      const { garbage, oversized, forged: forgeries, duplicate } = dropped() as Record<string, number>
      return garbage === 2 && oversized === 1 && forgeries === 1 && (duplicate ?? 0) >= 1
    })
    await honest.topic('t').publish(new TextEncoder().encode('second'))
    const items = [await subscription.next(), await subscription.next()].map(({ value }) => value as unknown)
    expect(items).toMatchObject([
      { type: 'message', sender: honest.id, sequence: 0 },
      { type: 'message', sender: honest.id, sequence: 1 }
    ])
    expect(reader.topic('t').stats().delivered).toBe(2)
  })
})
