import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { type Envelope, openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts'
import { noHeaders } from '../../src/envelope/headers.ts'
import { createIdentity, ed25519, identityFromSeed } from '../../src/identity.ts'

const topic = new TextEncoder().encode('topic')
const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

async function sealed(overrides: Partial<Envelope> = {}): Promise<{ envelope: Envelope; bytes: Uint8Array }> {
  const identity = await identityFromSeed(new Uint8Array(32).fill(7))
  const envelope: Envelope = {
    publicKey: identity.publicKey,
    session: 1,
    age: 2,
    sent: 3,
    first: 0,
    messages: [
      { content: new Uint8Array([1, 2]), headers: noHeaders },
      { content: { cid, size: 5 }, headers: { traceparent: '00-1' } }
    ],
    providers: [{ network: 'libp2p', id: 'x', addresses: ['/ip4/127.0.0.1/tcp/1'] }],
    ...overrides
  }
  return { envelope, bytes: await sealEnvelope(topic, envelope, identity) }
}

describe('envelope', () => {
  it('opens to what was sealed', async () => {
    const { envelope, bytes } = await sealed()
    expect(await openEnvelope(topic, bytes, 10, ed25519)).toEqual(envelope)
  })

  it('is deterministic: the same content gives the same bytes', async () => {
    expect((await sealed()).bytes).toEqual((await sealed()).bytes)
  })

  it('is bound to its topic', async () => {
    const { bytes } = await sealed()
    expect(await openEnvelope(new TextEncoder().encode('other'), bytes, 10, ed25519)).toBe('forged')
  })

  it('never opens when any byte was changed, and never throws', async () => {
    const { bytes } = await sealed()
    for (let i = 0; i < bytes.length; i++) {
      const changed = new Uint8Array(bytes)
      changed[i] = (changed[i] ?? 0) ^ 0x41
      expect(typeof (await openEnvelope(topic, changed, 10, ed25519)), `byte ${i}`).toBe('string')
    }
  })

  it('takes any bytes for garbage without throwing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await openEnvelope(topic, bytes, 10, ed25519)).toBe('garbage')
      }),
      { seed: 1 }
    )
  })

  it('takes another signer for forged', async () => {
    const { envelope } = await sealed()
    const bytes = await sealEnvelope(topic, envelope, await createIdentity())
    expect(await openEnvelope(topic, bytes, 10, ed25519)).toBe('forged')
  })

  it('takes more messages than allowed, negative and unsafe numbers for garbage', async () => {
    expect(await openEnvelope(topic, (await sealed()).bytes, 1, ed25519)).toBe('garbage')
    const identity = await identityFromSeed(new Uint8Array(32).fill(7))
    const key = identity.publicKey
    const message = new Uint8Array(1)
    const bodies: unknown[] = [
      [key, -1, 0, 0, 0, [], []],
      [key, 1, -1, 0, 0, [], []],
      [key, 1, 0, 0.5, 0, [], []],
      [key, 1, 0, 0, 1.5, [], []],
      [key, 1, 0, 0, Number.MAX_SAFE_INTEGER, [message], []],
      [key, 1, 0, 0, 0, ['text'], []],
      [key, 1, 0, 0, 0, [[cid]], []],
      [key, 1, 0, 0, 0, [[message, { name: 1 }]], []],
      [key, 1, 0, 0, 0, [[message, { ['n'.repeat(65)]: 'long name' }]], []],
      [key, 1, 0, 0, 0, [[message, { name: 'v'.repeat(1_025) }]], []],
      [key, 1, 0, 0, 0, [[message, Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`h${n}`, '']))]], []],
      [key, 1, 0, 0, 0, [], null],
      [key, 1, 0, 0, 0, [], [['net', 'id', ['a'.repeat(513)]]]],
      [key, 1, 0, 0, 0, [], [['net', 'id', Array.from({ length: 9 }, () => 'a')]]],
      [key, 1, 0, 0, 0, [], Array.from({ length: 5 }, () => ['net', 'id', []])],
      [key.slice(1), 1, 0, 0, 0, [], []]
    ]
    for (const body of bodies) {
      const bytes = encode([2, encode(body), new Uint8Array(64)])
      expect(await openEnvelope(topic, bytes, 10, ed25519)).toBe('garbage')
    }
  })
})
