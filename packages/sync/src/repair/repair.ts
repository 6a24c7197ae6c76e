import { BoundedMap, type Budget } from '@p2pl/core/backend'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { limits } from '../limits.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { RepairAnswer } from '../wire/messages.ts'
import { shareOf } from './spread.ts'

interface Asked {
  readonly digest: Bytes
  readonly sender: string
  readonly answer: Promise<Bytes>
  /** The bytes that the next request for the block carries, which allow an answer of this size. */
  size: number
  queued: boolean
  /** Whether this request already waited for the answer to another peer. */
  waited: boolean
  readonly giveBack: (() => void)[]
  resolve(bytes: Bytes): void
}

export interface RepairOptions {
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  /**
   * Budgets of the senders that cause requests: blocks asked for per period, and padding of requests that stayed
   * without effect.
   */
  readonly asking: Budget
  readonly padding: Budget
  readonly isKnown: (sender: string) => boolean
}

/**
 * The last resort when a block cannot be fetched by CID: asks all peers, now and then and for a few blocks. The first
 * request is small. Peers whose block is too large for an answer of that size send the size of the block; then the
 * request is repeated with padding up to that size. An answer is never larger than its request, so nobody can make
 * others send more than they send themselves.
 */
export class Repair {
  readonly #options: RepairOptions
  readonly #asked: BoundedMap<string, Asked> = new BoundedMap(limits.repairQueue)
  /** Blocks that other peers asked for, and when. There is no need to ask for them again. */
  readonly #overheard: BoundedMap<string, number> = new BoundedMap(limits.repairQueue)
  #queue: Asked[] = []
  #scheduled = false

  constructor(options: RepairOptions) {
    this.#options = options
  }

  /**
   * Asks all peers for a block because of something that `sender` sent, within the sender's budget. Resolves with the
   * bytes, whose hash is checked. Rejects if nobody answers within four periods.
   */
  async ask(digest: Bytes, sender: string): Promise<Bytes> {
    const { timers, period, asking } = this.#options
    const id = mapKey(digest)
    const before = this.#asked.get(id)
    if (before !== undefined) return await before.answer
    if (asking.take(sender, 1) === undefined) throw new Error('too many requests because of this sender')
    const { promise: answer, resolve, reject } = Promise.withResolvers<Bytes>()
    const asked: Asked = { digest, sender, answer, size: 0, queued: false, waited: false, giveBack: [], resolve }
    this.#asked.set(id, asked)
    this.#enqueue(asked)
    timers.after(4 * period, () => {
      if (this.#asked.get(id) === asked) this.#asked.delete(id)
      reject(new Error('nobody answered'))
    })
    return await answer
  }

  #enqueue(asked: Asked): void {
    if (asked.queued || this.#queue.length >= limits.repairQueue) return
    asked.queued = true
    this.#queue.push(asked)
    this.#schedule()
  }

  #schedule(): void {
    const [first] = this.#queue
    if (this.#scheduled || first === undefined) return
    this.#scheduled = true
    const { timers, period, network } = this.#options
    timers.after((period / 4) * (0.25 + shareOf(network.id, first.digest)), () => {
      this.#scheduled = false
      this.#send()
      this.#schedule()
    })
  }

  #send(): void {
    const { timers, period, network, isKnown } = this.#options
    const since = timers.now() - 2 * period
    const wanted: Bytes[] = []
    let padding = 0
    while (wanted.length < limits.repairCids && (wanted.length === 0 || padding < limits.repairBytes)) {
      const asked = this.#queue.shift()
      if (asked === undefined) break
      asked.queued = false
      const id = mapKey(asked.digest)
      if (this.#asked.get(id) !== asked) continue
      if (!asked.waited && (this.#overheard.get(id) ?? -Infinity) > since) {
        // The answer to the other peer serves this one too. If it does not come, only a request because of a known
        // sender is sent again.
        asked.waited = true
        if (isKnown(asked.sender)) timers.after(period, () => this.#enqueue(asked))
        continue
      }
      wanted.push(asked.digest)
      padding += asked.size
    }
    if (wanted.length > 0) network.send(() => ({ kind: 'request', wanted, padding }))
  }

  /** Another peer asked for these blocks. */
  overheard(wanted: readonly Bytes[]): void {
    for (const digest of wanted) this.#overheard.set(mapKey(digest), this.#options.timers.now())
  }

  async answer(sender: string, { blocks, larger }: RepairAnswer): Promise<void> {
    for (const { digest, size } of larger) this.#larger(mapKey(digest), size, sender)
    if (this.#asked.size === 0) return
    for (const block of blocks) {
      const id = mapKey(await hash(block))
      const asked = this.#asked.get(id)
      if (asked === undefined) continue
      this.#asked.delete(id)
      // The padding had an effect, so the senders get it back.
      for (const giveBack of asked.giveBack) giveBack()
      asked.resolve(block.slice())
    }
  }

  /**
   * A peer has the block but says that the request was too small. The padding of the next request is charged to that
   * peer and to the sender that caused the request.
   */
  #larger(id: string, size: number, sender: string): void {
    const asked = this.#asked.get(id)
    if (asked === undefined || size <= asked.size || size > limits.repairBytes) return
    const { padding } = this.#options
    for (const one of new Set([asked.sender, sender])) {
      const giveBack = padding.take(one, size)
      if (giveBack === undefined) return
      asked.giveBack.push(giveBack)
    }
    asked.size = size
    this.#enqueue(asked)
  }
}
