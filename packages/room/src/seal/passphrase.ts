import { scryptAsync } from '@noble/hashes/scrypt.js'
import { concatBytes } from '@p2pl/core/backend'
import { type Identity, type Recipient, Stanza } from 'age-encryption'
import { decodeArgument, encodeArgument, openFileKey, sealFileKey } from './stanza.ts'

const encoder = new TextEncoder()
const label = encoder.encode('age-encryption.org/v1/scrypt')
const saltLength = 16

/** Costs as powers of two: the cost that is written, and the highest cost that is accepted. */
export interface Cost {
  readonly own: number
  readonly most: number
}

/** 128 MiB and about a second, as OWASP recommends for p = 1. Accepts costs up to the one that age's own tool writes. */
export const passphraseCost: Cost = { own: 17, most: 18 }
/** 256 random bits need no stretching, and no stranger can make a peer do it. */
export const randomCost: Cost = { own: 1, most: 1 }

async function wrappingKey(passphrase: string, salt: Uint8Array, logN: number): Promise<Uint8Array> {
  // In slices of 10 ms, because the scrypt of age-encryption blocks the event loop, and accepts any cost.
  const cost = { N: 2 ** logN, r: 8, p: 1, dkLen: 32, asyncTick: 10 }
  return await scryptAsync(encoder.encode(passphrase), concatBytes(label, salt), cost)
}

/** The scrypt recipient of age. */
export class PassphraseRecipient implements Recipient {
  readonly #passphrase: string
  readonly #logN: number

  constructor(passphrase: string, { own }: Cost) {
    this.#passphrase = passphrase
    this.#logN = own
  }

  async wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]> {
    const salt = crypto.getRandomValues(new Uint8Array(saltLength))
    const key = await wrappingKey(this.#passphrase, salt, this.#logN)
    return [new Stanza(['scrypt', encodeArgument(salt), String(this.#logN)], sealFileKey(key, fileKey))]
  }
}

export class PassphraseIdentity implements Identity {
  readonly #passphrase: string
  readonly #most: number

  constructor(passphrase: string, { most }: Cost) {
    this.#passphrase = passphrase
    this.#most = most
  }

  /**
   * A passphrase must be the only recipient of its content. Otherwise a peer could be made to open content that it did not
   * seal.
   */
  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    const [stanza, ...others] = stanzas
    const [type, saltText, cost = ''] = stanza?.args ?? []
    const salt = decodeArgument(saltText, saltLength)
    if (stanza === undefined || others.length > 0 || type !== 'scrypt' || salt === undefined) return null
    if (!/^[1-9]\d?$/.test(cost) || Number(cost) > this.#most) return null
    return openFileKey(await wrappingKey(this.#passphrase, salt, Number(cost)), stanza.body)
  }
}
