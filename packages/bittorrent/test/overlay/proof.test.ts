import { createServer, type AddressInfo } from 'node:net'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { identityOf, peerIdOfKey } from '../../src/overlay/identity.ts'
import { linkKey } from '../../src/overlay/keys.ts'
import { certificateOf, privateKeyOf } from '../../src/overlay/wire/certificate.ts'
import { encodeHandshake, handshakeLength, readHead } from '../../src/overlay/wire/handshake.ts'
import { secure } from '../../src/overlay/wire/secure.ts'
import { fromHex } from '../../src/tools/bytes.ts'
import { newIdentity, portOf, stranger } from '../strangers.ts'
import { hears, link, selfOf } from '../support.ts'

const running = new Set<BittorrentBackend>()
const ended: (() => void)[] = []

async function started(): Promise<BittorrentBackend> {
  const backend = bittorrent()
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  for (const end of ended.splice(0)) end()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

const linked = async (backend: BittorrentBackend): Promise<string[]> =>
  ((await backend.routing.connections()) ?? []).map(({ id }) => id)

it('makes certificates that others read', () => {
  const key = privateKeyOf(new Uint8Array(32).fill(3))
  const certificate = new X509Certificate(certificateOf(key))
  expect(certificate.verify(createPublicKey(key))).toBe(true)
  expect(certificate.publicKey.asymmetricKeyType).toBe('ed25519')
  expect(createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' })).asymmetricKeyType).toBe('ed25519')
})

it('keeps the true link when a stranger connects under the peer id of another', async () => {
  const [victim, friend] = [await started(), await started()]
  await link([victim, friend])
  const heard: string[] = []
  await victim.messages.subscribe(
    'proof',
    hears((text) => void heard.push(text))
  )
  await friend.messages.subscribe('proof', hears())
  await until('they are in the topic', async () => (await friend.messages.peers('proof'))?.length === 1)
  const claimed = fromHex(selfOf(friend).id) ?? new Uint8Array()
  const sent: string[] = []
  for (let i = 0; i < 20; i++) {
    await expect(stranger(portOf(victim), { claimed })).rejects.toThrow()
    sent.push(String(i))
    expect(await friend.messages.publish('proof', new Uint8Array(Buffer.from(String(i))))).toEqual({ recipients: 1 })
  }
  await until('every message is there', () => heard.length >= sent.length)
  expect(heard).toEqual(sent)
  expect(await linked(victim)).toEqual([selfOf(friend).id])
})

it('does not take a peer in the middle for the one behind it', async () => {
  const [victim, friend] = [await started(), await started()]
  const mallory = newIdentity()
  const { id } = selfOf(friend)
  const friendly = fromHex(id) ?? new Uint8Array()
  // It says that it is the friend, and can prove only that it is itself.
  const server = createServer((socket) => {
    socket.on('error', () => {})
    readHead(socket, handshakeLength, () => {
      socket.write(encodeHandshake({ infoHash: linkKey, peerId: friendly }))
      secure(socket, 'listener', mallory.secureContext).catch(() => {})
    })
  })
  ended.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const addresses = [`127.0.0.1:${(server.address() as AddressInfo).port}`]
  await expect(victim.routing.connect({ network: 'bittorrent', id, addresses })).rejects.toMatchObject({
    code: 'UNREACHABLE'
  })
  await victim.routing.disconnect(id)
  expect(await linked(victim)).toEqual([])
})

it('has one id for a key, and the newer of two links of it', async () => {
  const victim = await started()
  const identity = identityOf(new Uint8Array(32).fill(5))
  expect(identity.id).toMatch(/^2d5032303030322d[0-9a-f]{24}$/)
  expect(Buffer.from(peerIdOfKey(new Uint8Array(32))).toString('hex')).not.toBe(identity.id)
  const first = await stranger(portOf(victim), { identity })
  expect(await linked(victim)).toEqual([identity.id])
  const second = await stranger(portOf(victim), { identity })
  await until('the former link ends', () => first.closed)
  expect(await linked(victim)).toEqual([identity.id])
  expect(second.closed).toBe(false)
})

it('does not let peers of another protocol in', async () => {
  const victim = await started()
  const other = newIdentity()
  await expect(stranger(portOf(victim), { identity: other, claimed: new Uint8Array(20) })).rejects.toThrow()
  expect(await linked(victim)).toEqual([])
})
