import { readUint32, uint32 } from '../bytes.ts'
import { frame } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'

const answerLimit = 3_000
const maxOpen = 4_096

/** Answers of this participant; an empty one means no. */
export interface Answers {
  readonly provides: (key: Uint8Array) => boolean
  readonly torrent: (multihash: Uint8Array) => Uint8Array | undefined
}

/** Short questions to one participant, each with one answer. */
export class Queries {
  readonly #answers: Answers
  readonly #open = new Map<number, { readonly link: Link; readonly resolve: (answer: Uint8Array) => void }>()
  #nextId = 1

  constructor(answers: Answers) {
    this.#answers = answers
  }

  /** Whether it provides what is found under the key. */
  async provides(link: Link, key: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return (await this.#ask(link, frame.provides, key, signal))?.[0] === 1
  }

  /** The infohash under which it seeds the file. */
  async torrent(link: Link, multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#ask(link, frame.torrent, multihash, signal)
    return answer?.byteLength === 20 ? answer : undefined
  }

  frame(link: Link, kind: number, body: Uint8Array): boolean {
    if (kind < frame.provides || kind > frame.infoHash) return false
    if (body.byteLength < 4) throw new RangeError('a question is cut off')
    if (!link.spend(5)) return true
    const id = readUint32(body, 0)
    const rest = new Uint8Array(body.subarray(4))
    if (kind === frame.provides)
      link.send(frame.provided, uint32(id), Uint8Array.of(this.#answers.provides(rest) ? 1 : 0))
    else if (kind === frame.torrent)
      link.send(frame.infoHash, uint32(id), this.#answers.torrent(rest) ?? new Uint8Array())
    else {
      const open = this.#open.get(id)
      if (open?.link === link) open.resolve(rest)
    }
    return true
  }

  /** `undefined` when it does not answer in time. */
  async #ask(link: Link, kind: number, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#open.size >= maxOpen || signal.aborted) return undefined
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) >>> 0
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
    const giveUp = (): void => resolve(undefined)
    const timer = setTimeout(giveUp, answerLimit).unref()
    signal.addEventListener('abort', giveUp, { once: true })
    this.#open.set(id, { link, resolve })
    link.send(kind, uint32(id), body)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      this.#open.delete(id)
    }
  }
}
