import type { Identity, Stanza } from 'age-encryption'
import { failure } from '../errors.ts'
import { turn } from './streams.ts'

export const maxRecipients = 1_024
/** Enough for a header with that many recipients. */
const maxBytes = 160 * 1024
/** A header is read in portions of this size, with a turn of the event loop in between. */
const portion = 8 * 1024

/** The part of sealed content that names its recipients. It comes from strangers, so its size and its work are bounded. */
export class Header implements Identity {
  readonly #key: Identity
  #read = false

  constructor(key: Identity) {
    this.#key = key
  }

  async *portions(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0
    for (let item = await source.next(); item.done !== true; item = await source.next()) {
      let rest = item.value
      while (!this.#read && rest.byteLength > 0) {
        if (bytes > maxBytes)
          throw failure('INVALID_CONTENT', 'open', 'this is no sealed content: its header does not end')
        await turn()
        yield rest.subarray(0, portion)
        bytes += Math.min(portion, rest.byteLength)
        rest = rest.subarray(portion)
      }
      yield rest
    }
  }

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    this.#read = true
    const fileKey = stanzas.length > maxRecipients ? null : await this.#key.unwrapFileKey(stanzas)
    if (fileKey !== null) return fileKey
    throw failure('INVALID_CONTENT', 'open', 'the content was sealed with another secret, or for other peers')
  }
}
