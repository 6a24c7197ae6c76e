import { giveUpAfter } from '@p2pl/core/backend'
import { readUint32, uint32 } from '../../tools/bytes.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'

const answerTimeout = 3_000
const maxOpen = 4_096
const idLength = 4
const maxKey = 20
const maxMultihash = 128

/** The answers of this peer; a missing one means no. */
export interface Answers {
  readonly provides: (key: Uint8Array) => boolean
  readonly torrent: (multihash: Uint8Array) => Uint8Array | undefined
}

interface Question {
  readonly peer: string
  readonly kind: number
  readonly body: Uint8Array
  readonly resolve: (answer: Uint8Array) => void
}

/** Short questions to one peer, each with one answer. */
export class Queries {
  readonly #links: Links
  readonly #open = new Map<number, Question>()
  #nextId = 1

  constructor(frames: Frames, links: Links, answers: Answers) {
    this.#links = links
    // The link on which a question was asked may have been replaced before the answer.
    links.tell({
      opened: (link) => {
        for (const [id, { peer, kind, body }] of this.#open) if (peer === link.id) link.send(kind, uint32(id), body)
      }
    })
    const question = (asked: number, answered: number, limit: number, answer: (of: Uint8Array) => Uint8Array): void => {
      frames.on(asked, idLength + limit, (link, body) => {
        const id = idOf(body)
        if (link.spend(5)) link.send(answered, uint32(id), answer(new Uint8Array(body.subarray(idLength))))
      })
      frames.on(answered, idLength + limit, (link, body) => {
        const open = this.#open.get(idOf(body))
        if (link.spend(5) && open?.peer === link.id) open.resolve(new Uint8Array(body.subarray(idLength)))
      })
    }
    question(frame.provides, frame.provided, maxKey, (key) => Uint8Array.of(answers.provides(key) ? 1 : 0))
    question(frame.torrent, frame.infoHash, maxMultihash, (multihash) => answers.torrent(multihash) ?? new Uint8Array())
  }

  /** Whether the peer provides the content of the key. */
  async provides(link: Link, key: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return (await this.#ask(link, frame.provides, key, signal))?.[0] === 1
  }

  /** The infohash under which the peer seeds the file. */
  async torrent(link: Link, multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#ask(link, frame.torrent, multihash, signal)
    return answer?.byteLength === 20 ? answer : undefined
  }

  /** Returns `undefined` when the peer does not answer in time. */
  async #ask(link: Link, kind: number, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#open.size >= maxOpen || signal.aborted) return undefined
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) >>> 0
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
    const giveUp = (): void => resolve(undefined)
    const cancel = giveUpAfter(answerTimeout, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    this.#open.set(id, { peer: link.id, kind, body, resolve })
    const current = this.#links.get(link.id) ?? link
    current.send(kind, uint32(id), body)
    try {
      return await promise
    } finally {
      cancel()
      signal.removeEventListener('abort', giveUp)
      this.#open.delete(id)
    }
  }
}

function idOf(body: Uint8Array): number {
  if (body.byteLength < idLength) throw new RangeError('a question is cut off')
  return readUint32(body, 0)
}
