import type { CID } from 'multiformats/cid'
import type { Environment } from '../api/peer.ts'
import type { Identity } from '../identity.ts'
import { isP2plError } from '../errors.ts'
import { backoff } from '../toolbox/backoff.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import { Slots } from '../toolbox/slots.ts'
import type { Channel } from './channel.ts'
import { costOf, type Class, type KeptContent } from './kept.ts'
import type { Possession } from './possession.ts'
import { Budget } from '../toolbox/budget.ts'
import type { ByteLimits, KeepSettings } from './settings.ts'
import type { Ask, Call, Note, Refusal } from './wire.ts'

/** Limits on asks: those worked on at once, and those waiting or worked on, in total and from one peer. */
const work = {
  known: { atOnce: 4, total: 512, each: 64 },
  strangers: { atOnce: 2, total: 64, each: 4 }
} as const
/** Notes that are answered per second, in total and from one peer. */
const notes = { known: { total: 1_000, each: 50 }, strangers: { total: 64, each: 16 } } as const
/** How often per hour a stranger may have all of its kept content read or fetched. */
const readsPerHour = 4
const hour = 3_600_000
/** How long a stranger waits after its content could not be fetched, in milliseconds. Each wait is longer than the last. */
const pauses = { first: 5_000, longest: 600_000 } as const
const remembered = 1_024

export interface KeepingParts {
  readonly settings: KeepSettings
  readonly identity: Identity
  readonly environment: Environment
  readonly channel: Channel
  readonly kept: KeptContent
  readonly possession: Possession
  /** Whether the block is stored here. */
  readonly has: (cid: CID) => Promise<boolean>
  readonly signal: AbortSignal
}

interface Active {
  readonly sender: string
  readonly kind: Class
  readonly cid: CID
  readonly end: AbortController
}

/** Answers the peers that this one keeps content for. Others get no answer. */
export class Keeping {
  readonly #parts: KeepingParts
  readonly #slots = { known: new Slots(work.known.atOnce), strangers: new Slots(work.strangers.atOnce) }
  readonly #notes: Readonly<Record<Class, Budget>>
  readonly #reads: Budget
  /** Asks that wait or are being worked on. */
  readonly #active = new Map<string, Active>()
  /** Acknowledgements that were given, for asks that are repeated because the answer got lost. */
  readonly #given = new BoundedMap<string, Uint8Array>(remembered)
  readonly #failures = new BoundedMap<string, { count: number; until: number }>(remembered)

  constructor(parts: KeepingParts) {
    this.#parts = parts
    const { settings } = parts
    const now = (): number => parts.environment.clock.now()
    // Each class has its own budgets, so all peers within a class are alike.
    const rate = (limits: ByteLimits, ms: number): Budget =>
      new Budget({ ...limits, isKnown: () => true, refill: { ms, now } })
    this.#notes = { known: rate(notes.known, 1_000), strangers: rate(notes.strangers, 1_000) }
    const { each, total } = settings.strangers
    this.#reads = rate({ each: each * readsPerHour, total: total * readsPerHour }, hour)
  }

