import { concatBytes } from './toolbox/bytes.ts'

/** The part of `node:crypto` that is used. It is declared here because this package also runs where that module does not exist. */
interface NodeCrypto {
  createPrivateKey(key: { key: Uint8Array; format: 'der'; type: 'pkcs8' }): object
  createPublicKey(key: { key: Uint8Array; format: 'der'; type: 'spki' }): object
  sign(algorithm: null, bytes: Uint8Array, key: object): Uint8Array
  verify(algorithm: null, bytes: Uint8Array, key: object, signature: Uint8Array): boolean
}

/** Absent in browsers. */
function nodeCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
}

// RFC 8410: PrivateKeyInfo up to the 32 bytes of the seed, SubjectPublicKeyInfo up to those of the key
const pkcs8Prefix = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)
const spkiPrefix = Uint8Array.of(48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0)

/** The ed25519 key of a seed of 32 bytes (RFC 8032) in the form that runtimes import. */
export function pkcs8Of(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(pkcs8Prefix, seed)
}

export type SynchronousSigner = (bytes: Uint8Array) => Uint8Array<ArrayBuffer>

/**
 * Signs on the calling thread with the ed25519 key of a 32-byte seed, which is prepared once. `undefined` if the runtime
 * cannot do that, as in browsers. A signature takes some 20 µs. WebCrypto needs a trip through the thread pool for each
 * signature, which takes longer than signing when the cores are busy, and the entries of a log must be signed one after the
 * other.
 */
export function synchronousSigner(seed: Uint8Array): SynchronousSigner | undefined {
  return prepare((crypto) => {
    const key = crypto.createPrivateKey({ key: pkcs8Of(seed), format: 'der', type: 'pkcs8' })
    return (bytes) => new Uint8Array(crypto.sign(null, bytes, key))
  })
}

export type SynchronousVerifier = (bytes: Uint8Array, signature: Uint8Array) => boolean

/**
 * Checks signatures on the calling thread with a 32-byte ed25519 public key, which is prepared once. `undefined` if the
 * runtime cannot do that. A check takes some 50 µs.
 */
export function synchronousVerifier(publicKey: Uint8Array): SynchronousVerifier | undefined {
  return prepare((crypto) => {
    const key = crypto.createPublicKey({ key: concatBytes(spkiPrefix, publicKey), format: 'der', type: 'spki' })
    return (bytes, signature) => crypto.verify(null, bytes, key, signature)
  })
}

function prepare<T>(make: (crypto: NodeCrypto) => T): T | undefined {
  const crypto = nodeCrypto()
  if (crypto === undefined) return undefined
  try {
    return make(crypto)
  } catch {
    // Another runtime's incomplete imitation of that module.
    return undefined
  }
}
