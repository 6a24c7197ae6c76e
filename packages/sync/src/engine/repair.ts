import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { limits } from '../limits.ts'
import type { RepairAnswer, RepairRequest } from '../wire/messages.ts'
import { BoundedMap } from './bounded-map.ts'
import type { SyncNetwork } from './network.ts'
import type { Timers } from './timers.ts'

interface Asked {
  readonly digest: Bytes
  readonly until: number
  deliver(bytes: Bytes): void
}

/**
 * The last resort when a block cannot be fetched by CID: ask everybody, once in a while and for a few blocks. Each peer that has one
 * waits for a time that depends on its id and the block, and stays silent when another was quicker.
 */
export class Repair {
  readonly #network: SyncNetwork
  readonly #timers: Timers
  readonly #period: number
  readonly #find: (digest: Bytes) => Promise<Bytes | undefined>
  readonly #asked: BoundedMap<Asked> = new BoundedMap(limits.missing)
  readonly #answering: Map<string, () => void> = new Map()
  readonly #requests: BoundedMap<{ start: number; count: number }> = new BoundedMap(limits.reports)
  /** Blocks that somebody asked for, and that somebody answered, and when: nobody needs to do it twice. */
  readonly #overheard: BoundedMap<number> = new BoundedMap(limits.missing)
  readonly #answered: BoundedMap<number> = new BoundedMap(limits.missing)
  #queue: Bytes[] = []
  #scheduled = false

  constructor(
    network: SyncNetwork,
    timers: Timers,
    period: number,
    find: (digest: Bytes) => Promise<Bytes | undefined>
  ) {
    this.#network = network
    this.#timers = timers
    this.#period = period
    this.#find = find
  }

  /** Asks everybody; `deliver` gets the bytes, their hash checked, if they come soon enough. */
  ask(digest: Bytes, deliver: (bytes: Bytes) => void): void {
    const id = mapKey(digest)
    const now = this.#timers.now()
    const before = this.#asked.get(id)
    this.#asked.set(id, { digest, until: now + 4 * this.#period, deliver })
    if (before !== undefined && before.until > now + 2 * this.#period) return
    if (this.#queue.length < limits.missing) this.#queue.push(digest)
    this.#schedule()
  }

  #schedule(): void {
    const [first] = this.#queue
    if (this.#scheduled || first === undefined) return
    this.#scheduled = true
    const pause = (this.#period / 4) * (0.25 + share(this.#network.id, first))
    this.#timers.after(pause, () => {
      this.#scheduled = false
      const since = this.#timers.now() - 2 * this.#period
      const wanted = this.#queue
        .splice(0, limits.repairCids)
        .filter((digest) => this.#asked.has(mapKey(digest)) && !((this.#overheard.get(mapKey(digest)) ?? 0) > since))
      if (wanted.length > 0) this.#network.send(() => ({ kind: 'request', wanted }))
      this.#schedule()
    })
  }

  request(sender: string, { wanted }: RepairRequest): void {
    const now = this.#timers.now()
    const rate = this.#requests.get(sender)
    if (rate === undefined || now - rate.start > this.#period) this.#requests.set(sender, { start: now, count: 1 })
    else if (++rate.count > 8) return
    for (const digest of wanted) {
      const id = mapKey(digest)
      this.#overheard.set(id, now)
      if ((this.#answered.get(id) ?? 0) > now - this.#period) continue
      if (this.#answering.has(id) || this.#answering.size >= limits.repairAnswers) continue
      const own = new Uint8Array(digest)
      const cancel = this.#timers.after((this.#period / 2) * share(this.#network.id, own), () => {
        this.#answering.delete(id)
        void this.#answer(own)
      })
      this.#answering.set(id, cancel)
    }
  }

  async #answer(digest: Bytes): Promise<void> {
    try {
      const bytes = await this.#find(digest)
      if (bytes === undefined || bytes.length > limits.repairBytes) return
      this.#answered.set(mapKey(digest), this.#timers.now())
      this.#network.send((provider) => ({ kind: 'answer', provider, blocks: [bytes] }))
    } catch {
      // Store or backend stopped meanwhile: nothing to answer with.
    }
  }

  async answer({ blocks }: RepairAnswer): Promise<void> {
    if (this.#asked.size === 0 && this.#answering.size === 0) return
    for (const block of blocks) {
      const id = mapKey(await hash(block))
      this.#answering.get(id)?.()
      if (this.#answering.delete(id)) this.#answered.set(id, this.#timers.now())
      const asked = this.#asked.get(id)
      if (asked === undefined) continue
      this.#asked.delete(id)
      if (asked.until >= this.#timers.now()) asked.deliver(block.slice())
    }
  }
}

/** A number in [0, 1) that differs from peer to peer and from block to block (FNV-1a, then mixed so that the upper bits depend on all). */
function share(id: string, digest: Uint8Array): number {
  let state = 0x811c9dc5
  for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193)
  for (const byte of digest) state = Math.imul(state ^ byte, 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) / 0x1_0000_0000
}
