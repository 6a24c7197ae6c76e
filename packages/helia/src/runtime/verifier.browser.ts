import type { PublicKey } from '@libp2p/interface'

/** The keys as they are: a browser's WebCrypto checks with them. */
export function readyToVerify(_key: PublicKey): void {}
