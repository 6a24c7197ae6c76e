import { generateKeyPair } from '@libp2p/crypto/keys'
import { describe, expect, test, vi } from 'vitest'
import { readyToVerify } from '../src/engine/prepared-keys.ts'

describe('keys that are prepared once', () => {
  test('judge as the library does', async () => {
    const [key, other] = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')]
    const bytes = new Uint8Array([1, 2, 3])
    const signature = await key.sign(bytes)
    const cases = [
      { by: key.publicKey, bytes, signature },
      { by: key.publicKey, bytes, signature: new Uint8Array(64) },
      { by: key.publicKey, bytes: new Uint8Array([1, 2, 4]), signature },
      { by: other.publicKey, bytes, signature }
    ]
    const judge = async (): Promise<boolean[]> =>
      await Promise.all(cases.map(async (one) => await one.by.verify(one.bytes, one.signature)))
    const before = await judge()
    expect(before).toEqual([true, false, false, false])
    readyToVerify(key.publicKey)
    // Each key twice: prepared, then found again.
    for (let i = 0; i < 2; i++) expect(await judge()).toEqual(before)
    expect(() => key.publicKey.verify(bytes, signature.subarray(1))).toThrow('64 bytes')
    const reason = new Error('enough')
    expect(() => key.publicKey.verify(bytes, signature, { signal: AbortSignal.abort(reason) })).toThrow(reason)
  })

  test('are not prepared for keys of other kinds', async () => {
    const { publicKey } = await generateKeyPair('secp256k1')
    const verify = vi.spyOn(Object.getPrototypeOf(publicKey) as typeof publicKey, 'verify')
    readyToVerify(publicKey)
    void publicKey.verify(new Uint8Array(1), new Uint8Array(64))
    expect(verify).toHaveBeenCalledOnce()
  })
})
