import type { CID } from 'multiformats/cid'
import type { Acknowledgement } from '../api/receipts.ts'
import type { Environment } from '../api/peer.ts'
import { P2plError } from '../errors.ts'
import type { PeerInfo } from '../port/common.ts'
import { equalBytes } from '../toolbox/bytes.ts'
import { isAuthentic, type Parsed, parseAcknowledgement } from './acknowledgement.ts'
import { Candidates } from './candidates.ts'
import type { Channel } from './channel.ts'
import type { Dag } from './dag.ts'
import { proofOf } from './proof.ts'
import { maxNamed, type Note, wholeShare } from './wire.ts'

/** Milliseconds between repetitions of a note that has no answer. The pauses grow, since a peer may be fetching. */
const repeat = { first: 1_000, factor: 1.5, longest: 10_000 } as const
/** Further peers are asked alongside slow ones after this many milliseconds, and later for larger content. */
const patience = { first: 4_000, bytesPerMs: 4_096 } as const
/** Number of answers to a first call that is enough, per missing peer. */
const answersPerMissing = 4

export interface Goal {
  /** The app's call, for errors. */
  readonly operation: string
  readonly cid: CID
  readonly dag: Dag
  readonly replicas: number
  readonly challenge: number
  /** The peers that count. Absent: all willing peers. */
  readonly peers: ReadonlySet<string> | undefined
  readonly fetch: boolean
}

export interface ReachingParts {
  readonly id: string
  readonly environment: Environment
  readonly channel: Channel
  readonly nonce: Uint8Array
  readonly self: () => readonly PeerInfo[]
  /** How many peers answered when all were asked, if that is known. */
  readonly crowd: number
  /** Peers that have passed a challenge before are asked first. */
  readonly proven: { has(peer: string): boolean; passed(peer: string): void; failed(peer: string): void }
  /** The verified bytes of a block of the goal. */
  readonly read: (cid: CID) => Promise<Uint8Array>
  /** Called with the number of answers so far. */
  readonly onAnswer: (heard: number) => void
  /** Called when a peer has acknowledged the content and its proof is right. */
  readonly onAcknowledgement: (acknowledgement: Acknowledgement) => void
}

/** Asks other peers until the wanted number of them have the content, have proven it and have signed. */
export class Reaching {
  readonly #goal: Goal
  readonly #parts: ReachingParts
  readonly #candidates: Candidates
  readonly #began: number
  readonly #done = Promise.withResolvers<void>()
  /** Whether the last call went to all peers. */
  wholeCrowd = false
  #reached = 0
  #rounds = 0
  #timer: unknown
  #ended = false

