import type { PrivateKey } from '@libp2p/interface'

/** The key as it is: a browser's WebCrypto signs with it. */
export function readyToSign(key: PrivateKey): Promise<PrivateKey> {
  return Promise.resolve(key)
}
