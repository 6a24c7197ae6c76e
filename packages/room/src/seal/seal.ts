import type { DataSource, Identity } from '@p2pl/core'
import { checkIdentity, checkKeys, describe, invalidArgument } from '@p2pl/core/backend'
import { openSource } from '@p2pl/core/content'
import { Decrypter, Encrypter, type Identity as AgeIdentity, type Recipient } from 'age-encryption'
import { asP2plError } from '../errors.ts'
import { readSecret, secretText } from '../secrets/secret.ts'
import { Header, maxRecipients } from './header.ts'
import { type Cost, PassphraseIdentity, passphraseCost, PassphraseRecipient, randomCost } from './passphrase.ts'
import { PeerKey, PeerRecipient } from './peer-key.ts'
import { through } from './streams.ts'

const pieceBytes = 1024 * 1024
const done = { done: true, value: undefined } as const

/** Who can open it: peers that have the secret, or the named peers. */
export type SealOptions =
  | {
      /** 32 bytes, the text of `createSecret`, or a passphrase of at least 8 characters, which is stretched with scrypt. */
      readonly secret: string | Uint8Array
      readonly to?: undefined
    }
  | {
      readonly secret?: undefined
      /** `peer.id` of 1 to 1,024 peers. To open it later yourself, name your own. */
      readonly to: readonly string[]
    }

export type OpenOptions =
  | { readonly secret: string | Uint8Array; readonly identity?: undefined }
  | {
      readonly secret?: undefined
      /** The identity of the peer that it was sealed to: `peer.identity`. */
      readonly identity: Identity
    }

/**
 * Encrypts content: `peer.data.add(seal(file, { to: [id] }))`. The result is a file of age (age-encryption.org/v1), read by
 * `open` and by age's own tools: with a text of `createSecret`, that text is the passphrase. Throws `INVALID_ARGUMENT`;
 * errors of the source are thrown unchanged.
 */
export function seal(source: DataSource, options: SealOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const encrypter = new Encrypter()
  for (const recipient of recipientsOf(options)) encrypter.addRecipient(recipient)
  return (async function* () {
    const { iterator } = openSource(source, pieceBytes, 'seal')
    yield* through(
      iterator,
      async (stream) => await encrypter.encrypt(stream),
      (error) => asP2plError(error, 'seal', 'the content cannot be sealed')
    )
  })()
}

/**
 * Opens content that `seal` made: `open(peer.data.get(cid), { identity: peer.identity })`. Each chunk of 64 KiB is
 * authenticated before it is returned. Throws `INVALID_CONTENT` when the content was sealed for others, at the first
 * damaged chunk, and at the end when something is missing; also `INVALID_ARGUMENT`, `UNSUPPORTED` for an identity that only
 * signs, and the errors of the source.
 */
export function open(source: DataSource, options: OpenOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const header = new Header(keyOf(options))
  const decrypter = new Decrypter()
  decrypter.addIdentity(header)
  return (async function* () {
    const { iterator } = openSource(source, pieceBytes, 'open')
    const portions = header.portions(iterator)
    const bounded = { next: () => portions.next(), return: async () => (await iterator.return?.()) ?? done }
    yield* through(
      bounded,
      async (stream) => await decrypter.decrypt(stream),
      (error) => asP2plError(error, 'open', 'the sealed content is damaged or cut off', 'INVALID_CONTENT')
    )
  })()
}

function recipientsOf(options: SealOptions | undefined): Recipient[] {
  checkKeys('seal', options, ['secret', 'to'])
  const { secret, to } = options ?? {}
  if ((secret === undefined) === (to === undefined)) throw invalidArgument('seal', 'seal: give either secret or to')
  if (secret !== undefined) return [new PassphraseRecipient(...passphraseOf('seal', secret))]
  if (!Array.isArray(to) || to.length < 1 || to.length > maxRecipients) {
    throw invalidArgument('seal', `seal: to must be a list of 1 to ${maxRecipients} peer ids`)
  }
  return to.map((id: unknown) => new PeerRecipient(typeof id === 'string' ? id : describe(id)))
}

function keyOf(options: OpenOptions | undefined): AgeIdentity {
  checkKeys('open', options, ['secret', 'identity'])
  const { secret, identity } = options ?? {}
  checkIdentity('open', identity)
  if (identity !== undefined && secret === undefined) return new PeerKey(identity)
  if (secret === undefined || identity !== undefined)
    throw invalidArgument('open', 'open: give either secret or identity')
  return new PassphraseIdentity(...passphraseOf('open', secret))
}

function passphraseOf(operation: string, secret: string | Uint8Array): [string, Cost] {
  const value = readSecret(operation, secret)
  return typeof value === 'string' ? [value, passphraseCost] : [secretText(value), randomCost]
}
