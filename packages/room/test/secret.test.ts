import { createIdentity, createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { accountOf, certifyDevice, createSecret, joinRoom } from '../src/index.ts'
import { openBytes, sealBytes } from '../src/secrets/cipher.ts'
import { createKeyPair, pairKey } from '../src/secrets/pair.ts'
import { roomKeys, secretKey } from '../src/secrets/secret.ts'
import { enter, everybody, payloads, present } from './support/rooms.ts'

describe('a secret', () => {
  it('brings those together that have it, and nobody else', async () => {
    const network = createMemoryNetwork()
    const secret = createSecret()
    await using ann = await enter(network, { secret, name: 'Ann' })
    await using ben = await enter(network, { secret, name: 'Ben' })
    await using other = await enter(network, { secret: createSecret() })
    await using open = await enter(network)
    await everybody(ann, ben)
    await ann.room.send('hello')
    await until('ben has it', () => ben.heard.length === 1)
    expect([ann.room.peers.size, other.room.peers.size, open.room.peers.size]).toEqual([1, 0, 0])
    expect(new Set([ann, ben, other, open].map(({ room }) => room.topic)).size).toBe(3)
  })

  it('may be a passphrase, which is stretched while other work goes on', async () => {
    const network = createMemoryNetwork()
    const [ann, ben] = await Promise.all([
      enter(network, { secret: 'correct horse battery' }),
      enter(network, { secret: 'correct horse battery' })
    ])
    await using _ann = ann
    await using _ben = ben
    await everybody(ann, ben)
  })

  it('gives another key and topic in each room, and for each secret', async () => {
    const key = await secretKey(createSecret(), 'a')
    const all = [
      roomKeys('a', key),
      roomKeys('b', key),
      roomKeys('a', new Uint8Array(32)),
      roomKeys('a', await secretKey('a long passphrase', 'a')),
      roomKeys('a', await secretKey('a long passphrase', 'b'))
    ]
    expect(new Set(all.map(({ topic }) => topic)).size).toBe(5)
    expect(new Set(all.map(({ key: derived }) => String(derived))).size).toBe(5)
    expect(roomKeys('a', key)).toEqual(all[0])
  })

  it('can be exchanged: those that are told and follow go on together, the others are left behind', async () => {
    const network = createMemoryNetwork()
    const secret = createSecret()
    await using ann = await enter(network, { secret })
    await using ben = await enter(network, { secret })
    await using cleo = await enter(network, { secret })
    await everybody(ann, ben, cleo)
    ben.room.onEvent((event) => {
      if (event.type === 'secret' && event.sender === ann.peer.id) void ben.room.rotate(event.secret)
    })
    const before = ann.room.topic
    await ann.room.rotate(createSecret(), { tell: [ben.peer.id] })
    await until('ann and ben are alone', () => [ann, ben].every(({ room }) => room.peers.size === 1))
    await until('cleo sees nobody', () => cleo.room.peers.size === 0)
    expect(ann.room.topic).not.toBe(before)
    expect(ann.room.topic).toBe(ben.room.topic)
    await ann.room.send('without cleo')
    await until('ben has it', () => payloads(ben).includes('without cleo'))
    expect([cleo.heard, cleo.events.filter(({ type }) => type === 'secret')]).toEqual([[], []])
    await expect(ann.room.rotate('short')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('the ciphers', () => {
  const key = new Uint8Array(32).fill(1)

  it('open what was sealed, in its own context only, and nothing that was changed', () => {
    const sealed = sealBytes(key, Uint8Array.of(1, 2, 3), 'ann')
    expect(openBytes(key, sealed, 'ann')).toEqual(Uint8Array.of(1, 2, 3))
    expect(openBytes(key, sealed, 'ben')).toBeUndefined()
    expect(openBytes(new Uint8Array(32), sealed, 'ann')).toBeUndefined()
    for (let i = 0; i < sealed.byteLength; i++) {
      const changed = sealed.slice()
      changed[i]! ^= 1
      expect(openBytes(key, changed, 'ann')).toBeUndefined()
    }
    expect(openBytes(key, sealed.subarray(0, 39), 'ann')).toBeUndefined()
    expect(sealBytes(key, Uint8Array.of(1, 2, 3), 'ann')).not.toEqual(sealed)
  })

  it('give two stays one key, and no key for a point of low order', () => {
    const [ann, ben] = [createKeyPair(), createKeyPair()]
    const [annId, benId] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
    const shared = pairKey(ann, annId, { id: benId, key: ben.publicKey })
    expect(shared).toEqual(pairKey(ben, benId, { id: annId, key: ann.publicKey }))
    expect(shared).not.toEqual(pairKey(ann, annId, { id: annId, key: ben.publicKey }))
    expect(pairKey(ann, annId, { id: benId, key: new Uint8Array(32) })).toBeUndefined()
  })
})

describe('an account', () => {
  it('is shown for each of its devices, whose ids stay their own', async () => {
    const network = createMemoryNetwork()
    const account = await createIdentity()
    await using ann = await enter(network)
    const devices = []
    for (const name of ['phone', 'laptop']) {
      const peer = await createPeer({ backend: memory({ network }) })
      devices.push(await present(peer, 'tool-library', { name, account: await certifyDevice(account, peer.id) }))
    }
    await everybody(ann, ...devices)
    await until('the accounts are checked', () =>
      [...ann.room.peers.values()].every((peer) => peer.account === account.id)
    )
    expect(ann.room.peers.size).toBe(2)
    for (const device of devices) await device[Symbol.asyncDispose]()
  })

  it('is not shown for a device that it did not certify', async () => {
    const [account, device, thief] = [await createIdentity(), await createIdentity(), await createIdentity()]
    const certificate = await certifyDevice(account, device.id)
    expect(await accountOf(certificate, device.id)).toBe(account.id)
    for (const [text, id] of [
      [certificate, thief.id],
      [certificate, 'nobody'],
      [`${certificate.slice(0, -2)}AA`, device.id],
      ['', device.id],
      ['x'.repeat(300), device.id]
    ] as const) {
      expect(await accountOf(text, id)).toBeUndefined()
    }
    await expect(certifyDevice(account, 'nobody')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await using peer = await createPeer({ backend: memory() })
    await using room = await joinRoom(peer, 'x', { account: certificate })
    expect(room.peers.size).toBe(0)
  })
})
