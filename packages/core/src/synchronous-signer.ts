/** What is used of `node:crypto`; named here because this package also runs where that does not exist. */
interface NodeCrypto {
  createPrivateKey(key: { key: Uint8Array; format: 'der'; type: 'pkcs8' }): object
  sign(algorithm: null, bytes: Uint8Array, key: object): Uint8Array
}

/**
 * Signs on the calling thread, where the runtime can (Node ≥ 22.3); `undefined` elsewhere. A signature takes some 70 µs.
 * WebCrypto needs a hop through the thread pool for each, which takes longer than the signature when the cores are busy,
 * and entries of a log must be signed one after the other. Checking is another matter: many at once use all cores.
 */
export function synchronousSigner(
  pkcs8: Uint8Array
): ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  const nodeCrypto = process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
  if (nodeCrypto === undefined) return undefined
  try {
    const key = nodeCrypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    return (bytes) => new Uint8Array(nodeCrypto.sign(null, bytes, key))
  } catch {
    // Another runtime's imitation of that module.
    return undefined
  }
}
