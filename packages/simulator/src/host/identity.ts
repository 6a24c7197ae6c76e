import { base58btc } from 'multiformats/bases/base58'

// INSECURE, for simulation only. A signature proves that signer and verifier ran the same function over the same bytes, and
// nothing else: anybody can sign for any public key. It costs one microsecond where ed25519 costs a hundred.

/** The shape of core's `Identity`. */
export interface SimulatedIdentity {
  readonly id: string
  readonly publicKey: Uint8Array<ArrayBuffer>
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

/** The shape of core's `Cryptography`. */
export interface SimulatedCryptography {
  verify(
    publicKey: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>
  ): Promise<boolean>
}

const publicKeyLength = 32
const signatureLength = 64
// identity multihash of the protobuf PublicKey { Type: Ed25519, Data: 32 bytes }, as in libp2p peer ids
const peerIdPrefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const utf8 = new TextEncoder()

/**
 * An identity that signs synchronously, without WebCrypto. **Insecure: for simulation only.** Equal seeds give equal
 * identities. Verify with {@link simulatedCryptography}.
 */
export function simulatedIdentity(seed: string | number): SimulatedIdentity {
  const publicKey = expand(utf8.encode(`p2pl simulated identity ${seed}`), new Uint8Array(), publicKeyLength)
  const peerId = new Uint8Array(peerIdPrefix.length + publicKeyLength)
  peerId.set(peerIdPrefix)
  peerId.set(publicKey, peerIdPrefix.length)
  return {
    id: base58btc.baseEncode(peerId),
    publicKey,
    sign: (bytes) => Promise.resolve(expand(publicKey, bytes, signatureLength))
  }
}

/** Checks signatures of {@link simulatedIdentity}. **Insecure: for simulation only**: it detects changed bytes, but not forgers. */
export const simulatedCryptography: SimulatedCryptography = {
  verify: (publicKey, bytes, signature) => {
    if (publicKey.byteLength !== publicKeyLength || signature.byteLength !== signatureLength)
      return Promise.resolve(false)
    const expected = expand(publicKey, bytes, signatureLength)
    for (let i = 0; i < signatureLength; i++) if (expected[i] !== signature[i]) return Promise.resolve(false)
    return Promise.resolve(true)
  }
}

/** A keyed, non-cryptographic hash: three lanes over key and bytes, then as many bytes as requested. */
function expand(key: Uint8Array, bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const lanes: Lanes = [0x243f6a88, 0x13198a2e, 0x03707344]
  absorb(lanes, key)
  absorb(lanes, bytes)
  let [a, b, c] = lanes
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i += 4) {
    a = Math.imul(a ^ (c >>> 15), 0x85ebca6b) + i
    b = Math.imul(b ^ (a >>> 13), 0xc2b2ae35)
    c = Math.imul(c ^ (b >>> 16), 0x27d4eb2f)
    out[i] = c
    out[i + 1] = c >>> 8
    out[i + 2] = b >>> 16
    out[i + 3] = a >>> 24
  }
  return out
}

type Lanes = [number, number, number]

function absorb(lanes: Lanes, bytes: Uint8Array): void {
  let [a, b, c] = lanes
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    a = Math.imul(a ^ byte, 0x01000193)
    b = (Math.imul(b, 0x85ebca6b) + (a ^ byte)) | 0
    c = Math.imul(c ^ (b >>> 15), 0xc2b2ae35)
  }
  lanes[0] = Math.imul(a ^ (c >>> 16) ^ bytes.length, 0x27d4eb2f)
  lanes[1] = Math.imul(b ^ (lanes[0] >>> 13), 0x165667b1)
  lanes[2] = (c + Math.imul(lanes[1] ^ (lanes[1] >>> 11), 0x9e3779b1)) | 0
}
