import { decode, encode } from '@ipld/dag-cbor'
import { type Cryptography, ed25519, type Identity, peerIdFromPublicKey, publicKeyFromPeerId } from '@p2pl/core'
import { checkIdentity, invalidArgument } from '@p2pl/core/backend'
import { base64url } from 'multiformats/bases/base64'
import { isBytes, isTuple } from './wire/check.ts'

const version = 1
const maxLength = 256

function signedBytes(account: Uint8Array, device: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode(['p2pl/device/1', account, device]))
}

/**
 * One account, several devices: the account's key signs the peer id of a device, and never leaves its place. Each device
 * has its own key, and gives the certificate to `joinRoom` as `account`. Throws `INVALID_ARGUMENT` if `device` is not a
 * peer id.
 */
export async function certifyDevice(account: Identity, device: string): Promise<string> {
  if (account === undefined)
    throw invalidArgument('certifyDevice', 'certifyDevice: give it the identity of the account')
  checkIdentity('certifyDevice', account)
  const signature = await account.sign(signedBytes(account.publicKey, publicKeyFromPeerId(device)))
  return base64url.baseEncode(encode([version, account.publicKey, signature]))
}

/** The id of the account that certified the device; `undefined` if the certificate is not valid for it. Never rejects. */
export async function accountOf(
  certificate: string,
  device: string,
  cryptography: Cryptography = ed25519
): Promise<string | undefined> {
  try {
    if (certificate.length > maxLength) return undefined
    const value: unknown = decode(base64url.baseDecode(certificate))
    if (!isTuple(value, 3) || value[0] !== version || !isBytes(value[1], 32) || !isBytes(value[2], 64)) return undefined
    const account = new Uint8Array(value[1])
    const signed = signedBytes(account, publicKeyFromPeerId(device))
    return (await cryptography.verify(account, signed, new Uint8Array(value[2])))
      ? peerIdFromPublicKey(account)
      : undefined
  } catch {
    return undefined
  }
}
