import { base58btc } from 'multiformats/bases/base58'

// INSECURE, for simulation only: a signature proves nothing but that signer and verifier ran the same function over the
// same bytes. Who knows a public key can sign for it. It costs a microsecond where ed25519 costs hundred.

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
 * An identity that signs at once, without WebCrypto. **Insecure: for simulation only.** Equal seeds give equal
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

/** Checks what {@link simulatedIdentity} signs. **Insecure: for simulation only**; changed bytes are noticed, forgers are not. */
export const simulatedCryptography: SimulatedCryptography = {
  verify: (publicKey, bytes, signature) => {
    if (publicKey.byteLength !== publicKeyLength || signature.byteLength !== signatureLength)
      return Promise.resolve(false)
    const expected = expand(publicKey, bytes, signatureLength)
    return Promise.resolve(expected.every((byte, i) => byte === signature[i]))
  }
}

/** A keyed, non-cryptographic hash: four lanes over key and bytes, then as many bytes as asked for. */
function expand(key: Uint8Array, bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const lanes = new Int32Array([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])
  absorb(lanes, key)
  absorb(lanes, bytes)
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  for (let i = 0; i < length; i += 4) {
    absorb(lanes, Uint8Array.of(i))
    view.setInt32(i, lanes[(i >> 2) & 3] as number)
  }
  return out
}

function absorb(lanes: Int32Array, bytes: Uint8Array): void {
  let [a, b, c, d] = lanes as unknown as [number, number, number, number]
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    a = Math.imul(a ^ byte, 0x01000193)
    b = (Math.imul(b, 0x85ebca6b) + (a ^ byte)) | 0
    c = Math.imul(c ^ (b >>> 15), 0xc2b2ae35)
  }
  a = Math.imul(a ^ (c >>> 16) ^ bytes.length, 0x27d4eb2f)
  b = Math.imul(b ^ (a >>> 13), 0x165667b1)
  c = (c + Math.imul(b ^ (b >>> 11), 0x9e3779b1)) | 0
  d = Math.imul(d ^ c ^ (a >>> 7), 0x85ebca77) ^ (b >>> 9)
  lanes.set([a, b, c, d])
}
