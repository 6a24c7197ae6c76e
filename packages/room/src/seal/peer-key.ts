import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Identity as PeerIdentity, publicKeyFromPeerId } from '@p2pl/core'
import { concatBytes, invalidArgument } from '@p2pl/core/backend'
import { type Identity, type Recipient, Stanza } from 'age-encryption'
import { failure } from '../errors.ts'
import { decodeArgument, encodeArgument, openFileKey, sealFileKey } from './stanza.ts'
import { turn } from './streams.ts'

const label = new TextEncoder().encode('age-encryption.org/v1/X25519')
const keyLength = 32

/** Converts an Ed25519 key to a key of Curve25519 (RFC 7748, 4.1) with the birational map. */
function toCurve25519(publicKey: Uint8Array): Uint8Array {
  return ed25519.utils.toMontgomery(publicKey)
}

function wrappingKey(secret: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return hkdf(sha256, secret, concatBytes(share, recipient), label, keyLength)
}

/** The X25519 recipient of age, for the key of a peer. */
export class PeerRecipient implements Recipient {
  readonly #id: string
  readonly #publicKey: Uint8Array

  /** Throws `INVALID_ARGUMENT` if the id is not a peer id. */
  constructor(id: string) {
    this.#id = id
    this.#publicKey = publicKeyFromPeerId(id)
  }

  /** Rejects with `INVALID_ARGUMENT` for a key that is not a point of the curve, or is of low order. */
  async wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]> {
    // There may be many recipients, and each takes a few milliseconds.
    await turn()
    const once = x25519.keygen()
    try {
      const recipient = toCurve25519(this.#publicKey)
      const secret = x25519.getSharedSecret(once.secretKey, recipient)
      const key = wrappingKey(secret, once.publicKey, recipient)
      return [new Stanza(['X25519', encodeArgument(once.publicKey)], sealFileKey(key, fileKey))]
    } catch {
      throw invalidArgument('seal', `seal: nobody can have the key of ${this.#id}: ask that peer for its id again`)
    }
  }
}

/** Opens content that was sealed to the key of an identity. */
export class PeerKey implements Identity {
  readonly #agree: (publicKey: Uint8Array) => Promise<Uint8Array>
  readonly #publicKey: Uint8Array

  /** Throws `UNSUPPORTED` for an identity that only signs. */
  constructor(identity: PeerIdentity) {
    if (identity.agree === undefined) {
      throw failure(
        'UNSUPPORTED',
        'open',
        'open: this identity only signs: it needs agree(), as those of createIdentity have'
      )
    }
    this.#agree = identity.agree.bind(identity)
    this.#publicKey = toCurve25519(identity.publicKey)
  }

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    for (const { args, body } of stanzas) {
      const share = decodeArgument(args[1], keyLength)
      if (args[0] !== 'X25519' || args.length !== 2 || share === undefined) continue
      const secret = await this.#agree(share).catch(() => undefined)
      if (secret === undefined) continue
      const fileKey = openFileKey(wrappingKey(secret, share, this.#publicKey), body)
      if (fileKey !== null) return fileKey
    }
    return null
  }
}
