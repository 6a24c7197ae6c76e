import { describe, expect, it } from 'vitest'
import { identityFromSeed } from '../src/index.ts'

describe('agree', () => {
  const seed = new Uint8Array(32).fill(1)

  it('gives what the converted key shares with another', async () => {
    const identity = await identityFromSeed(seed)
    const other = await crypto.subtle.generateKey('X25519', true, ['deriveBits'])
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', other.publicKey))
    // The other side computes it from the public key alone, by u = (1 + y) / (1 - y) of RFC 7748.
    const converted = await crypto.subtle.importKey('raw', toCurve25519(identity.publicKey), 'X25519', false, [])
    const theirs = await crypto.subtle.deriveBits({ name: 'X25519', public: converted }, other.privateKey, 256)
    expect(await identity.agree?.(raw)).toEqual(new Uint8Array(theirs))
  })

  it('refuses what is no public key, and points of low order', async () => {
    const identity = await identityFromSeed(seed)
    for (const key of [new Uint8Array(31), new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
      await expect(identity.agree?.(key)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })
})

const p = 2n ** 255n - 19n

function toCurve25519(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const y = publicKey.reduceRight((number, byte) => number * 256n + BigInt(byte), 0n) % 2n ** 255n
  let u = ((1n + y) * power((1n - y + p) % p, p - 2n)) % p
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(u % 256n)
    u /= 256n
    return byte
  })
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest /= 2n, square = (square * square) % p) {
    if (rest % 2n === 1n) result = (result * square) % p
  }
  return result
}
