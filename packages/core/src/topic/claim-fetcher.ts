import type { CID } from 'multiformats/cid'
import type { Environment } from '../api/peer.ts'
import { isP2plError } from '../errors.ts'
import type { PeerInfo } from '../port/common.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'

/** A large payload that a sender has left somewhere. */
export interface ClaimRequest {
  readonly sender: string
  readonly cid: CID
  readonly size: number
  readonly providers: readonly PeerInfo[]
  /** Ends it: the topic was left. */
  readonly signal: AbortSignal
  readonly done: (payload: Uint8Array | undefined) => void
}

export type FetchClaim = (request: ClaimRequest, timeout: number) => Promise<Uint8Array>

interface Waiting {
  readonly request: ClaimRequest
  attempts: number
}

interface Account {
  readonly queue: Waiting[]
  active: number
  /** Milliseconds of slots that gave nothing, since the last payload that did arrive. */
  wasted: number
  given: number
}

/** Fetches under way at once, over all topics and senders; some only for senders that have given before. */
const maxActive = 8
const reserved = 3
const maxActivePerSender = 2
/** Payloads that wait, over all senders and of one of them. */
const maxWaiting = 1_024
const maxWaitingPerSender = 64
/** A fetch that makes no progress for so long yields its slot, in milliseconds; the next attempt may take longer. */
const attemptTimeouts = [3_000, 10_000, 30_000] as const
const maxAccounts = 4_096

/**
 * Fetches the large payloads of all topics. Each sender has its own queue and a share of the slots; a sender that wastes
 * slots comes after those that do not, so claims to content that nobody has delay only their own sender.
 */
export class ClaimFetcher {
  readonly #fetch: FetchClaim
  readonly #environment: Environment
  readonly #accounts: BoundedMap<string, Account> = new BoundedMap(maxAccounts, (_sender, account) => {
    this.#refuse(account)
  })
  #active = 0
  #waiting = 0

  constructor(fetch: FetchClaim, environment: Environment) {
    this.#fetch = fetch
    this.#environment = environment
  }

  request(request: ClaimRequest): void {
    const account = this.#accounts.touch(request.sender) ?? { queue: [], active: 0, wasted: 0, given: 0 }
    this.#accounts.set(request.sender, account)
    if (account.queue.length >= maxWaitingPerSender || (this.#waiting >= maxWaiting && !this.#makeRoom(account))) {
      request.done(undefined)
      return
    }
    account.queue.push({ request, attempts: 0 })
    this.#waiting++
    this.#advance()
  }

  /** Takes a place from the sender with the longest queue. */
  #makeRoom(forAccount: Account): boolean {
    let longest = forAccount
    for (const account of this.#accounts.values()) if (account.queue.length > longest.queue.length) longest = account
    const refused = longest === forAccount ? undefined : longest.queue.pop()
    if (refused === undefined) return false
    this.#waiting--
    refused.request.done(undefined)
    return true
  }

  #refuse(account: Account): void {
    for (const { request } of account.queue.splice(0)) {
      this.#waiting--
      request.done(undefined)
    }
  }

  #advance(): void {
    while (this.#active < maxActive) {
      const account = this.#pick(this.#active >= maxActive - reserved)
      const waiting = account?.queue.shift()
      if (account === undefined || waiting === undefined) return
      this.#waiting--
      void this.#run(account, waiting)
    }
  }

  /** The sender that wasted least; by chance among equals, since strangers are free to be many. */
  #pick(onlyKnown: boolean): Account | undefined {
    let best: Account | undefined
    let equals = 0
    for (const account of this.#accounts.values()) {
      if (account.queue.length === 0 || account.active >= maxActivePerSender) continue
      if (onlyKnown && account.given === 0) continue
      if (best === undefined || account.wasted < best.wasted) {
        best = account
        equals = 1
      } else if (account.wasted === best.wasted && this.#environment.random() * ++equals < 1) best = account
    }
    return best
  }

  /** Never rejects. */
  async #run(account: Account, waiting: Waiting): Promise<void> {
    const { request } = waiting
    const { clock } = this.#environment
    const began = clock.now()
    this.#active++
    account.active++
    let payload: Uint8Array | undefined
    try {
      if (!request.signal.aborted) {
        payload = await this.#fetch(request, attemptTimeouts[waiting.attempts] ?? attemptTimeouts[0])
      }
      account.given++
      account.wasted = 0
    } catch (error) {
      account.wasted += clock.now() - began
      // Content that is wrong stays wrong; a provider that did not answer may do so later.
      waiting.attempts = isP2plError(error) && error.retryable ? waiting.attempts + 1 : attemptTimeouts.length
    }
    this.#active--
    account.active--
    if (payload === undefined && waiting.attempts < attemptTimeouts.length && !request.signal.aborted) {
      account.queue.push(waiting)
      this.#waiting++
    } else request.done(payload)
    this.#advance()
  }
}
