import { decode, encode } from '@ipld/dag-cbor'
import type { Peer } from '@p2pl/core'
import { BoundedMap, bytesKey, invalidArgument } from '@p2pl/core/backend'
import { decodeHistory, encodeHistory, History, type Said } from './history.ts'
import type { Payloads } from './payloads.ts'
import { Seen } from './seen.ts'
import { isCount, isTuple } from './wire/check.ts'
import type { Content } from './wire/content.ts'
import { verifySay } from './wire/say.ts'

/** Maximum number of stays whose broadcasts are followed. */
const maxStays = 2_048
/** Maximum bytes of an answer: if it can travel as a CID, and if it cannot. */
const maxAnswer = 1024 * 1024
const maxInlineAnswer = 40 * 1024
/** Maximum number of hashes in a question: a few kilobytes. */
const maxKnown = 2_048

export interface PastOptions {
  readonly peer: Peer
  readonly topic: string
  readonly limit: number
  readonly payloads: Payloads
}

/** The broadcasts of the room so far, each one once. This peer keeps them, passes them on, and takes them from others. */
export class PastRecords {
  readonly #options: PastOptions
  readonly #history: History
  readonly #heard = new BoundedMap<string, Seen>(maxStays)

  constructor(options: PastOptions) {
    this.#options = options
    this.#history = new History(options.limit)
  }

  /** Returns false for a broadcast that was there before. */
  add(said: Said): boolean {
    if (this.#options.limit === 0) return true
    const key = `${said.sender}/${bytesKey(said.stay)}`
    const seen = this.#heard.touch(key) ?? new Seen()
    this.#heard.set(key, seen)
    if (!seen.add(said.n)) return false
    const { sender, stay, n, channel, content, signature } = said
    this.#history.add({ sender, stay, n, channel, content, signature })
    return true
  }

  /** DAG-CBOR `[limit, hashes of what this peer has]`. */
  question(): Uint8Array {
    const known = this.#history.entries.slice(-maxKnown).map(shortHash)
    return encode([this.#options.limit, known])
  }

  async answer(question: Content): Promise<Content> {
    const value: unknown = question instanceof Uint8Array ? decode(question) : undefined
    if (!isTuple(value, 2) || !isCount(value[0]) || !Array.isArray(value[1])) {
      throw invalidArgument('history', 'a question for the history is a number and a list of hashes')
    }
    const [limit, list] = value
    const known = new Set(list as unknown[])
    const { peer, payloads } = this.#options
    const most = peer.capabilities.blocks === undefined ? maxInlineAnswer : maxAnswer
    const wanted = this.#history.entries.slice(-limit).filter((said) => !known.has(shortHash(said)))
    return await payloads.pack(encodeHistory(wanted, most), {}, () => undefined)
  }

  /** The broadcasts that another peer sent, without forgeries and without those that this peer has already heard or sent. */
  async *take(answer: Uint8Array): AsyncGenerator<Said> {
    const { peer, topic, limit } = this.#options
    for (const said of decodeHistory(answer).slice(-limit)) {
      const genuine = await verifySay(peer.environment.cryptography, topic, said.sender, said)
      if (genuine && said.sender !== peer.id && this.add(said)) yield said
    }
  }
}

/** 48 bits of the signature distinguish one broadcast from another. */
function shortHash({ signature }: Said): number {
  return signature.slice(0, 6).reduce((number, byte) => number * 256 + byte, 0)
}