  constructor(goal: Goal, parts: ReachingParts) {
    this.#goal = goal
    this.#parts = parts
    this.#began = parts.environment.clock.now()
    // The promise may be rejected before anybody waits for it.
    this.#done.promise.catch(() => undefined)
    this.#candidates = new Candidates({
      peers: goal.peers,
      clock: parts.environment.clock,
      random: parts.environment.random,
      isProven: (peer) => parts.proven.has(peer)
    })
  }

  /** How many answers have come. */
  get heard(): number {
    return this.#candidates.heard
  }

  /** Resolves when the goal is reached. Rejects when `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { channel } = this.#parts
    const leave = await channel.listen(this.#listen)
    const onAbort = (): void => {
      this.#done.reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      this.#round()
      await this.#done.promise
    } finally {
      this.#ended = true
      signal.removeEventListener('abort', onAbort)
      this.#parts.environment.clock.clearTimeout(this.#timer)
      this.#cancel()
      leave()
    }
  }

  /** Repeats all notes that have no answer. */
  #round(): void {
    const { clock } = this.#parts.environment
    const { factor, first, longest } = repeat
    if (this.#candidates.wanting(this.#missing) && this.#goal.peers === undefined) this.#call()
    this.#rounds++
    this.#advance(true)
    const pause = Math.min(longest, first * factor ** (this.#rounds - 1))
    this.#timer = clock.setTimeout(() => this.#round(), pause, { hold: true })
  }

  get #missing(): number {
    return this.#goal.replicas - this.#reached
  }

  /** In a large group only some peers answer the first call. */
  #call(): void {
    const { nonce, channel, crowd } = this.#parts
    const { cid, dag, fetch } = this.#goal
    const enough = answersPerMissing * Math.max(8, this.#missing) * 2 ** this.#rounds
    const share = Math.min(wholeShare, Math.ceil((wholeShare * enough) / Math.max(1, crowd)))
    this.wholeCrowd = share === wholeShare
    channel.send({ kind: 'call', nonce, cid, bytes: fetch ? dag.bytes : Number.MAX_SAFE_INTEGER, share })
  }

  /** Asks as many peers as are missing, and more if they are slow. With `again`, repeats the asks that have no answer. */
  #advance(again: boolean): void {
    if (this.#candidates.hopeless) this.#done.reject(this.#nobodyLeft())
    const { clock } = this.#parts.environment
    const { first, bytesPerMs } = patience
    const { dag } = this.#goal
    const late = Math.floor((clock.now() - this.#began) / (first + dag.bytes / bytesPerMs))
    const chosen = this.#candidates.choose(this.#missing, late)
    const to = again ? this.#candidates.asked : chosen
    for (let at = 0; at < to.length; at += maxNamed) this.#ask(to.slice(at, at + maxNamed))
  }

  #ask(to: readonly string[]): void {
    const { nonce, channel, self } = this.#parts
    const { cid, dag, challenge, fetch } = this.#goal
    const { bytes, cids } = dag
    channel.send({ kind: 'ask', nonce, to, cid, bytes, blocks: cids.length, challenge, fetch, providers: self() })
  }

  readonly #listen = (sender: string, note: Note): void => {
    if (this.#ended) return
    const { id, nonce } = this.#parts
    if (note.kind === 'acknowledgement') {
      const parsed = parseAcknowledgement(note.encoded)
      if (parsed?.said.asker !== id || parsed.said.peer !== sender || !equalBytes(parsed.said.nonce, nonce)) return
      if (this.#candidates.checking(sender)) this.#check(sender, parsed).catch(() => undefined)
      return
    }
    if ((note.kind !== 'offer' && note.kind !== 'refusal') || note.to !== id || !equalBytes(note.nonce, nonce)) return
    if (note.kind === 'offer') {
      if (!note.has && !this.#goal.fetch) return
      this.#candidates.offered(sender, note.has)
    } else this.#candidates.refused(sender, note.reason)
    this.#parts.onAnswer(this.#candidates.heard)
    this.#advance(false)
  }

  async #check(sender: string, parsed: Parsed): Promise<void> {
    this.#parts.onAnswer(this.#candidates.heard)
    const verdict = await this.#judge(sender, parsed).catch(() => undefined)
    if (this.#ended) return
    // A block that cannot be read here at the moment.
    if (verdict === undefined) this.#candidates.unchecked(sender)
    else if (verdict === 'false') {
      this.#candidates.lied(sender)
      this.#parts.proven.failed(sender)
      this.#advance(false)
    } else {
      this.#candidates.acknowledged(sender)
      this.#parts.proven.passed(sender)
      this.#reached++
      this.#parts.onAcknowledgement(verdict)
      if (this.#missing <= 0) this.#done.resolve()
      else this.#advance(false)
    }
  }

  /** Returns `'false'` if the peer's claim is wrong. */
  async #judge(sender: string, parsed: Parsed): Promise<Acknowledgement | 'false'> {
    const { environment, nonce, read } = this.#parts
    const { cid, dag, challenge } = this.#goal
    const { proof, nonce: _nonce, ...said } = parsed.said
    const fits = said.cid.equals(cid) && said.bytes === dag.bytes && said.blocks === dag.cids.length
    if (!fits || said.challenged !== Math.min(challenge, dag.cids.length)) return 'false'
    if (!(await isAuthentic(parsed, environment.cryptography))) return 'false'
    const right = await proofOf(dag.cids, { nonce, peer: sender, challenge }, environment.clock, read)
    return equalBytes(proof, right) ? said : 'false'
  }

  #nobodyLeft(): P2plError {
    const { operation, cid, replicas } = this.#goal
    return new P2plError({
      code: 'NOT_FOUND',
      operation,
      message: `the peers that were named do not have ${cid.toString()}: ${this.#reached} of ${replicas} have acknowledged`
    })
  }

  /** Tells peers that are still working that they may stop. */
  #cancel(): void {
    const { nonce, channel } = this.#parts
    const { asked: to } = this.#candidates
    for (let at = 0; at < to.length; at += maxNamed) {
      channel.send({ kind: 'release', nonce, to: to.slice(at, at + maxNamed), cid: this.#goal.cid })
    }
  }
}
