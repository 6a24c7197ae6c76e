import { isP2plError } from '@p2pl/core'
import { BoundedMap } from '@p2pl/core/backend'
import type { RemoteStay } from '../presence/remote-stay.ts'
import type { Content } from '../wire/content.ts'
import type { Note, Refusal } from '../wire/note.ts'

/** Maximum number of requests that are worked on: in total, and of one peer. */
const maxActive = 256
const maxActivePerPeer = 64
/** Answers that are kept for repeated requests: for how many peers, and how many of each. */
const maxPeers = 256
const maxAnswers = 256

type Answer = Extract<Note, { kind: 'answer' | 'refuse' }>

interface Account {
  /** By number; `undefined` while the request is worked on. */
  readonly answers: BoundedMap<number, Answer | undefined>
  readonly life: AbortController
  /** Every number up to this one has been seen, or is too old to be answered. */
  floor: number
  active: number
}

/** Returns the content of the answer. If it throws a `P2plError`, the asking peer learns of it. */
export type Answerer = (from: RemoteStay, channel: string, content: Content, signal: AbortSignal) => Promise<Content>

/** Answers the requests of other peers, each one once: a repeated request gets the same answer again. */
export class Answering {
  readonly #answer: Answerer
  readonly #send: (to: RemoteStay, note: Note) => Promise<unknown>
  readonly #onError: (error: unknown) => void
  readonly #accounts = new BoundedMap<RemoteStay, Account>(maxPeers, (_stay, { life }) => {
    life.abort()
  })
  #active = 0

  constructor(
    answer: Answerer,
    send: (to: RemoteStay, note: Note) => Promise<unknown>,
    onError: (error: unknown) => void
  ) {
    this.#answer = answer
    this.#send = send
    this.#onError = onError
  }

  asked(from: RemoteStay, { id, channel, content }: Extract<Note, { kind: 'ask' }>): void {
    const account = this.#account(from)
    if (account.answers.has(id)) {
      const known = account.answers.get(id)
      if (known !== undefined) this.#reply(from, known)
      return
    }
    if (id <= account.floor) return
    // The asking peer will repeat it.
    if (this.#active >= maxActive || account.active >= maxActivePerPeer) return
    account.answers.set(id, undefined)
    void this.#work(from, account, id, channel, content)
  }

  left(stay: RemoteStay): void {
    this.#accounts.get(stay)?.life.abort()
    this.#accounts.delete(stay)
  }

  stop(): void {
    for (const stay of this.#accounts.keys()) this.left(stay)
  }

  /** Never rejects. */
  async #work(from: RemoteStay, account: Account, id: number, channel: string, content: Content): Promise<void> {
    this.#active++
    account.active++
    let answer: Answer
    try {
      answer = { kind: 'answer', id, content: await this.#answer(from, channel, content, account.life.signal) }
    } catch (error) {
      answer = { kind: 'refuse', id, ...refusal(error) }
      if (!isP2plError(error)) this.#onError(error)
    }
    this.#active--
    account.active--
    if (account.life.signal.aborted) return
    account.answers.set(id, answer)
    this.#reply(from, answer)
  }

  #reply(to: RemoteStay, answer: Answer): void {
    // The asking peer repeats its request.
    this.#send(to, answer).catch(() => undefined)
  }

  #account(from: RemoteStay): Account {
    const known = this.#accounts.touch(from)
    if (known !== undefined) return known
    const account: Account = {
      answers: new BoundedMap<number, Answer | undefined>(maxAnswers, (id) => {
        account.floor = Math.max(account.floor, id)
      }),
      life: new AbortController(),
      floor: 0,
      active: 0
    }
    this.#accounts.set(from, account)
    return account
  }
}

function refusal(error: unknown): { code: Refusal; reason: string } {
  if (!isP2plError(error)) return { code: 'PROTOCOL', reason: 'its handler failed' }
  const known: readonly string[] = ['UNSUPPORTED', 'OVERLOADED', 'INVALID_ARGUMENT', 'NOT_FOUND']
  return { code: known.includes(error.code) ? (error.code as Refusal) : 'PROTOCOL', reason: error.message }
}
