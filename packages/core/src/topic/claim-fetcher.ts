import type { CID } from 'multiformats/cid'
import type { Environment } from '../api/peer.ts'
import { isP2plError, P2plError } from '../errors.ts'
import type { PeerInfo } from '../port/common.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'
import { Slots } from '../toolbox/slots.ts'
import { untilAborted } from '../toolbox/until-aborted.ts'

/** A large payload that a sender has stored outside its message. */
export interface ClaimRequest {
  readonly sender: string
  readonly cid: CID
  readonly size: number
  readonly providers: readonly PeerInfo[]
  /** Ends the request when the topic is left. */
  readonly signal: AbortSignal
  readonly done: (payload: Uint8Array | undefined) => void
}

export interface ClaimSource {
  /** Fetches the first block. Returns the payload if that block is all of it. */
  probe(request: ClaimRequest, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Fetches the whole payload, once its first block has arrived. */
  fetch(request: ClaimRequest): Promise<Uint8Array>
}

interface Waiting {
  readonly request: ClaimRequest
  attempts: number
}

interface Account {
  readonly queue: Waiting[]
  outstanding: number
  /** Failed requests since the last payload that arrived. */
  wasted: number
}

interface Probe {
  readonly end: AbortController
  /** Whether the probe has given up its slot. */
  parked: boolean
}

/** Maximum number of waiting payloads, over all senders and of one sender. */
const maxWaiting = 1_024
const maxWaitingPerSender = 64
/** Maximum number of probes of one sender that have no answer yet. */
const maxOutstandingPerSender = 4
/** Maximum number of probes that hold a slot. */
const maxProbes = 64
/** A probe without an answer gives up its slot after this many milliseconds, and goes on without one. */
const parkAfter = 250
/** Maximum number of parked probes, over all senders. The oldest one ends first. */
const maxParked = 512
const probeTimeout = 10_000
const maxAttempts = 3
/** Maximum number of payloads that are fetched at once, after their first block has arrived. */
const maxFetches = 8
/**
 * While others wait, a fetch gives up its slot after this many milliseconds, so that a provider that trickles its bytes
 * delays nobody.
 */
const fetchTurn = 5_000
const maxAccounts = 4_096

/**
 * Fetches the large payloads of all topics. Each payload is first probed. An unanswered probe costs little, so many may
 * wait at once, and strangers whose claims no peer can serve delay nobody. Senders take turns. A sender whose claims led
 * nowhere comes after the others.
 */
export class ClaimFetcher {
  readonly #source: ClaimSource
  readonly #environment: Environment
  readonly #accounts: BoundedMap<string, Account> = new BoundedMap(maxAccounts, (_sender, account) => {
    this.#refuse(account)
  })
  /** In the order in which they began. */
  readonly #probes = new Set<Probe>()
  #active = 0
  #waiting = 0
  readonly #fetches = new Slots(maxFetches)

  constructor(source: ClaimSource, environment: Environment) {
    this.#source = source
    this.#environment = environment
  }

  request(request: ClaimRequest): void {
    const account = this.#accounts.touch(request.sender) ?? { queue: [], outstanding: 0, wasted: 0 }
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
    while (this.#active < maxProbes) {
      const account = this.#pick()
      const waiting = account?.queue.shift()
      if (account === undefined || waiting === undefined) return
      this.#waiting--
      void this.#serve(account, waiting)
    }
  }

  /** The sender with the fewest failures. Chance decides among equals, since a stranger can have any number of identities. */
  #pick(): Account | undefined {
    let best: Account | undefined
    let equals = 0
    for (const account of this.#accounts.values()) {
      if (account.queue.length === 0 || account.outstanding >= maxOutstandingPerSender) continue
      if (best === undefined || account.wasted < best.wasted) {
        best = account
        equals = 1
      } else if (account.wasted === best.wasted && this.#environment.random() * ++equals < 1) best = account
    }
    return best
  }

  /** Never rejects. */
  async #serve(account: Account, waiting: Waiting): Promise<void> {
    const { request } = waiting
    account.outstanding++
    let payload: Uint8Array | undefined
    try {
      const whole = await this.#probe(request)
      payload = whole ?? (await this.#fetch(request))
      account.wasted = 0
    } catch (error) {
      account.wasted++
      // Wrong content stays wrong. A provider that did not answer may answer later.
      waiting.attempts = isP2plError(error) && error.retryable ? waiting.attempts + 1 : maxAttempts
    }
    account.outstanding--
    if (payload === undefined && waiting.attempts < maxAttempts && !request.signal.aborted) {
      account.queue.push(waiting)
      this.#waiting++
    } else request.done(payload)
    this.#advance()
  }

  async #probe(request: ClaimRequest): Promise<Uint8Array | undefined> {
    const { clock } = this.#environment
    const probe: Probe = { end: new AbortController(), parked: false }
    const park = (): void => {
      if (probe.parked) return
      probe.parked = true
      this.#active--
      this.#advance()
    }
    const parking = clock.setTimeout(park, parkAfter)
    const ending = clock.setTimeout(() => {
      probe.end.abort()
    }, probeTimeout)
    const onAbort = (): void => {
      probe.end.abort()
    }
    request.signal.addEventListener('abort', onAbort, { once: true })
    this.#active++
    this.#probes.add(probe)
    this.#boundParked()
    try {
      request.signal.throwIfAborted()
      return await this.#source.probe(request, probe.end.signal)
    } finally {
      this.#probes.delete(probe)
      request.signal.removeEventListener('abort', onAbort)
      clock.clearTimeout(parking)
      clock.clearTimeout(ending)
      if (!probe.parked) this.#active--
      probe.parked = true
    }
  }

  async #fetch(request: ClaimRequest): Promise<Uint8Array> {
    const { clock } = this.#environment
    const leave = await this.#fetches.enter(request.signal)
    const end = new AbortController()
    const onAbort = (): void => {
      end.abort(request.signal.reason)
    }
    const onTurn = (): void => {
      if (this.#fetches.waiting > 0) end.abort(tooSlow())
      else turn = clock.setTimeout(onTurn, fetchTurn)
    }
    let turn = clock.setTimeout(onTurn, fetchTurn)
    request.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await untilAborted(this.#source.fetch({ ...request, signal: end.signal }), end.signal)
    } finally {
      clock.clearTimeout(turn)
      request.signal.removeEventListener('abort', onAbort)
      leave()
    }
  }

  #boundParked(): void {
    for (const oldest of this.#probes) {
      if (this.#probes.size <= maxParked + maxProbes) return
      this.#probes.delete(oldest)
      oldest.end.abort()
    }
  }
}

function tooSlow(): P2plError {
  return new P2plError({ code: 'TIMEOUT', operation: 'subscribe', message: 'a payload comes slowly, and others wait' })
}
