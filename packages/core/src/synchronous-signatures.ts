/** What is used of `node:crypto`; named here because this package also runs where that does not exist. */
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

/**
 * Signs on the calling thread, where the runtime can (Node ≥ 22.3); `undefined` elsewhere. A signature takes some 20 µs.
 * WebCrypto needs a hop through the thread pool for each, which takes longer than the signature when the cores are busy,
 * and entries of a log must be signed one after the other.
 */
export function synchronousSigner(
  pkcs8: Uint8Array
): ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) | undefined {
  const crypto = nodeCrypto()
  if (crypto === undefined) return undefined
  try {
    const key = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    return (bytes) => new Uint8Array(crypto.sign(null, bytes, key))
  } catch {
    // Another runtime's imitation of that module.
    return undefined
  }
}

export type SynchronousVerifier = (bytes: Uint8Array, signature: Uint8Array) => boolean

/** Checks on the calling thread, where the runtime can; `undefined` elsewhere. A check takes some 50 µs. */
export function synchronousVerifier(spki: Uint8Array): SynchronousVerifier | undefined {
  const crypto = nodeCrypto()
  if (crypto === undefined) return undefined
  try {
    const key = crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return (bytes, signature) => crypto.verify(null, bytes, key, signature)
  } catch {
    return undefined
  }
}
