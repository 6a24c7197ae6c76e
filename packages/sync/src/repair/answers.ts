import { BoundedMap, type Budget } from '@p2pl/core/backend'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { limits } from '../limits.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { RepairAnswer, RepairRequest } from '../wire/messages.ts'
import { late, shareOf } from './spread.ts'

export interface AnswersOptions {
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  /** Bytes of answers per period, by the sender of the request. */
  readonly budget: Budget
  readonly find: (digest: Bytes) => Promise<Bytes | undefined>
  /** The number of peers that may be able to answer. */
  readonly peers: () => number
}

/** Up to this many peers answer one after the other when their delays are spread evenly. */
const fewPeers = 8
/** The bytes that the smallest answer takes from the room of its request. */
const answerOverhead = 40

/** The room that the answers to one request share: together they have no more bytes than the request. */
interface Room {
  left: number
}

interface Waiting {
  readonly size: number
  readonly cancel: () => void
}

/**
 * Answers the repair requests of others. Each peer that has the block waits for a time that depends on its id and the
 * block, and stays silent if another peer was faster. The total of all answers is bounded.
 */
export class Answers {
  readonly #options: AnswersOptions
  readonly #waiting: Map<string, Waiting> = new Map()
  /** Blocks that were answered, with the size of the request and the time. */
  readonly #answered: BoundedMap<string, { size: number; at: number }> = new BoundedMap(limits.repairQueue)

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  request(sender: string, { wanted }: RepairRequest, size: number): void {
    const { timers, period, network, peers } = this.#options
    const room: Room = { left: size }
    for (const digest of wanted) {
      const id = mapKey(digest)
      const before = this.#answered.get(id)
      if (before !== undefined && before.size >= size && before.at > timers.now() - period) continue
      const waiting = this.#waiting.get(id)
      if (waiting !== undefined ? waiting.size >= size : this.#waiting.size >= limits.repairAnswers) continue
      waiting?.cancel()
      const own = new Uint8Array(digest)
      const share = shareOf(network.id, own)
      const pause = (period / 2) * (peers() > fewPeers ? late(share, peers()) : share)
      const cancel = timers.after(pause, () => {
        this.#waiting.delete(id)
        void this.#answer(sender, own, id, size, room)
      })
      this.#waiting.set(id, { size, cancel })
    }
  }

  async #answer(sender: string, digest: Bytes, id: string, size: number, room: Room): Promise<void> {
    const { network, timers, budget, find } = this.#options
    try {
      const bytes = await find(digest)
      if (bytes === undefined || bytes.length > limits.repairBytes) return
      const fits = bytes.length <= room.left
      const cost = fits ? bytes.length : answerOverhead
      if (cost > room.left || budget.take(sender, cost) === undefined) return
      room.left -= cost
      this.#answered.set(id, { size, at: timers.now() })
      const larger = fits ? [] : [{ digest, size: bytes.length }]
      network.send(() => ({ kind: 'answer', blocks: fits ? [bytes] : [], larger }))
    } catch {
      // The store or the backend stopped meanwhile, so there is nothing to answer with.
    }
  }

  /** Another peer answered. */
  async overheard({ blocks, larger }: RepairAnswer): Promise<void> {
    if (this.#waiting.size === 0) return
    for (const block of blocks) this.#spare(mapKey(await hash(block)), Infinity)
    for (const { digest, size } of larger) this.#spare(mapKey(digest), size - 1)
  }

  /** Cancels the answers to requests up to this size. */
  #spare(id: string, size: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || waiting.size > size) return
    waiting.cancel()
    this.#waiting.delete(id)
    this.#answered.set(id, { size: waiting.size, at: this.#options.timers.now() })
  }
}