  readonly listen = (sender: string, note: Note): void => {
    const kind = this.#parts.kept.classOf(sender)
    if (kind === undefined || !(note.kind === 'call' || note.kind === 'ask' || note.kind === 'release')) return
    if (note.kind !== 'call' && !note.to.includes(this.#parts.identity.id)) return
    if (note.kind === 'call' && !this.#chosen(note)) return
    if (this.#notes[kind].take(sender, 1) === undefined) return
    if (note.kind === 'call') this.#offer(sender, kind, note).catch(() => undefined)
    else if (note.kind === 'ask') this.#serve(sender, kind, note).catch(() => undefined)
    else this.#release(sender, note).catch(() => undefined)
  }

  /** The nonce decides which share of all peers answers a call. */
  #chosen({ nonce, share }: Call): boolean {
    return ((nonce[0] as number) ^ (this.#parts.identity.publicKey[31] as number)) < share
  }

  async #offer(sender: string, kind: Class, { nonce, cid, bytes }: Call): Promise<void> {
    const { kept, channel, has } = this.#parts
    // A stranger has no business knowing what else is stored here.
    const here = cid !== undefined && (kept.get(cid) !== undefined || (kind === 'known' && (await has(cid))))
    const free = kept.free(sender)
    if (here || free >= bytes) channel.send({ kind: 'offer', nonce, to: sender, has: here, free })
  }

  async #serve(sender: string, kind: Class, ask: Ask): Promise<void> {
    const key = `${sender}/${bytesKey(ask.nonce)}`
    const given = this.#given.get(key)
    if (given !== undefined) this.#parts.channel.send({ kind: 'acknowledgement', encoded: given })
    if (given !== undefined || this.#active.has(key)) return
    const refusal = this.#refusal(sender, kind, ask)
    if (refusal !== undefined) {
      this.#refuse(sender, ask, refusal)
      return
    }
    const end = new AbortController()
    this.#active.set(key, { sender, kind, cid: ask.cid, end })
    try {
      const encoded = await this.#slots[kind].run(
        async () => await this.#acknowledge(sender, ask, end.signal),
        end.signal
      )
      this.#given.set(key, encoded)
      this.#failures.delete(sender)
      this.#parts.channel.send({ kind: 'acknowledgement', encoded })
    } catch (error) {
      if (end.signal.aborted || this.#parts.signal.aborted) return
      if (kind === 'strangers') this.#failed(sender)
      this.#refuse(sender, ask, !ask.fetch && isP2plError(error, 'NOT_FOUND') ? 'missing' : 'failed')
    } finally {
      this.#active.delete(key)
    }
  }

  #refusal(sender: string, kind: Class, ask: Ask): Refusal | undefined {
    const { kept, environment } = this.#parts
    const root = kept.get(ask.cid)
    const mine = root?.askers.has(sender) === true
    if (!ask.fetch && !mine && kind === 'strangers') return 'missing'
    const active = [...this.#active.values()].filter((each) => each.kind === kind)
    if (active.length >= work[kind].total) return 'busy'
    if (active.filter((each) => each.sender === sender).length >= work[kind].each) return 'busy'
    const cost = costOf(ask)
    if (ask.fetch && !mine && kept.free(sender) < (root?.cost ?? cost)) return 'full'
    if (kind === 'known') return undefined
    if ((this.#failures.get(sender)?.until ?? 0) > environment.clock.now()) return 'busy'
    return this.#reads.take(sender, cost) === undefined ? 'busy' : undefined
  }

  async #acknowledge(sender: string, ask: Ask, signal: AbortSignal): Promise<Uint8Array> {
    const { kept, possession, settings, environment } = this.#parts
    if (!ask.fetch) {
      const until = kept.get(ask.cid)?.askers.get(sender) ?? 0
      return await possession.acknowledge(sender, ask, Math.max(0, until - environment.clock.now()), signal)
    }
    return await kept.inTurn(ask.cid, async () => {
      signal.throwIfAborted()
      const before = kept.get(ask.cid)?.askers.get(sender)
      try {
        await possession.obtain(sender, ask, signal)
        return await possession.acknowledge(sender, ask, settings.term, signal)
      } catch (error) {
        await kept.takeBack(ask.cid, sender, before)
        throw error
      }
    })
  }

  async #release(sender: string, { nonce, cid }: Note & { kind: 'release' }): Promise<void> {
    if (nonce === undefined) {
      for (const active of this.#active.values()) {
        if (active.sender === sender && active.cid.equals(cid)) active.end.abort()
      }
      await this.#parts.kept.release(cid, sender)
      return
    }
    this.#active.get(`${sender}/${bytesKey(nonce)}`)?.end.abort()
  }

  #failed(sender: string): void {
    const count = (this.#failures.get(sender)?.count ?? 0) + 1
    this.#failures.set(sender, { count, until: this.#parts.environment.clock.now() + backoff(pauses, count) })
  }

  #refuse(to: string, { nonce }: Ask, reason: Refusal): void {
    this.#parts.channel.send({ kind: 'refusal', nonce, to, reason })
  }
}
