import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo } from 'node:net'
import { it } from 'node:test'
import { isP2plError, type PeerInfo } from '@p2pl/core/backend'
import { encodeFrame } from '../src/engine/frames.ts'
import { backend, placement } from '../src/index.ts'

it('refuses options that it does not have, and says which', () => {
  for (const options of [{ port: 1 }, { listen: [] }, { listen: ['nowhere'] }])
    assert.throws(
      () => backend(options),
      (error) => isP2plError(error, 'INVALID_ARGUMENT')
    )
})

it('takes each word of the placement that it declares as an option', () => {
  const values: Record<string, unknown> = { dir: 'folder', durability: 'power', listen: ['127.0.0.1:0'] }
  for (const word of placement) assert.equal(backend({ [word]: values[word] }).name, 'my-net')
})

it('says so when its address is taken', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const taken = backend({ listen: [`127.0.0.1:${port}`] }).start()
  await assert.rejects(taken, (error) => isP2plError(error, 'LOCKED'))
  server.close()
})

it('hears a peer that it dials in the moment in which that one dials it', async () => {
  const [one, two] = [backend(), backend()]
  await Promise.all([one.start(), two.start()])
  const [first, second] = [...one.self(), ...two.self()]
  await Promise.all([one.routing?.connect(second as PeerInfo), two.routing?.connect(first as PeerInfo)])
  for (const peer of [one, two])
    await peer.messages?.subscribe('topic', { message: () => 'accept', gap: () => undefined })
  for (const peer of [one, two])
    assert.deepEqual(await peer.messages?.publish('topic', Uint8Array.of(1)), { recipients: 1 })
  await Promise.all([one.stop(), two.stop()])
})

const hello = encodeFrame({ hello: 'f'.repeat(32), address: '127.0.0.1:1' })
const strangers: Record<string, Uint8Array> = {
  'other words': new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'),
  'no greeting': encodeFrame({ leave: 'topic' }),
  'an id that is none': encodeFrame({ hello: 'me', address: '127.0.0.1:1' }),
  'a header that is no object': Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, ...new TextEncoder().encode('null')),
  'a frame without end': Uint8Array.of(0, 0, 0, 2, 255, 255, 255, 255),
  'a request without a number': Uint8Array.of(...hello, ...encodeFrame({ join: 'topic' } as never))
}
for (const [name, bytes] of Object.entries(strangers))
  it(`ends the connection of a stranger that sends ${name}`, async () => {
    const peer = backend()
    await peer.start()
    const [host, port] = peer.self()[0]?.addresses[0]?.split(':') ?? []
    const socket = connect(Number(port), String(host))
    socket.resume().write(bytes)
    await new Promise<void>((resolve) => {
      socket.on('error', () => undefined).once('close', () => resolve())
    })
    await peer.stop()
  })
