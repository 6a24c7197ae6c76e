import { createIdentity, createPeer, type Identity, identityFromSeed, peerIdFromPublicKey } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { seededBytes } from '@p2pl/tooling-vitest'
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { createSecret, open, type OpenOptions, seal } from '../src/index.ts'

const chunk = 64 * 1024

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

async function opened(sealed: Uint8Array, options: OpenOptions): Promise<Uint8Array> {
  return await bytesOf(open(sealed, options))
}

/** Equality of large arrays; the matcher of the test runner takes seconds for a MiB. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

describe('sealed content', () => {
  it('of any size is opened by those that have the secret, and by no others', async () => {
    const secret = createSecret()
    for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 1_000_000]) {
      const content = seededBytes(size, size)
      const sealed = await bytesOf(seal(content, { secret }))
      expect(same(await opened(sealed, { secret }), content)).toBe(true)
      await expect(opened(sealed, { secret: createSecret() })).rejects.toMatchObject({
        code: 'INVALID_CONTENT',
        message: expect.stringContaining('another secret') as string
      })
    }
  })

  it('is opened by each peer that it was sealed to, and by no other', async () => {
    const [ann, ben, mallory] = [await createIdentity(), await createIdentity(), await createIdentity()]
    const sealed = await bytesOf(seal('a letter', { to: [ann.id, ben.id] }))
    for (const identity of [ann, ben])
      expect(new TextDecoder().decode(await opened(sealed, { identity }))).toBe('a letter')
    for (const options of [{ identity: mallory }, { secret: createSecret() }]) {
      await expect(opened(sealed, options)).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    }
    const text = Buffer.from(sealed).toString('latin1')
    for (const hidden of ['a letter', ann.id, ben.id]) expect(text).not.toContain(hidden)
  })

  it('may have many readers, and other work goes on meanwhile', async () => {
    const identity = await createIdentity()
    const others = await Promise.all(Array.from({ length: 99 }, async () => (await createIdentity()).id))
    let turns = 0
    let over = false
    const count = (): void => {
      turns++
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    const sealed = await bytesOf(seal('a letter', { to: [...others, identity.id] }))
    over = true
    expect(turns).toBeGreaterThanOrEqual(100)
    expect(new TextDecoder().decode(await opened(sealed, { identity }))).toBe('a letter')
  })

  it('goes through the data of two peers, from any kind of source', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using ben = await createPeer({ backend: memory({ network }) })
    const content = seededBytes(3_000_000, 1)
    const sources = [
      content,
      new Blob([content]),
      new Blob([content]).stream(),
      [content.subarray(0, 9), content.subarray(9)]
    ]
    for (const source of sources) {
      const { cid } = await ann.data.add(seal(source, { to: [ben.id] }))
      expect(same(await bytesOf(open(ben.data.get(cid), { identity: ben.identity })), content)).toBe(true)
    }
  })

  it('is encrypted as it was given, also where its owner uses one buffer for all', async () => {
    const secret = createSecret()
    const buffer = new Uint8Array(1_000)
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 200; i++) yield buffer.fill(i)
    }
    const content = await opened(await bytesOf(seal(reused(), { secret })), { secret })
    expect(content).toHaveLength(200_000)
    expect(content.every((byte, i) => byte === Math.floor(i / 1_000))).toBe(true)
  })

  it('that was changed, cut off or put in another order is noticed, and nothing of it is handed out unchecked', async () => {
    const secret = createSecret()
    const content = seededBytes(3 * chunk, 2)
    const sealed = await bytesOf(seal(content, { secret }))
    const start = sealed.byteLength - 3 * (chunk + 16)
    const part = (from: number, to?: number): Uint8Array =>
      sealed.subarray(start + from * (chunk + 16), to === undefined ? undefined : start + to * (chunk + 16))
    const damaged = sealed.slice()
    damaged[start + 2 * (chunk + 16) + 5]! ^= 1
    const wrong: [Uint8Array, number][] = [
      [damaged, 2],
      [sealed.subarray(0, -1), 2],
      [sealed.subarray(0, -(chunk + 16)), 1],
      [Buffer.concat([sealed.subarray(0, start), part(1, 2), part(0, 1), part(2)]), 0],
      [Buffer.concat([sealed, Uint8Array.of(0)]), 2],
      [sealed.subarray(0, start - 1), 0],
      [sealed.subarray(0, 50), 0],
      [new Uint8Array(0), 0]
    ]
    for (const [bytes, chunks] of wrong) {
      const got: Uint8Array[] = []
      const reading = (async () => {
        for await (const one of open(bytes, { secret })) got.push(one)
      })()
      await expect(reading).rejects.toMatchObject({ code: 'INVALID_CONTENT', operation: 'open' })
      expect(same(Buffer.concat(got), content.subarray(0, Buffer.concat(got).byteLength))).toBe(true)
      expect(got.length).toBeLessThanOrEqual(chunks)
    }
    for (let i = 0; i < start; i += 7) {
      const changed = sealed.slice()
      changed[i]! ^= 1
      await expect(opened(changed, { secret })).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    }
  })

  it('may have a passphrase, which is stretched while other work goes on', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 10)
    const secret = 'correct horse battery'
    const sealed = await bytesOf(seal('hello', { secret }))
    expect(new TextDecoder().decode(await opened(sealed, { secret }))).toBe('hello')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(5)
    await expect(opened(sealed, { secret: 'another passphrase' })).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
  })
})

describe('the format is that of age', () => {
  it('for peers: their keys are X25519 recipients', async () => {
    const seed = seededBytes(32, 3)
    const identity = await identityFromSeed(seed)
    const decrypter = new Decrypter()
    decrypter.addIdentity(await curveKey(seed))
    const sealed = await bytesOf(seal('hello', { to: [identity.id] }))
    expect(await decrypter.decrypt(sealed, 'text')).toBe('hello')
    const encrypter = new Encrypter()
    encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()))
    encrypter.addRecipient(await identityToRecipient(await curveKey(seed)))
    const theirs = await encrypter.encrypt('from age')
    expect(new TextDecoder().decode(await opened(theirs, { identity }))).toBe('from age')
  })

  it('for secrets: the text is the passphrase', async () => {
    const secret = createSecret()
    const decrypter = new Decrypter()
    decrypter.addPassphrase(secret)
    expect(await decrypter.decrypt(await bytesOf(seal('hello', { secret })), 'text')).toBe('hello')
    const encrypter = new Encrypter()
    encrypter.setPassphrase('correct horse battery')
    encrypter.setScryptWorkFactor(10)
    const theirs = await encrypter.encrypt('from age')
    expect(new TextDecoder().decode(await opened(theirs, { secret: 'correct horse battery' }))).toBe('from age')
  })
})

describe('strangers', () => {
  const header = 'age-encryption.org/v1\n'

  it('cannot make a reader stretch a secret at their cost', async () => {
    const salt = 'A'.repeat(22)
    const body = 'A'.repeat(43)
    for (const [cost, secret] of [
      ['19', 'correct horse battery'],
      ['2', createSecret()],
      ['99999999999', 'correct horse battery'],
      ['-1', 'correct horse battery']
    ] as const) {
      const bytes = new TextEncoder().encode(`${header}-> scrypt ${salt} ${cost}\n${body}\n--- ${body}\n`)
      await expect(opened(bytes, { secret })).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    }
  })

  it('cannot make a reader hold or read an endless header', async () => {
    for (const line of ['x'.repeat(1_000), `-> x\n\n`, '-> X25519 AAAA\nAAAA\n', '\n']) {
      let taken = 0
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield new TextEncoder().encode(header)
        for (const bytes = new TextEncoder().encode(line.repeat(100)); ; taken += bytes.byteLength) yield bytes
      }
      const reading = bytesOf(open(endless(), { identity: await createIdentity() }))
      await expect(reading).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
      expect(taken).toBeLessThan(400_000)
    }
  })
})

describe('a source', () => {
  it('that fails ends with its own error, and is closed when its reader stops', async () => {
    const secret = createSecret()
    let closed = 0
    async function* failing(): AsyncGenerator<Uint8Array> {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) throw new RangeError('the disk is gone')
          yield new Uint8Array(chunk)
        }
      } finally {
        closed++
      }
    }
    await expect(bytesOf(seal(failing(), { secret }))).rejects.toThrow(RangeError)
    const sealed = await bytesOf(seal(new Uint8Array(20 * chunk), { secret }))
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (let at = 0; ; at += chunk) yield sealed.subarray(at, at + chunk)
      } finally {
        closed++
      }
    }
    for await (const _ of open(endless(), { secret })) break
    for await (const _ of seal(endless(), { secret })) break
    expect(closed).toBe(3)
  })
})

it('refuses what is no key, and says what to do', async () => {
  const { id } = await createIdentity()
  const signer = { ...(await createIdentity()), agree: undefined } as unknown as Identity
  const refused: [() => unknown, string, RegExp][] = [
    [() => seal('x', undefined as never), 'INVALID_ARGUMENT', /either secret or to/],
    [() => seal('x', {} as never), 'INVALID_ARGUMENT', /either secret or to/],
    [() => seal('x', { secret: createSecret(), to: [id] } as never), 'INVALID_ARGUMENT', /either secret or to/],
    [() => seal('x', { to: [] }), 'INVALID_ARGUMENT', /1 to 1024 peer ids/],
    [() => seal('x', { to: ['nobody'] }), 'INVALID_ARGUMENT', /peer id/],
    [() => seal('x', { secret: 'short' }), 'INVALID_ARGUMENT', /at least 8/],
    [() => seal('x', { secret: 'p2pl-secret-abc' }), 'INVALID_ARGUMENT', /copy the whole text/],
    [() => open('x', {} as never), 'INVALID_ARGUMENT', /either secret or identity/],
    [() => open('x', { identity: signer }), 'UNSUPPORTED', /only signs/]
  ]
  for (const [call, code, message] of refused)
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }))
  // Two points of low order, and no point.
  for (const y of [1, 0, 2]) {
    const nobody = peerIdFromPublicKey(Uint8Array.of(y, ...new Uint8Array(31)))
    await expect(bytesOf(seal('x', { to: [id, nobody] }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  }
  await expect(bytesOf(seal(7 as never, { to: [id] }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

/** The X25519 key of a seed, made by other means than those of this package. */
async function curveKey(seed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const scalar = new Uint8Array(await crypto.subtle.digest('SHA-512', seed)).subarray(0, 32)
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), scalar])
  return await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
}
