import type { CallOptions, Peer } from '@p2pl/core'
import { BoundedMap, concatBytes } from '@p2pl/core/backend'
import { failure } from './errors.ts'
import { open, seal } from './seal/seal.ts'
import type { Content, Stored } from './wire/content.ts'

/** A payload with more bytes is stored, and fetched by the peers that want it. */
const maxInline = 48 * 1024
/** Bytes that a message needs in addition to its payload. */
const overhead = 4 * 1024
/** Maximum bytes that sealing adds to content, in addition to a 256th of the content. */
const sealedOverhead = 4 * 1024
/** Maximum number of fetches under way: in total, and for one author. */
const maxActive = 6
const maxActivePerSender = 2
/** Limits on waiting payloads: how many of one author, and how many authors. */
const maxWaitingPerSender = 16
const maxSenders = 256

export interface Transfer {
  readonly sender: string
  readonly onProgress: (bytes: number, total: number) => void
}

interface Account {
  active: number
  readonly waiting: (() => void)[]
}

/** Packs payloads into messages, and unpacks them. Large payloads are stored encrypted, under a key that only the message has. */
export class Payloads {
  readonly #peer: Peer
  readonly #maxBytes: number
  readonly #inline: number
  readonly #stopped = new AbortController()
  readonly #accounts = new BoundedMap<string, Account>(maxSenders, (_sender, { waiting }) => {
    for (const refuse of waiting.splice(0)) refuse()
  })
  #active = 0

  constructor(peer: Peer, maxBytes: number) {
    this.#peer = peer
    this.#maxBytes = maxBytes
    const { messages, blocks } = peer.capabilities
    const room = (messages?.maxMessageBytes ?? 0) - overhead
    this.#inline = blocks === undefined ? Math.min(maxBytes, room, 96 * 1024) : Math.min(maxInline, room)
  }

  stop(): void {
    this.#stopped.abort()
  }

  async pack(bytes: Uint8Array, options: CallOptions, onProgress: Transfer['onProgress']): Promise<Content> {
    const total = bytes.byteLength
    if (total <= this.#inline) return bytes
    const most = this.#peer.capabilities.blocks === undefined ? this.#inline : this.#maxBytes
    if (total > most) {
      throw failure(
        'TOO_LARGE',
        'send',
        `a payload of ${total} bytes is over ${most} bytes: add it with peer.data and send its CID`
      )
    }
    const key = crypto.getRandomValues(new Uint8Array(32))
    const { cid } = await this.#peer.data.add(seal(bytes, { secret: key }), {
      signal: options.signal,
      timeout: options.timeout,
      pin: false,
      provide: false,
      onProgress: (progress) => {
        onProgress(Math.min(progress.bytes, total), total)
      }
    })
    return { cid, size: total, key, providers: this.#peer.network.self() }
  }

  /** Rejects with `TOO_LARGE`, `OVERLOADED`, or the reason why the payload cannot be fetched. */
  async unpack(content: Content, transfer: Transfer): Promise<Uint8Array> {
    if (content instanceof Uint8Array) return content
    if (content.size > this.#maxBytes) {
      throw failure(
        'TOO_LARGE',
        'message',
        `a payload of ${content.size} bytes is over maxPayloadBytes (${this.#maxBytes})`
      )
    }
    const release = await this.#enter(transfer.sender)
    try {
      return await this.#fetch(content, transfer)
    } finally {
      release()
    }
  }

  async #fetch({ cid, size, key, providers }: Stored, { onProgress }: Transfer): Promise<Uint8Array> {
    const { signal } = this.#stopped
    const sealed = this.#peer.data.get(cid, { providers, signal, length: size + (size >>> 8) + sealedOverhead })
    const chunks: Uint8Array[] = []
    let at = 0
    for await (const chunk of open(sealed, { secret: key })) {
      chunks.push(chunk)
      at += chunk.byteLength
      if (at > size) break
      onProgress(at, size)
    }
    if (at !== size)
      throw failure('INVALID_CONTENT', 'message', `a payload does not have the ${size} bytes that were said`)
    // Memory is allocated for bytes that have arrived, never for bytes that a stranger promises.
    return concatBytes(...chunks)
  }

  /** Each author has its own queue and a share of the fetches, so content that no peer has delays only its author. */
  async #enter(sender: string): Promise<() => void> {
    const account = this.#accounts.touch(sender) ?? { active: 0, waiting: [] }
    this.#accounts.set(sender, account)
    if (account.waiting.length >= maxWaitingPerSender) throw tooMany()
    while (this.#active >= maxActive || account.active >= maxActivePerSender) {
      await new Promise<void>((resolve) => {
        account.waiting.push(resolve)
      })
      if (this.#accounts.get(sender) !== account) throw tooMany()
    }
    this.#active++
    account.active++
    return () => {
      this.#active--
      account.active--
      this.#wake()
    }
  }

  #wake(): void {
    for (const [sender, account] of this.#accounts) {
      const next = account.active < maxActivePerSender ? account.waiting.shift() : undefined
      if (next === undefined) continue
      // The next author has its turn.
      this.#accounts.touch(sender)
      next()
      return
    }
  }
}

function tooMany(): Error {
  return failure('OVERLOADED', 'message', 'more large payloads of one author wait than this peer takes')
}
