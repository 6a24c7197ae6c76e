import { describe, expect, it } from 'vitest'
import {
  createIdentity,
  ed25519,
  identityFromSeed,
  isP2plError,
  peerIdFromPublicKey,
  publicKeyFromPeerId
} from '../src/index.ts'
import { concatBytes } from '../src/toolbox/bytes.ts'

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'))

describe('identity', () => {
  it('gives the key and signature of RFC 8032, test 2', async () => {
    const identity = await identityFromSeed(hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
    expect(identity.publicKey).toEqual(hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'))
    expect(await identity.sign(hex('72'))).toEqual(
      hex(
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
      )
    )
  })

  it('gives a libp2p peer id and its key back', async () => {
    const { id, publicKey } = await createIdentity()
    expect(id).toMatch(/^12D3KooW/)
    expect(peerIdFromPublicKey(publicKey)).toBe(id)
    expect(publicKeyFromPeerId(id)).toEqual(publicKey)
  })

  it('refuses what is no peer id, naming it', () => {
    for (const text of ['', 'abc', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', '0OIl', 'x'.repeat(10_000)]) {
      expect(() => publicKeyFromPeerId(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('refuses other spellings of a peer id that the decoder takes', async () => {
    const { id } = await createIdentity()
    // The table of the decoder is asked for the code of the character, of which it sees the low byte only.
    const aliases = Array.from({ length: id.length }, (_, i) =>
      [0x100, 0x200, 0x80].map(
        (offset) => id.slice(0, i) + String.fromCharCode(id.charCodeAt(i) + offset) + id.slice(i + 1)
      )
    ).flat()
    for (const alias of [...aliases, `1Ā${id.slice(1)}`, ` ${id}`, `${id} `, `1${id}`])
      expect(() => publicKeyFromPeerId(alias)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => publicKeyFromPeerId(`${id[0]}\u0100${id.slice(1)}`)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    )
  })

  it('refuses a seed of another length', async () => {
    const error: unknown = await identityFromSeed(new Uint8Array(31)).catch((caught: unknown) => caught)
    expect(isP2plError(error, 'INVALID_ARGUMENT')).toBe(true)
  })

  it('verifies own signatures and no others', async () => {
    const [one, other] = [await createIdentity(), await createIdentity()]
    const bytes = new Uint8Array([1, 2, 3])
    const signature = await one.sign(bytes)
    expect(await ed25519.verify(one.publicKey, bytes, signature)).toBe(true)
    expect(await ed25519.verify(other.publicKey, bytes, signature)).toBe(false)
    expect(await ed25519.verify(one.publicKey, new Uint8Array([1, 2, 4]), signature)).toBe(false)
    expect(await ed25519.verify(one.publicKey, bytes, signature.slice(1))).toBe(false)
  })

  // One alone is checked on the calling thread, many at once on the thread pool: the two must never disagree.
  it('judges alike whether one is checked or many at once', async () => {
    const identity = await createIdentity()
    const { publicKey } = identity
    const bytes = new Uint8Array([1, 2, 3])
    const signature = await identity.sign(bytes)
    const order = hex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
    // The same signature with the order of the group added to its second half.
    const malleated = signature.slice()
    for (let i = 0, carry = 0; i < 32; i++) {
      const sum = malleated[32 + i]! + order[i]! + carry
      malleated[32 + i] = sum
      carry = sum >> 8
    }
    const flipped = signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
    const small = ['01', 'ec', '00', 'ee', 'ed'].map((first, i) =>
      hex(first + (i % 2 === 0 ? '00' : 'ff').repeat(30) + (i % 2 === 0 ? '00' : '7f'))
    )
    const cases = [
      { publicKey, signature, good: true },
      { publicKey, signature: malleated, good: false },
      { publicKey, signature: flipped, good: false },
      ...small.map((key) => ({ publicKey: key, signature: concatBytes(key, new Uint8Array(32)), good: undefined }))
    ]
    for (const { publicKey: key, signature: given, good } of cases) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      const alone = await ed25519.verify(key, bytes, given)
      const many = await Promise.all(Array.from({ length: 8 }, () => ed25519.verify(key, bytes, given)))
      expect(new Set([alone, ...many]).size).toBe(1)
      expect(alone).toBe(good ?? alone)
    }
  })

  it('gives the event loop a turn, however many checks are awaited one after the other', async () => {
    const identity = await createIdentity()
    const { publicKey } = identity
    const bytes = new Uint8Array([1, 2, 3])
    const signature = await identity.sign(bytes)
    let turns = 0
    const count = (): void => {
      turns++
      if (turns < 100) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < 20; i++) expect(await ed25519.verify(publicKey, bytes, signature)).toBe(true)
    expect(turns).toBeGreaterThanOrEqual(9)
  })
})
